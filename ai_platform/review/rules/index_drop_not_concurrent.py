"""An index is dropped while nobody may read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._partitions import is_partitioned
from ._rule import Hit, Rule
from ._tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_PLAIN: Final = (
    "Use DROP INDEX CONCURRENTLY IF EXISTS, one statement for each index, in a "
    "revision outside any transaction."
)
_AS_A_WHOLE: Final = (
    "PostgreSQL drops the index of a partitioned table only as a whole, and not "
    "CONCURRENTLY: give DROP INDEX a short revision of its own with a lock_timeout, "
    "and try again when it ends the wait."
)


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    if (
        not isinstance(tree, ast.DropStmt)
        or tree.removeType != enums.ObjectType.OBJECT_INDEX
        or tree.concurrent
    ):
        return
    names = [name for name in map(dotted, tree.objects) if statement.exists(name)]
    tables = sorted(statement.locked() or _indexed(statement, names))
    if not names or (statement.is_measured and not tables):
        return
    whole = any(is_partitioned(statement, table) for table in tables)
    where = f" on {', '.join(tables)}" if tables else ""
    yield Hit(
        names[0],
        f"ACCESS EXCLUSIVE{where} until the commit: reads and writes wait",
        is_measured=statement.is_measured,
        severity="note" if whole else None,
        remedy=_AS_A_WHOLE if whole else _PLAIN if tables else None,
    )


def _indexed(statement: StatementContext, names: list[str]) -> set[str]:
    """Return the tables whose indexes the catalog shows under *names*."""
    known = (statement.revision.before("index", name) for name in names)
    return {str(index["table"]) for index in known if index}


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
    remedy=f"{_PLAIN} Partitioned, a note only: {_AS_A_WHOLE}",
    statement=check,
)
