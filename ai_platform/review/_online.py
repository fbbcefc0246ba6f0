"""Measure a revision that is Python: run whole, by its own project, and watched."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from ai_platform.errors import PlatformError

from . import _evidence as evidence
from . import _readings as readings
from ._commits import BRIEFLY_S, BUSY, MISSES
from ._monitor import Monitor, Whom
from ._readings import Limits, Reading, flush_counts
from ._relations import known_relations
from ._run import Way
from .facts import Rewrite, StatementFacts, Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._commits import Commits
    from ._monitor import Seen
    from ._sessions import Sessions

__all__ = ["PYTHON", "SEEN_IN_PASSING", "measure_online"]

PYTHON: Final = "PYTHON"
"""The tag of a way that was measured as a whole."""

SEEN_IN_PASSING: Final = (
    "its Python ran as a whole: locks were seen in passing, nobody was probed, and "
    "what it says to the server is not known"
)
_GONE_S: Final = 10.0
# Of no user is autovacuum; its kind an ordinary login may not see.
_LEFT: Final = """
SELECT count(*) FROM pg_catalog.pg_stat_activity
 WHERE datname = %s AND (pid = ANY (%s)) = %s
   AND NOT (%s AND usesysid IS NULL)
"""


def measure_online(
    sessions: Sessions,
    run: Callable[[], object],
    told: str,
    *,
    limit_s: float,
    in_passing: bool = False,
) -> Way:
    """Return what *run* did in the database of *sessions*, as one statement.

    It opens sessions of its own there; a PlatformError that it raises is the
    revision's failure. *told* stands where the SQL of a statement would. With
    *in_passing* also weak locks are told that another run may not show.
    """
    known = known_relations(sessions.observer)
    whom = Whom(sessions.place.database, sessions.pids, others=True)
    before, start = _read(sessions), readings.wal_position(sessions.observer)
    error: str | None = None
    commits = sessions.commits
    with sessions.held_commits_of_others() as is_held:
        began = time.perf_counter()
        monitor = Monitor(sessions.monitor, whom, limit_s=limit_s, commits=commits)
        with monitor as seen:
            try:
                run()
            except PlatformError as failure:
                error = failure.message
        duration_s = time.perf_counter() - began
    _await_end(sessions, whom)
    if in_passing:
        seen.held |= seen.passing
    written = readings.wal_position(sessions.observer) - start
    after = _read(sessions)
    files = evidence.rewritten(before, after)
    sizes = readings.file_sizes(sessions.observer, files) if files else {}
    fact = StatementFacts(
        number=1,
        sql=told,
        tag=PYTHON,
        in_transaction=True,
        locks=tuple(sorted(evidence.locks(known, before, after, seen, weak=True))),
        rewritten=tuple(sorted(Rewrite(known[oid].name, sizes[oid]) for oid in files)),
        scanned=evidence.rows_read(known, before, after),
        inserted=evidence.rows(known, before, after, verb="inserted"),
        updated=evidence.rows(known, before, after, verb="updated"),
        deleted=evidence.rows(known, before, after, verb="deleted"),
        is_measured=error is None,
        error=error,
        timing=Timing(duration_s=duration_s, wal_bytes=written, held_s=duration_s),
    )
    return Way((fact,), error, tuple(_notes(seen, commits, is_held=is_held)))


def _notes(seen: Seen, commits: Commits | None, *, is_held: bool) -> Iterator[str]:
    yield SEEN_IN_PASSING
    if not is_held:
        yield MISSES
    elif commits is None and seen.longest_gap_s > BRIEFLY_S:
        yield BUSY


def _read(sessions: Sessions) -> Reading:
    observer = sessions.observer
    flush_counts(observer)
    return Reading(
        held=frozenset(),
        limits=Limits(0, 0),
        counts=readings.counts(observer, observer),
        files=readings.files(observer),
    )


def _await_end(sessions: Sessions, whom: Whom) -> None:
    """Wait until the project's sessions ended: only then is all counted."""
    deadline = time.monotonic() + _GONE_S
    while time.monotonic() < deadline:
        if sessions.monitor.execute(_LEFT, whom.parameters).fetchone() == (0,):
            return
        time.sleep(0.01)
