"""A partition is taken off while nobody may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import enums

from ._partitions import parents_left, partitioned_parents
from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    parents = partitioned_parents(statement) | parents_left(statement)
    for parent, command in statement.commands(enums.AlterTableType.AT_DetachPartition):
        if not command.def_.concurrent:
            parents.add(parent)
    for parent in sorted(parents):
        yield Hit(
            parent,
            "ACCESS EXCLUSIVE on it until the commit: its reads and writes wait",
            is_measured=statement.is_measured,
        )


RULE = Rule(
    id="detach-not-concurrent",
    number=25,
    title="a partition is taken off while nobody may read",
    family="lock",
    severity="warning",
    hazard=(
        "DETACH PARTITION, and DROP TABLE of a partition, take ACCESS EXCLUSIVE on the "
        "parent: its readers and writers wait, and queue behind it while it waits."
    ),
    measured=(
        "The lock on a parent that was there before, also where a DO block, a function "
        "or Python took a partition off. Without a measurement: DETACH "
        "without CONCURRENTLY, DROP TABLE of what the catalog shows as a partition."
    ),
    remedy=(
        "Use DETACH PARTITION ... CONCURRENTLY, alone in a revision outside any "
        "transaction: it takes SHARE UPDATE EXCLUSIVE on the parent, which blocks "
        "neither reads nor writes. Drop the table in the next revision. Beside a "
        "default partition PostgreSQL refuses it: then DETACH in a short revision with "
        "a lock_timeout, and try again when it ends the wait."
    ),
    statement=check,
)
