"""An EXCLUDE constraint is built while nobody may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import enums

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    if statement.shows_cost and not statement.rows_scanned():
        return
    for table, item in statement.constraints_added(enums.ConstrType.CONSTR_EXCLUSION):
        severity = statement.weigh(table, "error")
        if severity:
            told = statement.cost() if statement.shows_cost else "the table is read"
            yield Hit(
                table,
                f"{told} to build {item.conname or 'the constraint'}",
                is_measured=statement.shows_cost,
                severity=severity,
            )


RULE = Rule(
    id="exclusion-constraint",
    number=17,
    title="an EXCLUDE constraint is built while nobody may read",
    family="lock",
    severity="error",
    hazard=(
        "ADD CONSTRAINT ... EXCLUDE builds its index under ACCESS EXCLUSIVE, and "
        "PostgreSQL has no concurrent way."
    ),
    measured=(
        "The rows read of a table that was there before. Without a measurement: "
        "EXCLUDE on an existing table."
    ),
    remedy=(
        "Make a new table with the constraint, keep it current with a trigger, "
        "copy in batches and exchange the two; or plan a time without traffic."
    ),
    statement=check,
)
