"""Watch the locks of another session while its statement runs, and end what hangs."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from ._probes import OldTransaction

__all__ = ["Monitor", "Seen", "Whom", "held_locks"]

# The session of the monitor is in another database: its snapshots there hold up no
# CONCURRENTLY, which waits for all older ones of its own database.
_LOCKS: Final = """
SELECT l.relation, l.mode, l.granted
  FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d ON d.oid = l.database
 WHERE l.locktype = 'relation' AND l.relation >= 16384
   AND d.datname = %s AND (l.pid = ANY (%s)) = %s
"""
# A transaction is waited for by its virtual id, which belongs to no relation.
_WAITS: Final = f"""{_LOCKS} UNION ALL
SELECT NULL, mode, granted FROM pg_catalog.pg_locks
 WHERE locktype = 'virtualxid' AND NOT granted AND pid = ANY (%s)
"""
_END: Final = """
SELECT pg_catalog.pg_{}_backend(pid) FROM pg_catalog.pg_stat_activity
 WHERE datname = %s AND (pid = ANY (%s)) = %s
"""
_PAUSE_S: Final = 0.0003
_GRACE_S: Final = 5.0


@dataclass(slots=True)
class Seen:
    """Relation and mode of each lock *held* at some moment, and of each *waited* for.

    *outwaits* when the statement waited for an older transaction to end, *cancelled*
    when it ran longer than allowed.
    """

    held: set[tuple[int, str]] = field(default_factory=set)
    waited: set[tuple[int, str]] = field(default_factory=set)
    outwaits: bool = False
    cancelled: bool = False

    def add(self, rows: Iterable[tuple[int, str, bool]]) -> None:
        """Take in what one look at `pg_locks` gave."""
        for relation, mode, granted in rows:
            (self.held if granted else self.waited).add((relation, mode))


@dataclass(frozen=True, slots=True)
class Whom:
    """The sessions *pids* of *database*; with *others*, all of it but those."""

    database: str
    pids: tuple[int, ...]
    others: bool = False

    @property
    def parameters(self) -> list[Any]:
        """Return what a query on sessions takes: database, pids, whether those."""
        return [self.database, list(self.pids), not self.others]


def held_locks(connection: psycopg.Connection[Any], whom: Whom) -> set[tuple[int, str]]:
    """Return relation and mode of what the sessions hold now."""
    rows = connection.execute(_LOCKS, whom.parameters).fetchall()
    return {(relation, mode) for relation, mode, granted in rows if granted}


class Monitor:
    """Looks about every half millisecond, from a thread, while the block runs.

    Where an *old* transaction is open, it is ended as soon as somebody waits for it.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        whom: Whom,
        *,
        limit_s: float,
        old: OldTransaction | None = None,
    ) -> None:
        self._connection = connection
        self._old = old
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
        try:
            while not self._stop.is_set():
                self._look()
                if time.monotonic() > deadline:
                    deadline = self._end()
                time.sleep(_PAUSE_S)
        except psycopg.Error as error:
            self._fault = error

    def _look(self) -> None:
        if self._old is None or not self._old.is_open:
            parameters = self._whom.parameters
            rows = self._connection.execute(_LOCKS, parameters, prepare=True)
            self.seen.add(rows.fetchall())
            return
        parameters = [*self._whom.parameters, list(self._whom.pids)]
        found = self._connection.execute(_WAITS, parameters, prepare=True).fetchall()
        if not all(granted for *_, granted in found):
            self.seen.outwaits |= any(relation is None for relation, *_ in found)
            self._old.end()
        # to wait for a lock of ours is no wait of the statement's
        self.seen.add(row for row in found if row[2])

    def _end(self) -> float:
        """Cancel statements, the second time their sessions; return the next time."""
        verb = "terminate" if self.seen.cancelled else "cancel"
        self.seen.cancelled = True
        self._connection.execute(_END.format(verb).encode(), self._whom.parameters)
        return time.monotonic() + _GRACE_S
