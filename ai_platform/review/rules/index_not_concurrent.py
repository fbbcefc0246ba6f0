"""An index is built while nobody may write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast

from ._partitions import remedy_for
from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_PLAIN: Final = (
    "Build it with CREATE INDEX CONCURRENTLY, alone in a revision outside any "
    "transaction."
)
_BY_PARTITION: Final = (
    "PostgreSQL has no CREATE INDEX CONCURRENTLY for a partitioned table. CREATE INDEX "
    "... ON ONLY the parent; CREATE INDEX CONCURRENTLY on each partition, alone in a "
    "revision outside any transaction; then ALTER INDEX ... ATTACH PARTITION for each. "
    "The parent's index is valid after the last."
)


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    if not isinstance(tree, ast.IndexStmt) or tree.concurrent:
        return
    table = statement.name(tree.relation)
    if not statement.exists(table):
        return
    sees = statement.shows_cost
    costs = statement.rows_scanned() > 0 if sees else bool(tree.relation.inh)
    severity = statement.weigh(table, "error")
    if costs and severity:
        told = statement.cost() if sees else "the table is read"
        yield Hit(
            table,
            f"{told} to build the index; writes wait until the commit",
            is_measured=sees,
            severity=severity,
            remedy=remedy_for(statement, table, _PLAIN, _BY_PARTITION),
        )


RULE = Rule(
    id="index-not-concurrent",
    number=1,
    title="an index is built while nobody may write",
    family="lock",
    severity="error",
    hazard=(
        "CREATE INDEX holds SHARE on the table until the commit: every write "
        "waits for as long as the build reads the table."
    ),
    measured=(
        "The lock on a table that was there before, and the rows read under it. "
        "Without a measurement: CREATE INDEX without CONCURRENTLY and without ON "
        "ONLY."
    ),
    remedy=f"{_PLAIN} Partitioned: {_BY_PARTITION}",
    statement=check,
)
