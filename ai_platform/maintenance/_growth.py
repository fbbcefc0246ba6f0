"""Create tomorrow's partitions before tomorrow comes, logged or not as wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from psycopg import Error

from ai_platform.connection import first_line
from ai_platform.names import CREATE_PARTITION
from ai_platform.settings import settings

from ._attached import Partition, partitions
from ._bounds import Bounds, gaps, label, periods
from ._conversion import conversions, convert
from ._policies import Parent, Policy, PolicyFault, now_or, resolve, wanted
from ._session import PASSING, patiently, session
from ._steps import OnStep, Step, unserved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import psycopg

__all__ = ["apply", "plan"]

# PostgreSQL cuts longer names, and two days of one table would then share theirs
_LONGEST_NAME_BYTES: Final = 63

_CREATE: Final = f"SELECT {CREATE_PARTITION}(%s::oid::regclass, %s, %s, %s, %s)"


def plan(
    conn: psycopg.Connection[Any],
    *,
    now: datetime | None = None,
    table: str | None = None,
    convert_all: bool = False,
) -> list[Step]:
    """Return what `apply` would create and convert, without doing it.

    *now* stands in for the clock of the server; *table* names one parent.

    Raises BadValue (*now*, *table*) or Refused (the database cannot be read so).
    """
    with session(conn, writes=False):
        at = now_or(conn, now)
        return [
            step
            for policy in wanted(conn, table)
            for step in _planned(conn, policy, at, convert_all=convert_all)[1]
        ]


def apply(  # noqa: PLR0913 - every one has a default
    conn: psycopg.Connection[Any],
    *,
    now: datetime | None = None,
    table: str | None = None,
    convert_all: bool = False,
    wait_s: float | None = None,
    on_step: OnStep | None = None,
) -> list[Step]:
    """Create what is missing up to each policy's horizon; return what was done.

    Empty partitions of days to come that are UNLOGGED where the policy says logged,
    or the reverse, are converted; with *convert_all* those with rows as well, which
    rewrites them while their readers and writers wait.
    Each partition is a transaction of its own. A lock that is not free is tried
    again for *wait_s* seconds (default: PLATFORM_RETRY_FOR). A table that cannot be
    served is a failed step; the others are served.

    Raises BadValue (*now*, *table*), Refused or CannotConnect (connection lost).
    """
    patience = settings().retry_for_s if wait_s is None else wait_s
    done: list[Step] = []
    with session(conn, writes=True):
        at = now_or(conn, now)
        for policy in wanted(conn, table):
            for step in _applied(conn, policy, at, patience, convert_all=convert_all):
                done.append(step)
                if on_step is not None:
                    on_step(step)
    return done


def _applied(
    conn: psycopg.Connection[Any],
    policy: Policy,
    at: datetime,
    wait_s: float,
    *,
    convert_all: bool,
) -> Iterator[Step]:
    """Yield the steps of one table; one that is locked is not tried again and again."""
    parent, steps = _planned(conn, policy, at, convert_all=convert_all)
    locked = ""
    for step in steps:
        if parent is None or step.outcome != "planned":
            yield step
        elif locked:
            yield replace(step, outcome="delayed", detail=locked)
        else:
            if step.action == "convert":
                tried = _convert(conn, parent, step, wait_s, everything=convert_all)
            else:
                tried = _create(conn, parent, step, wait_s)
            locked = tried.detail if tried.outcome == "delayed" else ""
            yield tried


def _planned(
    conn: psycopg.Connection[Any], policy: Policy, at: datetime, *, convert_all: bool
) -> tuple[Parent | None, list[Step]]:
    try:
        parent = resolve(conn, policy, at=at)
        attached = partitions(conn, parent)
        others = conversions(conn, parent, attached, at, everything=convert_all)
    except PolicyFault as fault:
        return None, [unserved(policy.parent, "failed", str(fault))]
    except PASSING as error:
        return None, [unserved(policy.parent, "delayed", first_line(error))]
    return parent, [
        *(
            _step(parent, gap, attached)
            for period in periods(policy.granularity, at, ahead=policy.precreate)
            for gap in gaps(period, [p.bounds for p in attached if not p.is_pending])
        ),
        *others,
    ]


def _step(parent: Parent, gap: Bounds, attached: list[Partition]) -> Step:
    name = f"{parent.name}_{label(gap)}"
    step = Step(
        "create",
        parent.policy.parent,
        f"{parent.policy.schema}.{name}",
        gap.lower,
        gap.upper,
        "planned",
    )
    if len(name.encode()) > _LONGEST_NAME_BYTES:
        detail = f"its name would have more than {_LONGEST_NAME_BYTES} bytes"
        return replace(step, outcome="failed", detail=detail)
    for one in attached:
        if one.is_pending and gaps(gap, [one.bounds]) != [gap]:
            detail = f"{one.shown} is half detached: run `platform partitions prune`"
            return replace(step, outcome="delayed", detail=detail)
    return step


def _convert(
    conn: psycopg.Connection[Any],
    parent: Parent,
    step: Step,
    wait_s: float,
    *,
    everything: bool,
) -> Step:
    for one in partitions(conn, parent):
        if one.shown == step.partition and not one.is_pending:
            return convert(
                conn, parent, one, step, wait_s=wait_s, everything=everything
            )
    return replace(step, outcome="present", detail="it is no partition any more")


def _create(
    conn: psycopg.Connection[Any], parent: Parent, step: Step, wait_s: float
) -> Step:
    policy = parent.policy
    arguments = [parent.oid, step.lower, step.upper, policy.is_unlogged, policy.schema]
    try:
        row = patiently(
            lambda: conn.execute(_CREATE, arguments).fetchone(), for_s=wait_s
        )
    except PASSING as error:
        return replace(step, outcome="delayed", detail=first_line(error))
    except Error as error:
        if conn.closed:
            raise
        return replace(step, outcome="failed", detail=first_line(error))
    if row and row[0] is not None:
        return replace(step, outcome="done", partition=row[0])
    return _not_made(conn, parent, step)


def _not_made(conn: psycopg.Connection[Any], parent: Parent, step: Step) -> Step:
    """Tell whether another session was quicker or the gap is still open."""
    for one in partitions(conn, parent):
        bounds = one.bounds
        if step.lower and bounds.lower <= step.lower < bounds.upper:
            return replace(step, outcome="present", partition=one.shown)
    detail = f"{CREATE_PARTITION} made nothing: is the name taken?"
    return replace(step, outcome="failed", detail=detail)
