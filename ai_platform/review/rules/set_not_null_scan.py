"""NOT NULL is proven while nobody may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import enums

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    if statement.shows_cost and (
        statement.is_rewritten() or not statement.rows_scanned()
    ):
        return
    for table, column in _columns(statement):
        severity = statement.weigh(table, "error")
        if severity and (statement.shows_cost or not _is_proven(statement, column)):
            told = statement.cost() if statement.shows_cost else "the table is read"
            yield Hit(
                f"{table}.{column}",
                f"{told} to prove that no row is empty",
                is_measured=statement.shows_cost,
                severity=severity,
            )


def _columns(statement: StatementContext) -> Iterator[tuple[str, str]]:
    for table, command in statement.commands(enums.AlterTableType.AT_SetNotNull):
        yield table, command.name
    for table, item in statement.constraints_added(enums.ConstrType.CONSTR_NOTNULL):
        if not item.skip_validation:
            yield table, item.keys[0].sval


def _is_proven(statement: StatementContext, column: str) -> bool:
    """Return whether a valid CHECK says that *column* is never empty."""
    return any(
        not item.properties.get("not valid")
        and f"({column} IS NOT NULL)" in str(item.properties.get("definition"))
        for item in statement.revision.evidence.before or ()
        if item.key.kind == "constraint"
    )


RULE = Rule(
    id="set-not-null-scan",
    number=11,
    title="NOT NULL is proven while nobody may read",
    family="lock",
    severity="error",
    hazard=(
        "SET NOT NULL reads the whole table under ACCESS EXCLUSIVE to prove that no "
        "row is empty, unless a valid CHECK says so already."
    ),
    measured=(
        "The rows read of a table that was there before. Without a measurement: SET "
        "NOT NULL without a CHECK (... IS NOT NULL) in the catalog."
    ),
    remedy=(
        "From PostgreSQL 18 on: ADD CONSTRAINT ... NOT NULL ... NOT VALID, and "
        "VALIDATE CONSTRAINT in the next revision, which reads under SHARE UPDATE "
        "EXCLUSIVE. Before 18: ADD CONSTRAINT ... CHECK (... IS NOT NULL) NOT VALID, "
        "VALIDATE it in the next revision, then SET NOT NULL, which reads nothing, and "
        "drop the CHECK."
    ),
    statement=check,
)
