"""How far the partitions reach, and what stands in their way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from psycopg import errors

from ai_platform.connection import first_line

from . import _policies
from ._attached import Partition, leftovers, partitions
from ._bounds import BEGINNING, END, Bounds, covered_until, gaps, periods
from ._contents import contents, exact_rows
from ._policies import Policy, PolicyFault, now_or, resolve, wanted
from ._session import PASSING, limit_waits, session

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

__all__ = ["ParentStatus", "PartitionStatus", "status", "switched_off"]

_SIZE: Final = """
    SELECT COALESCE(sum(pg_total_relation_size(inhrelid)), 0)::bigint
      FROM pg_inherits WHERE inhparent = %s
"""
_SIZE_OF_ONE: Final = "SELECT pg_total_relation_size(%s)"
# the size of a table that is just being dropped waits for that
_SIZE_WAIT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """One partition; bounds are UTC, None has no end; *rows* when they were counted."""

    name: str
    lower: datetime | None
    upper: datetime | None
    is_unlogged: bool
    is_pending: bool
    is_expired: bool
    size_bytes: int | None
    estimated_rows: int | None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class ParentStatus:
    """The partitions of one table; times are UTC, sizes bytes.

    *covered_until*: every row from now to then finds a partition; None: not even one
    of now. *wanted_until*: where `apply` would bring it. *persistence_differs*:
    partitions that are UNLOGGED where the policy says logged, or the reverse.
    *oldest_row* and *newest_row* are read where an index makes that cheap, or with the
    exact number *rows*; *remarks* say why they are not known.
    *problems* is empty when nothing needs attention.
    """

    parent: str
    granularity: str
    covered_until: datetime | None = None
    wanted_until: datetime | None = None
    partitions: int = 0
    size_bytes: int | None = None
    estimated_rows: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    expired: int = 0
    gaps: list[Bounds] = field(default_factory=list)
    half_detached: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    persistence_differs: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    rows: int | None = None
    oldest_row: datetime | None = None
    newest_row: datetime | None = None
    remarks: list[str] = field(default_factory=list)
    each: list[PartitionStatus] = field(default_factory=list)


def status(
    conn: psycopg.Connection[Any],
    *,
    now: datetime | None = None,
    table: str | None = None,
    count: bool = False,
) -> list[ParentStatus]:
    """Return where the partitions of each policy stand; changes nothing.

    With *count* the rows are counted, which reads all of them.

    The newest period may be missing without a problem: the daily run makes it.

    Raises BadValue (*now*, *table*) or Refused (the database cannot be read so).
    """
    with session(conn, writes=False):
        at = now_or(conn, now)
        return [_status(conn, policy, at, count) for policy in wanted(conn, table)]


def switched_off(conn: psycopg.Connection[Any]) -> list[str]:
    """Return the tables whose policy is switched off.

    Raises Refused where the database cannot be read so.
    """
    with session(conn, writes=False):
        return [policy.parent for policy in _policies.switched_off(conn)]


def _status(
    conn: psycopg.Connection[Any],
    policy: Policy,
    at: datetime,
    count: bool,  # noqa: FBT001 - private
) -> ParentStatus:
    try:
        parent = resolve(conn, policy, at=at)
        everything = partitions(conn, parent)
    except PolicyFault as fault:
        return ParentStatus(policy.parent, policy.granularity, problems=[str(fault)])
    except PASSING as error:
        problem = f"cannot be looked at now: {first_line(error)}"
        return ParentStatus(policy.parent, policy.granularity, problems=[problem])
    attached = [one for one in everything if not one.is_pending]
    taken = [one.bounds for one in attached]
    pending = [one.shown for one in everything if one.is_pending]
    detached = [one.shown for one in leftovers(conn, parent)]
    horizon = periods(policy.granularity, at, ahead=policy.precreate)[-1]
    reached = covered_until(at, taken)
    limit_waits(conn, _SIZE_WAIT_S)
    rows = contents(conn, parent, count=count)
    return ParentStatus(
        parent=policy.parent,
        granularity=policy.granularity,
        covered_until=reached,
        wanted_until=horizon.upper,
        partitions=len(everything),
        size_bytes=_size(conn, _SIZE, parent.oid),
        estimated_rows=sum(max(0, one.estimated_rows) for one in everything),
        oldest=taken[0].lower if taken else None,
        newest=max((one.upper for one in taken), default=None),
        expired=_expired(attached, parent.cutoff),
        gaps=_gaps(taken),
        half_detached=pending,
        leftovers=detached,
        persistence_differs=[
            one.shown for one in attached if one.is_unlogged != policy.is_unlogged
        ],
        problems=[
            *_horizon_problem(reached, horizon),
            *(f"{name} is half detached: prune finishes it" for name in pending),
            *(f"{name} is detached, not dropped: prune drops it" for name in detached),
        ],
        rows=rows.rows,
        oldest_row=rows.oldest,
        newest_row=rows.newest,
        remarks=[rows.remark] if rows.remark else [],
        each=[_each(conn, one, parent.cutoff, count) for one in everything],
    )


def _each(
    conn: psycopg.Connection[Any],
    one: Partition,
    cutoff: datetime | None,
    count: bool,  # noqa: FBT001 - private
) -> PartitionStatus:
    return PartitionStatus(
        name=one.shown,
        lower=one.lower,
        upper=one.upper,
        is_unlogged=one.is_unlogged,
        is_pending=one.is_pending,
        is_expired=_expired([one], cutoff) > 0,
        size_bytes=_size(conn, _SIZE_OF_ONE, one.oid),
        # -1: never vacuumed nor analyzed
        estimated_rows=one.estimated_rows if one.estimated_rows >= 0 else None,
        rows=exact_rows(conn, one.identifier) if count else None,
    )


def _horizon_problem(reached: datetime | None, horizon: Bounds) -> list[str]:
    if reached is None:
        return ["no partition for rows of now: apply makes it"]
    if reached < horizon.lower:
        return [f"covered until {reached:%Y-%m-%d %H:%M} only: apply extends it"]
    return []


def _expired(attached: list[Partition], cutoff: datetime | None) -> int:
    return sum(cutoff is not None and one.bounds.upper <= cutoff for one in attached)


def _gaps(taken: list[Bounds]) -> list[Bounds]:
    """Return the holes between the oldest and the newest partition."""
    edges = [edge for one in taken for edge in (one.lower, one.upper)]
    finite = [edge for edge in edges if edge not in (BEGINNING, END)]
    if not finite:
        return []
    return gaps(Bounds(min(finite), max(finite)), taken)


def _size(conn: psycopg.Connection[Any], query: str, oid: int) -> int | None:
    limit_waits(conn, _SIZE_WAIT_S)
    try:
        row = conn.execute(query.encode(), [oid]).fetchone()
    except errors.LockNotAvailable:
        return None
    return row[0] if row else None
