"""A primary key is put over a column that may be empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import enums

from ._rule import Hit, Rule
from ._tree import same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    for table, item in statement.constraints_added(enums.ConstrType.CONSTR_PRIMARY):
        if not item.indexname:
            continue
        if statement.shows_cost:
            costs = statement.rows_scanned() > 0
        else:
            costs = _has_nullable(statement, table, item.indexname)
        severity = statement.weigh(table, "error")
        if costs and severity:
            told = statement.cost() if statement.shows_cost else "the table is read"
            yield Hit(
                table,
                f"{told} to prove that no key is empty",
                is_measured=statement.shows_cost,
                severity=severity,
            )


def _has_nullable(statement: StatementContext, table: str, index: str) -> bool:
    before = statement.revision.before
    keys = [
        item
        for entry in statement.revision.evidence.before or ()
        if entry.key.kind == "index" and same(entry.key.identity, index)
        for item in entry.properties.get("keys") or ()
    ]
    columns = [before("column", f"{table}.{key.split()[0]}") for key in keys]
    return any(column is not None and not column.get("not null") for column in columns)


RULE = Rule(
    id="primary-key-over-nullable",
    number=16,
    title="a primary key is put over a column that may be empty",
    family="lock",
    severity="error",
    hazard=(
        "ADD PRIMARY KEY USING INDEX sets its columns NOT NULL, and reads the "
        "whole table under ACCESS EXCLUSIVE to prove it."
    ),
    measured=(
        "The rows read of a table that was there before. Without a measurement: "
        "columns of the index that the catalog shows without NOT NULL."
    ),
    remedy=(
        "Set the columns NOT NULL first, without a scan: NOT NULL ... NOT VALID "
        "and VALIDATE on PostgreSQL 18, a validated CHECK before."
    ),
    statement=check,
)
