"""Whether the nightly runs do their work, told before a writer or a disk tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from psycopg import errors

from ai_platform.connection import first_line
from ai_platform.names import DAILY_STATS, METRICS

from ._attached import partitions
from ._policies import PolicyFault, now_or, resolve, switched_off, wanted
from ._session import PASSING, session
from ._status import status
from .standby import is_standby

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

    from ._policies import Policy
    from ._status import ParentStatus

__all__ = ["Finding", "findings"]

OVERDUE: Final = timedelta(days=2)
"""For how long a run may have been missed before that is a finding."""

# a day that has samples and ended that long ago, but is in no archive
_NOT_ARCHIVED: Final = f"""
    SELECT min(m.time)::date FROM {METRICS} m
     WHERE m.time < date_trunc('day', %(limit)s AT TIME ZONE 'UTC')
       AND m.time >= COALESCE((SELECT max(a.day) + interval '1 day'
                                 FROM {DAILY_STATS}_archive a), '-infinity')
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; *detail* says what, and what helps."""

    subject: str
    is_well: bool
    detail: str


def findings(
    conn: psycopg.Connection[Any], *, now: datetime | None = None
) -> list[Finding]:
    """Look at horizon, removal, durability and statistics; change nothing.

    Raises BadValue (*now* without a zone) or Refused (the database cannot be read so).
    """
    found = []
    with session(conn, writes=False):
        at = now_or(conn, now)
        policies = wanted(conn, None)
        overdue = {policy.parent: _overdue(conn, policy, at) for policy in policies}
        idle = switched_off(conn)
    for one in status(conn, now=at):
        problems = [*one.problems, *overdue[one.parent], *_not_durable(one, at)]
        detail = "; ".join(problems) or f"covered until {one.covered_until:%Y-%m-%d}"
        found.append(Finding(one.parent, is_well=not problems, detail=detail))
    # somebody has said so: no alarm, but nobody should wonder either
    told = "not looked at: its policy is switched off"
    found += [Finding(policy.parent, is_well=True, detail=told) for policy in idle]
    with session(conn, writes=False):
        found.append(_statistics(conn, at))
    return found


def _overdue(conn: psycopg.Connection[Any], policy: Policy, at: datetime) -> list[str]:
    """Say that expired partitions were not removed for days."""
    try:
        parent = resolve(conn, policy, at=at)
        attached = partitions(conn, parent)
    except (PolicyFault, *PASSING):
        return []  # status says so
    if parent.cutoff is None:
        return []
    limit = parent.cutoff - OVERDUE if parent.cutoff.year > 1 else parent.cutoff
    late = sum(one.bounds.upper <= limit for one in attached)
    if not late:
        return []
    return [f"{late} expired for {OVERDUE.days} days and more: prune removes them"]


def _not_durable(one: ParentStatus, at: datetime) -> list[str]:
    """Say that rows are still written where a crash would take them."""
    named = set(one.persistence_differs)
    coming = [
        each
        for each in one.each
        if each.name in named
        and each.is_unlogged
        and (each.upper is None or each.upper > at)
    ]
    if not coming:
        return []
    cure = "apply --convert-all rewrites it"
    return [f"{coming[0].name} is UNLOGGED where durable is asked for: {cure}"]


def _statistics(conn: psycopg.Connection[Any], at: datetime) -> Finding:
    subject = f"{DAILY_STATS}_archive"
    try:
        row = conn.execute(_NOT_ARCHIVED, {"limit": at - timedelta(days=1)}).fetchone()
    except (
        errors.InsufficientPrivilege,
        errors.FeatureNotSupported,
        *PASSING,
    ) as error:
        if isinstance(error, errors.FeatureNotSupported) and not is_standby(conn):
            raise
        return Finding(
            subject, is_well=True, detail=f"not looked at: {first_line(error)}"
        )
    if row is None or row[0] is None:
        return Finding(subject, is_well=True, detail="finished days are archived")
    detail = f"days from {row[0]} on are not archived: maintenance run archives them"
    return Finding(subject, is_well=False, detail=detail)
