"""A table is read or written anew while others wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    for table, mode in sorted(statement.locked(passing=True).items()):
        costs = statement.is_rewritten(table) or statement.rows_scanned(table)
        severity = statement.weigh(table, "error")
        # EXCLUSIVE is what a concurrent refresh holds: readers go on
        if costs and severity and mode != "X":
            yield Hit(table, statement.cost(), is_measured=True, severity=severity)


RULE = Rule(
    id="table-busy",
    number=31,
    title="a table is read or written anew while others wait",
    family="lock",
    severity="error",
    hazard=(
        "Whatever the statement, and be it dynamic SQL in a DO block: what reads "
        "or copies a whole table under a lock that blocks reads or writes keeps "
        "everybody waiting for as long as the table is large."
    ),
    measured=(
        "Rows read, or a new file, of a table that was there before under such a "
        "lock, where no other rule names the cause. Nothing without a "
        "measurement."
    ),
    remedy=(
        "See in the statement's facts what is done to which table; do it in "
        "batches, concurrently, or in a time without traffic."
    ),
    statement=check,
    is_residual=True,
)
