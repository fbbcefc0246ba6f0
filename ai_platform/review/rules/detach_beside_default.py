"""A default partition forbids DETACH CONCURRENTLY."""

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
    for parent, command in statement.commands(enums.AlterTableType.AT_DetachPartition):
        if not command.def_.concurrent:
            continue
        refused = "default partition" in (statement.facts.error or "")
        if refused or (not statement.is_measured and _has_default(statement, parent)):
            yield Hit(
                parent,
                "has a default partition: the statement is refused",
                is_measured=refused,
            )


def _has_default(statement: StatementContext, parent: str) -> bool:
    return any(
        item.properties.get("partition bound") == "DEFAULT"
        and any(same(name, parent) for name in item.properties.get("inherits") or ())
        for item in statement.revision.evidence.before or ()
        if item.key.kind == "table"
    )


RULE = Rule(
    id="detach-beside-default",
    number=25,
    title="a default partition forbids DETACH CONCURRENTLY",
    family="repeat",
    severity="error",
    hazard=(
        "PostgreSQL refuses DETACH ... CONCURRENTLY where the parent has a "
        "default partition: the upgrade fails."
    ),
    measured=(
        "The server's refusal. Without a measurement: a default partition in the "
        "catalog."
    ),
    remedy=(
        "Detach the default partition first, in a moment without traffic, or live "
        "without one."
    ),
    statement=check,
)
