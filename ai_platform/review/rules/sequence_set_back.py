"""A sequence gives numbers again that are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast
from pglast.visitors import Visitor

from ai_platform.review.facts import NEXT_NUMBER

from ._rule import Hit, Rule
from ._tree import bare, dotted, option, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    found = [item for item in statement.facts.changes if item.property == NEXT_NUMBER]
    for change in found:
        yield Hit(
            change.identity,
            f"gives {change.after} next instead of {change.before}, and numbers from "
            "there on are taken: INSERT fails with a duplicate key",
            is_measured=True,
        )
    if found:
        return
    for sequence, number in _written(statement):
        if _was_there(statement, sequence):
            yield Hit(
                sequence,
                f"gives {number:,} next, whatever number production has come to",
                severity="note" if statement.shows_cost else "warning",
            )


def _written(statement: StatementContext) -> Iterator[tuple[str, int]]:
    """Yield the sequences that the text sets to a number of its own."""
    tree = statement.tree
    if isinstance(tree, ast.AlterSeqStmt):
        for value in option(tree.options, "restart"):
            number = getattr(value, "ival", None)
            if isinstance(number, int):
                yield statement.name(tree.sequence), number
    elif isinstance(tree, ast.SelectStmt):
        calls = _Settings()
        calls(tree)
        for name, number in calls.found:
            yield name, number


class _Settings(Visitor):
    """Collects setval() of a literal name to a literal number."""

    def __init__(self) -> None:
        self.found: list[tuple[str, int]] = []

    def visit_FuncCall(self, _: object, node: ast.FuncCall) -> None:  # noqa: N802
        if bare(dotted(node.funcname)) != "setval":
            return
        name, number = (_plain(item) for item in (*node.args, None)[:2])
        if isinstance(name, str) and isinstance(number, int):
            self.found.append((name, number))


def _plain(node: Any) -> str | int | None:
    """Return the literal that *node* is, below a cast; None where it is none."""
    while isinstance(node, ast.TypeCast):
        node = node.arg
    value = getattr(node, "val", None)
    if isinstance(value, ast.Integer):
        return int(value.ival)
    return str(value.sval) if isinstance(value, ast.String) else None


def _was_there(statement: StatementContext, sequence: str) -> bool:
    """Return whether production has *sequence*, as far as that is known."""
    before = statement.revision.evidence.before
    if before is None:
        # that of a column has the name of its table before its own
        tables = (f"{bare(name)}_" for name in statement.made)
        return not (
            bare(sequence).startswith(tuple(tables))
            or any(_makes(item, sequence) for item in statement.earlier)
        )
    return any(
        item.key.kind == "sequence" and same(item.key.identity, sequence)
        for item in before
    )


def _makes(statement: StatementContext, sequence: str) -> bool:
    tree = statement.tree
    is_new = isinstance(tree, ast.CreateSeqStmt)
    return is_new and same(dotted(tree.sequence), sequence)


RULE = Rule(
    id="sequence-set-back",
    number=38,
    title="a sequence gives numbers again that are taken",
    family="code",
    severity="error",
    hazard=(
        "ALTER SEQUENCE ... RESTART, ALTER COLUMN ... RESTART and setval() to a number "
        "that is in use: the next INSERT takes it, and fails with a duplicate key. "
        "setval() is not even taken back by a ROLLBACK."
    ),
    measured=(
        "The number that a sequence gives next, before and after each statement, and "
        "the largest of the columns it numbers. A literal number, which was not below "
        "what is in use here, is a note, as production may have come further; without "
        "a measurement a warning."
    ),
    remedy=(
        "Set it to what is in use when it runs: SELECT setval('s', max(id)) FROM t, "
        "where nobody inserts meanwhile; or leave the sequence alone: gaps do no harm."
    ),
    statement=check,
)
