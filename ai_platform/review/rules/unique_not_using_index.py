"""A unique index is built while nobody may read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._partitions import remedy_for
from ._rule import Hit, Rule
from ._tree import constraints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_PLAIN: Final = (
    "Build the index with CREATE UNIQUE INDEX CONCURRENTLY, alone in a revision "
    "outside any transaction, then ADD CONSTRAINT ... USING INDEX; a new column is "
    "added without the constraint first. For a primary key its columns must be NOT "
    "NULL before."
)
_BY_PARTITION: Final = (
    "A partitioned table knows no USING INDEX. CREATE UNIQUE INDEX CONCURRENTLY on "
    "each partition, alone in a revision outside any transaction; then ALTER TABLE "
    "ONLY the parent ADD CONSTRAINT, ADD CONSTRAINT ... USING INDEX on each "
    "partition, and ALTER INDEX ... ATTACH PARTITION for each: the constraint holds "
    "after the last."
)


def check(statement: StatementContext) -> Iterator[Hit]:
    if statement.shows_cost and not statement.rows_scanned():
        return
    for table, item in _keys(statement):
        severity = statement.weigh(table, "error")
        if severity:
            told = statement.cost() if statement.shows_cost else "the table is read"
            yield Hit(
                table,
                f"{told} to build the index of {item.conname or 'the constraint'}",
                is_measured=statement.shows_cost,
                severity=severity,
                remedy=remedy_for(statement, table, _PLAIN, _BY_PARTITION),
            )


def _keys(statement: StatementContext) -> Iterator[tuple[str, ast.Constraint]]:
    kinds = (enums.ConstrType.CONSTR_UNIQUE, enums.ConstrType.CONSTR_PRIMARY)
    for table, item in statement.constraints_added(*kinds):
        if not item.indexname:
            yield table, item
    for table, column in statement.columns_added():
        for kind in kinds:
            for item in constraints(column, kind):
                yield table, item


RULE = Rule(
    id="unique-not-using-index",
    number=15,
    title="a unique index is built while nobody may read",
    family="lock",
    severity="error",
    hazard=(
        "ADD CONSTRAINT ... UNIQUE or PRIMARY KEY builds its index under ACCESS "
        "EXCLUSIVE."
    ),
    measured=(
        "The rows read of a table that was there before. Without a measurement: "
        "UNIQUE or PRIMARY KEY without USING INDEX."
    ),
    remedy=f"{_PLAIN} Partitioned: {_BY_PARTITION}",
    statement=check,
)
