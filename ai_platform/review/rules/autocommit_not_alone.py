"""A step outside any transaction has company."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast

from ai_platform.review.statements import is_version_row

from ._rule import Hit, Rule
from ._tree import is_concurrent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext, StatementContext

__all__ = ["RULE"]

# What may run twice, or only reads and sets; a DO block is what clears up.
_HARMLESS: Final = (
    ast.VariableSetStmt,
    ast.SelectStmt,
    ast.DoStmt,
    ast.CommentStmt,
    ast.VacuumStmt,
)


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.facts.is_repeatable:
        return
    steps = [item for item in revision.statements if _counts(item)]
    for step in steps:
        company = next((item for item in steps if _is_apart(step, item)), None)
        if company is not None:
            yield Hit(
                step.facts.tag,
                f"commits apart from {company.facts.tag} (statement {company.number}): "
                "a failure between them leaves half of the revision behind",
                is_measured=revision.facts.is_repeatable is False,
                statement=step.number,
            )
            return


def _counts(statement: StatementContext) -> bool:
    """Return whether a second run would meet again what *statement* did."""
    tree = statement.tree
    clears = isinstance(tree, ast.DropStmt) and tree.missing_ok
    bookkeeping = is_version_row(statement.facts.sql)
    return not (tree is None or clears or bookkeeping or isinstance(tree, _HARMLESS))


def _is_apart(step: StatementContext, other: StatementContext) -> bool:
    """Return whether *other* commits apart from *step*, which needs no transaction.

    Whether a concurrent step can be run again is for another rule to say.
    """
    if other is step or step.shares_transaction(other) or is_concurrent(other.tree):
        return False
    return is_concurrent(step.tree) or step.number < other.number


RULE = Rule(
    id="autocommit-not-alone",
    number=3,
    title="a step outside any transaction has company",
    family="repeat",
    severity="error",
    hazard=(
        "A step outside any transaction commits what stands before it. When it "
        "fails, the revision is done by half and not recorded: the next try "
        "stumbles over what is there already, or writes its rows a second time."
    ),
    measured=(
        "Whether a second run after a stop in the middle ends at the same catalog. "
        "Where that was not tried: two steps that change something and do not commit "
        "together; Alembic's own row, and what may run twice, do not count."
    ),
    remedy="Give the step a revision of its own, as its only step.",
    revision=check,
)
