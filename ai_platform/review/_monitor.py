"""Watch the locks of another session while its statement runs, and end what hangs."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg

if TYPE_CHECKING:
    from types import TracebackType

    from ._commits import Commits
    from ._probes import OldTransaction

__all__ = ["Monitor", "Seen", "Whom", "held_locks"]

# The session of the monitor is in another database: its snapshots there hold up no
# CONCURRENTLY, which waits for all older ones of its own database.
# Sessions of no user are autovacuum's; their kind an ordinary login may not see.
_LOCKS: Final = """
SELECT l.relation, l.mode, l.granted, l.pid
  FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d ON d.oid = l.database
 WHERE l.locktype = 'relation' AND l.relation >= 16384
   AND d.datname = %s AND (l.pid = ANY (%s)) = %s
   AND NOT (%s AND l.pid IN (SELECT pid FROM pg_catalog.pg_stat_activity
                              WHERE usesysid IS NULL))
"""
# A transaction is waited for by its virtual id, which belongs to no relation.
_WAITS: Final = f"""{_LOCKS} UNION ALL
SELECT NULL, mode, granted, pid FROM pg_catalog.pg_locks
 WHERE locktype = 'virtualxid' AND NOT granted AND pid = ANY (%s)
"""
_END: Final = """
SELECT pg_catalog.pg_{}_backend(pid) FROM pg_catalog.pg_stat_activity
 WHERE datname = %s AND (pid = ANY (%s)) = %s
   AND NOT (%s AND usesysid IS NULL)
"""
_PAUSE_S: Final = 0.0003
_GRACE_S: Final = 5.0
# They block nobody who reads or writes.
_WEAK: Final = {"AccessShareLock", "RowShareLock", "RowExclusiveLock"}


@dataclass(slots=True)
class Seen:
    """Relation and mode of each lock *held* at some moment, and of each *waited* for.

    *passing* are weak ones that only luck has shown, as no commit waited with them.
    *outwaits* when the statement waited for an older transaction to end, *cancelled*
    when it ran longer than allowed. For *longest_gap_s* nobody looked.
    """

    held: set[tuple[int, str]] = field(default_factory=set)
    passing: set[tuple[int, str]] = field(default_factory=set)
    waited: set[tuple[int, str]] = field(default_factory=set)
    outwaits: bool = False
    cancelled: bool = False
    longest_gap_s: float = 0.0

    def add(self, relation: int, mode: str, *, granted: bool, passing: bool) -> None:
        """Take in a lock that one look at `pg_locks` gave."""
        if not granted:
            self.waited.add((relation, mode))
        elif passing and mode in _WEAK:
            self.passing.add((relation, mode))
        else:
            self.held.add((relation, mode))


@dataclass(frozen=True, slots=True)
class Whom:
    """The sessions *pids* of *database*; with *others*, all of it but those."""

    database: str
    pids: tuple[int, ...]
    others: bool = False

    @property
    def parameters(self) -> list[Any]:
        """Return what a query on sessions takes: database, pids, whether those.

        And whether to leave out what the server does by itself.
        """
        return [self.database, list(self.pids), not self.others, self.others]


def held_locks(connection: psycopg.Connection[Any], whom: Whom) -> set[tuple[int, str]]:
    """Return relation and mode of what the sessions hold now."""
    rows = connection.execute(_LOCKS, whom.parameters).fetchall()
    return {(relation, mode) for relation, mode, granted, _ in rows if granted}


class Monitor:
    """Looks about every half millisecond, from a thread, while the block runs.

    Where an *old* transaction is open, it is ended as soon as somebody waits for it.
    Of *commits* none ends before its locks were seen.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        whom: Whom,
        *,
        limit_s: float,
        old: OldTransaction | None = None,
        commits: Commits | None = None,
    ) -> None:
        self._connection = connection
        self._old = old
        self._commits = commits
        self._whom = whom
        self._limit_s = limit_s
        self._stop = threading.Event()
        self._fault: psycopg.Error | None = None
        self.seen = Seen()

    def __enter__(self) -> Seen:
        self._stop.clear()
        self.seen = Seen()
        self._thread = threading.Thread(target=self._watch, name="review-monitor")
        self._thread.start()
        return self.seen

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        # a statement whose monitor failed was not measured
        if self._fault is not None and error is None:
            raise self._fault

    def _watch(self) -> None:
        deadline = time.monotonic() + self._limit_s
        looked = time.monotonic()
        try:
            while not self._stop.is_set():
                began = time.monotonic()
                self._look()
                self._note_gap(looked)
                looked = began
                if time.monotonic() > deadline:
                    deadline = self._end()
                time.sleep(_PAUSE_S)
        except psycopg.Error as error:
            self._fault = error
            # what waits for a look waits for ever
            with suppress(psycopg.Error):
                self._connection.execute(_END.format("terminate").encode(), self._of)
        self._note_gap(looked)

    def _note_gap(self, since: float) -> None:
        gap_s = time.monotonic() - since
        self.seen.longest_gap_s = max(self.seen.longest_gap_s, gap_s)

    @property
    def _of(self) -> list[Any]:
        return self._whom.parameters

    def _look(self) -> None:
        # a commit that waits before we look at the locks still holds all of its own
        waiting = self._commits.waiting() if self._commits is not None else set()
        if self._old is not None and self._old.is_open:
            found = self._look_with_old(self._old)
        else:
            found = self._connection.execute(_LOCKS, self._of, prepare=True).fetchall()
        held = {commit.pid for commit in waiting}
        for relation, mode, granted, pid in found:
            passing = self._commits is not None and pid not in held
            self.seen.add(relation, mode, granted=granted, passing=passing)
        if self._commits is not None:
            self._commits.release(waiting)

    def _look_with_old(self, old: OldTransaction) -> list[tuple[int, str, bool, int]]:
        """Return the locks that are held; end *old* where it is waited for."""
        parameters = [*self._of, list(self._whom.pids)]
        found = self._connection.execute(_WAITS, parameters, prepare=True).fetchall()
        if not all(granted for _, _, granted, _ in found):
            self.seen.outwaits |= any(relation is None for relation, *_ in found)
            old.end()
        # to wait for a lock of ours is no wait of the statement's
        return [row for row in found if row[2]]

    def _end(self) -> float:
        """Cancel statements, the second time their sessions; return the next time."""
        verb = "terminate" if self.seen.cancelled else "cancel"
        self.seen.cancelled = True
        self._connection.execute(_END.format(verb).encode(), self._of)
        return time.monotonic() + _GRACE_S
