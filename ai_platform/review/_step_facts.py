"""What is said of one step of the stair, from what was measured of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ._recorded import is_of_alembic
from ._repeat import is_repeatable
from ._run import unmeasured
from .facts import RevisionFacts
from .statements import stops

if TYPE_CHECKING:
    from ai_platform.catalog import Snapshot

    from ._plan import Plan
    from .facts import Change, StatementFacts

__all__ = [
    "bare",
    "each_once",
    "of_project",
    "ran_on",
    "repeatable",
    "whole",
]


def each_once(*changes: Change) -> tuple[Change, ...]:
    """Return *changes* without those that an earlier one tells already."""
    found: dict[tuple[str, str, str], Change] = {}
    for one in changes:
        found.setdefault((one.kind, one.identity, one.property), one)
    return tuple(found.values())


def ran_on(facts: RevisionFacts, failed: RevisionFacts) -> bool:
    """Return whether it ran with rows wherever there were some when it *failed*."""
    needed = {item.relation for item in failed.filled if item.rows}
    there = {item.relation for item in facts.filled if item.rows}
    return facts.error is None and needed <= there


def whole(plan: Plan, is_reversible: bool) -> bool | None:  # noqa: FBT001 - a fact
    """Return *is_reversible*, unless it was only tried in part."""
    return None if is_reversible and is_beyond(plan) else is_reversible


def repeatable(plan: Plan, after: Snapshot, repeated: Snapshot | None) -> bool | None:
    if plan.source.offline_error is not None:
        return None
    if not stops(plan.up):
        return True
    return None if is_beyond(plan) else is_repeatable(after, repeated)


def is_beyond(plan: Plan) -> bool:
    """Return whether something of *plan* was left out: nobody knows its way back."""
    return any(item.is_beyond for item in (*plan.up, *(plan.down or ())))


def of_project(facts: StatementFacts, version_table: str) -> StatementFacts:
    """Return *facts* without what Alembic does in its own table."""

    def is_own(relation: str) -> bool:
        return not is_of_alembic(relation, version_table)

    return replace(
        facts,
        locks=tuple(item for item in facts.locks if is_own(item.relation)),
        scanned=tuple(item for item in facts.scanned if is_own(item.relation)),
        inserted=tuple(item for item in facts.inserted if is_own(item.relation)),
        updated=tuple(item for item in facts.updated if is_own(item.relation)),
        deleted=tuple(item for item in facts.deleted if is_own(item.relation)),
    )


def bare(plan: Plan, error: str | None) -> RevisionFacts:
    """Return the facts of a revision of which nothing was measured."""
    source = plan.source
    return RevisionFacts(
        revision=source.revision,
        down_revision=source.down_revision,
        title=source.title,
        file=source.file,
        up=tuple(unmeasured(item, error) for item in plan.up),
        error=error,
    )
