"""A table is read while it becomes a partition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import enums

from ._rule import Hit, Rule
from ._tree import same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_ATTACH: Final = enums.AlterTableType.AT_AttachPartition


def check(statement: StatementContext) -> Iterator[Hit]:
    for parent, command in statement.commands(_ATTACH):
        candidate = statement.name(command.def_.name)
        if statement.shows_cost:
            yield from _seen(statement, candidate)
        elif statement.exists(candidate) and not _has_check(statement, candidate):
            yield Hit(candidate, f"is read before it becomes part of {parent}")


def _seen(statement: StatementContext, candidate: str) -> Iterator[Hit]:
    total = statement.rows_scanned()
    others = total - statement.rows_scanned(candidate)
    severity = statement.weigh(candidate, "error" if others else "warning")
    if total and severity:
        who = "readers of the parent wait" if others else "its own readers wait"
        yield Hit(
            candidate,
            f"{statement.cost()}; {who}",
            is_measured=True,
            severity=severity,
        )


def _has_check(statement: StatementContext, table: str) -> bool:
    return any(
        str(item.properties.get("definition")).startswith("CHECK")
        for item in statement.revision.evidence.before or ()
        if item.key.kind == "constraint"
        and item.parent is not None
        and same(item.parent.removeprefix("table "), table)
    )


RULE = Rule(
    id="attach-scan",
    number=24,
    title="a table is read while it becomes a partition",
    family="lock",
    severity="warning",
    hazard=(
        "ATTACH PARTITION reads the new partition under ACCESS EXCLUSIVE unless a "
        "CHECK says its bounds, and the default partition as well: then readers "
        "of the parent wait."
    ),
    measured=(
        "The rows read of tables that were there before. Without a measurement: a "
        "table that the revision did not make, without a CHECK in the catalog."
    ),
    remedy=(
        "Give the table a CHECK with the bounds first, NOT VALID and then "
        "validated; have no default partition, or give it a CHECK that excludes "
        "the bounds."
    ),
    statement=check,
)
