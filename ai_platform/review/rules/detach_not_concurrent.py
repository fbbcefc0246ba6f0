"""A partition is taken off while nobody may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import enums

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    for parent, command in statement.commands(enums.AlterTableType.AT_DetachPartition):
        if not command.def_.concurrent:
            yield Hit(
                parent,
                "readers and writers of the parent wait until the commit",
                is_measured=statement.is_measured,
            )


RULE = Rule(
    id="detach-not-concurrent",
    number=25,
    title="a partition is taken off while nobody may read",
    family="lock",
    severity="warning",
    hazard=(
        "DETACH PARTITION takes ACCESS EXCLUSIVE on the parent: its readers and "
        "writers wait, and queue behind it while it waits itself."
    ),
    measured=(
        "The lock on a parent that was there before. Without a measurement: "
        "DETACH without CONCURRENTLY."
    ),
    remedy=(
        "Use DETACH PARTITION ... CONCURRENTLY, alone in a revision outside any "
        "transaction."
    ),
    statement=check,
)
