"""A step outside any transaction has company."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast

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
    ast.InsertStmt,
    ast.UpdateStmt,
    ast.DeleteStmt,
    ast.VacuumStmt,
)


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.facts.is_repeatable:
        return
    outside = [item for item in revision.statements if item.transaction is None]
    steps = [item for item in outside if is_concurrent(item.tree)]
    if steps and (company := _company(revision)):
        yield Hit(
            steps[0].facts.tag,
            f"stands beside {company.facts.tag} (statement {company.number}): "
            "a failure between them leaves half of the revision behind",
            is_measured=revision.facts.is_repeatable is False,
            statement=steps[0].number,
        )


def _company(revision: RevisionContext) -> StatementContext | None:
    """Return a step that commits elsewhere, and that a second run would meet again.

    Whether a concurrent step can be run again is for another rule to say.
    """
    for other in revision.statements:
        tree = other.tree
        harmless = tree is None or isinstance(tree, _HARMLESS)
        clears = isinstance(tree, ast.DropStmt) and tree.missing_ok
        if not (harmless or clears or is_concurrent(tree)):
            return other
    return None


RULE = Rule(
    id="autocommit-not-alone",
    number=3,
    title="a step outside any transaction has company",
    family="repeat",
    severity="error",
    hazard=(
        "A step outside any transaction commits what stands before it. When it "
        "fails, the revision is done by half and not recorded: the next try "
        "stumbles over what is there already."
    ),
    measured=(
        "Whether a second run after a stop in the middle ends at the same "
        "catalog. Where that was not tried: any other step that changes the "
        "catalog beside CONCURRENTLY."
    ),
    remedy="Give the step a revision of its own, as its only step.",
    revision=check,
)
