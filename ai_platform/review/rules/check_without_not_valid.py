"""A CHECK is proven while nobody may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast, enums

from ._rule import Hit, Rule
from ._tree import constraints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    if statement.shows_cost and (
        statement.is_rewritten() or not statement.rows_scanned()
    ):
        return
    for table, item in _checks(statement):
        severity = statement.weigh(table, "error")
        if severity:
            told = statement.cost() if statement.shows_cost else "the table is read"
            yield Hit(
                table,
                f"{told} to prove {item.conname or 'the condition'}",
                is_measured=statement.shows_cost,
                severity=severity,
            )


def _checks(statement: StatementContext) -> Iterator[tuple[str, ast.Constraint]]:
    check_ = enums.ConstrType.CONSTR_CHECK
    for table, item in statement.constraints_added(check_):
        if not item.skip_validation:
            yield table, item
    for table, column in statement.columns_added():
        for item in constraints(column, check_):
            yield table, item


RULE = Rule(
    id="check-without-not-valid",
    number=12,
    title="a CHECK is proven while nobody may read",
    family="lock",
    severity="error",
    hazard=("ADD CONSTRAINT ... CHECK reads the whole table under ACCESS EXCLUSIVE."),
    measured=(
        "The rows read of a table that was there before. Without a measurement: CHECK "
        "without NOT VALID."
    ),
    remedy=(
        "Add it NOT VALID, and VALIDATE CONSTRAINT in the next revision: that reads "
        "the table under SHARE UPDATE EXCLUSIVE, which blocks neither reads nor "
        "writes."
    ),
    statement=check,
)
