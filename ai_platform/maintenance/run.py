"""The nightly run: everything that keeps the database usable, in one order.

    with partitions.opened(target) as conn:
        works = run.run(conn)

Each work stands alone: the trouble of one is told and the next one begins.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from psycopg import Error

from ai_platform.connection import first_line
from ai_platform.errors import BadValue, CannotConnect, PlatformError
from ai_platform.settings import settings

from . import _analysis, _expiry, daily_statistics, partitions
from ._policies import now_or
from ._session import session
from ._steps import NEEDS_ATTENTION, Outcome, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import psycopg

__all__ = ["WORKS", "Options", "Work", "WorkName", "chosen", "run"]

WorkName = Literal["detaches", "partitions", "statistics", "prune", "analyze", "expiry"]
WORKS: Final[tuple[WorkName, ...]] = get_args(WorkName)
"""What a run does, in this order."""

_LOCK: Final = "SELECT pg_{}(hashtextextended('platform maintenance run', 0))"


@dataclass(frozen=True, slots=True)
class Work:
    """What became of one part of a run; *outcome* as of a Step, *seconds* it took."""

    work: WorkName
    outcome: Outcome
    detail: str
    seconds: float = 0.0
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is done; see `partitions.prune` for *wait_s* and *archive*."""

    works: tuple[WorkName, ...] = WORKS
    dry_run: bool = False
    wait_s: float | None = None
    archive: Path | None = None


Tell = Callable[[str], None]


def chosen(only: Iterable[str] = (), skip: Iterable[str] = ()) -> tuple[WorkName, ...]:
    """Return the works named by *only* (none: all) without those of *skip*.

    Raises BadValue for a name that is none, and when nothing is left.
    """
    only, skip = set(only), set(skip)
    for name in sorted(only | skip):
        if name not in WORKS:
            raise BadValue(
                f"no such part of a run: got {name!r}",
                hint=f"one of {', '.join(WORKS)}",
            )
    works = tuple(w for w in WORKS if (not only or w in only) and w not in skip)
    if not works:
        raise BadValue("nothing is left to do", hint="skip less")
    return works


def run(
    conn: psycopg.Connection[Any],
    options: Options | None = None,
    *,
    on_work: Callable[[Work], None] | None = None,
    tell: Tell | None = None,
) -> list[Work]:
    """Do the works of *options* (default: all); return what became of each.

    While another run works on this database nothing is done, and the one work that
    is returned says so (*busy*). *tell* hears what is going on.

    Raises Refused (standby, rights) or CannotConnect (connection lost).
    """
    asked = options or Options()
    done: list[Work] = []
    with _alone(conn, asked) as alone:
        if not alone:
            return [Work(asked.works[0], "busy", "another run works on this database")]
        for name in asked.works:
            if tell:
                tell(name)
            work = _tried(conn, name, asked, tell)
            done.append(work)
            if on_work is not None:
                on_work(work)
    return done


@contextmanager
def _alone(conn: psycopg.Connection[Any], asked: Options) -> Iterator[bool]:
    """Hold the lock of the run; a dry run, which changes nothing, needs none."""
    with session(conn, writes=not asked.dry_run):
        pass  # refused here, once, is better than by each work
    if asked.dry_run:
        yield True
        return
    statement = _LOCK.format("try_advisory_lock")
    row = conn.execute(statement.encode()).fetchone()
    alone = bool(row and row[0])
    try:
        yield alone
    finally:
        if alone and not conn.closed:
            conn.execute(_LOCK.format("advisory_unlock").encode())


def _tried(
    conn: psycopg.Connection[Any], name: WorkName, asked: Options, tell: Tell | None
) -> Work:
    began = monotonic()
    try:
        outcome, detail, steps = _DO[name](conn, asked, tell)
    except CannotConnect:
        raise
    except daily_statistics.Busy as error:
        outcome, detail, steps = "delayed", error.message, []
    except PlatformError as error:
        outcome, detail, steps = "failed", error.message, []
    except Error as error:
        if conn.closed:
            raise
        outcome, detail, steps = "failed", first_line(error), []
    return Work(name, outcome, detail, round(monotonic() - began, 3), steps)


_Result = tuple[Outcome, str, list[Step]]


def _detaches(
    conn: psycopg.Connection[Any], asked: Options, _tell: Tell | None
) -> _Result:
    return _summed(
        partitions.finish(conn, dry_run=asked.dry_run, wait_s=asked.wait_s), asked
    )


def _partitions(
    conn: psycopg.Connection[Any], asked: Options, _tell: Tell | None
) -> _Result:
    if asked.dry_run:
        return _summed(partitions.plan(conn), asked)
    patience = settings().retry_for_s if asked.wait_s is None else asked.wait_s
    return _summed(partitions.apply(conn, wait_s=patience), asked)


def _statistics(
    conn: psycopg.Connection[Any], asked: Options, _tell: Tell | None
) -> _Result:
    if asked.dry_run:
        return "planned", "daily statistics are archived and computed anew", []
    made = daily_statistics.refresh(conn, wait_s=asked.wait_s)
    return "done", f"{made.archived} archived, {made.days} days in the view", []


def _prune(conn: psycopg.Connection[Any], asked: Options, tell: Tell | None) -> _Result:
    steps = partitions.prune(
        conn,
        dry_run=asked.dry_run,
        wait_s=asked.wait_s,
        archive=asked.archive,
        tell=tell,
    )
    return _summed(steps, asked)


def _analyze(
    conn: psycopg.Connection[Any], asked: Options, tell: Tell | None
) -> _Result:
    steps = _analysis.analyze(
        conn, dry_run=asked.dry_run, wait_s=asked.wait_s, tell=tell
    )
    return _summed(steps, asked)


def _expire(
    conn: psycopg.Connection[Any], asked: Options, tell: Tell | None
) -> _Result:
    now = now_or(conn, None)
    gone = _expiry.expire(conn, now, dry_run=asked.dry_run, tell=tell)
    detail = ", ".join(f"{one.table}: {one.rows:,} rows" for one in gone)
    return "planned" if asked.dry_run else "done", detail, []


def _summed(steps: list[Step], asked: Options) -> _Result:
    """Return the worst outcome of *steps*, their counts in words, and them."""
    outcomes = [step.outcome for step in steps]
    order: tuple[Outcome, ...] = ("failed", "delayed", "busy")
    worst = next((one for one in order if one in outcomes), None)
    counts = [f"{outcomes.count(one)} {one}" for one in dict.fromkeys(outcomes)]
    usual: Outcome = "planned" if asked.dry_run else "done"
    detail = ", ".join(counts) or "nothing to do"
    hindered = [step.detail for step in steps if step.outcome in NEEDS_ATTENTION]
    if hindered:
        detail += f": {hindered[0]}"
    return worst or usual, detail, steps


_Do = Callable[["psycopg.Connection[Any]", Options, Tell | None], _Result]
_DO: Final[dict[WorkName, _Do]] = {
    "detaches": _detaches,
    "partitions": _partitions,
    "statistics": _statistics,
    "prune": _prune,
    "analyze": _analyze,
    "expiry": _expire,
}
