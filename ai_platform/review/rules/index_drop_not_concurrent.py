"""An index is dropped while nobody may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast, enums

from ._rule import Hit, Rule
from ._tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    if (
        not isinstance(tree, ast.DropStmt)
        or tree.removeType != enums.ObjectType.OBJECT_INDEX
        or tree.concurrent
    ):
        return
    names = [name for name in map(dotted, tree.objects) if statement.exists(name)]
    tables = sorted(statement.locked())
    if names and (tables or not statement.is_measured):
        where = f" on {', '.join(tables)}" if tables else ""
        yield Hit(
            names[0],
            f"ACCESS EXCLUSIVE{where} until the commit: reads and writes wait",
            is_measured=statement.is_measured,
        )


RULE = Rule(
    id="index-drop-not-concurrent",
    number=5,
    title="an index is dropped while nobody may read",
    family="lock",
    severity="warning",
    hazard=(
        "DROP INDEX takes ACCESS EXCLUSIVE on the table until the commit: reads "
        "and writes wait, and queue behind it while it waits itself."
    ),
    measured=(
        "The lock on a table that was there before. Without a measurement: DROP "
        "INDEX without CONCURRENTLY."
    ),
    remedy=(
        "Use DROP INDEX CONCURRENTLY IF EXISTS, alone in a revision outside any "
        "transaction."
    ),
    statement=check,
)
