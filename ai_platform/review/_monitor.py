"""Watch the locks of another session while its statement runs, and end what hangs."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Monitor", "Seen", "Whom", "held_locks"]

# The session of the monitor is in another database: its snapshots there hold up no
# CONCURRENTLY, which waits for all older ones of its own database.
_LOCKS: Final = """
SELECT l.relation, l.mode, l.granted
  FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d ON d.oid = l.database
 WHERE l.locktype = 'relation' AND l.relation >= 16384
   AND d.datname = %s AND (l.pid = ANY (%s)) = %s
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

    *cancelled* when the statement ran longer than allowed.
    """

    held: set[tuple[int, str]] = field(default_factory=set)
    waited: set[tuple[int, str]] = field(default_factory=set)
    cancelled: bool = False

    def add(self, rows: list[tuple[int, str, bool]]) -> None:
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
    """Looks about every half millisecond, from a thread, while the block runs."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        whom: Whom,
        *,
        limit_s: float,
    ) -> None:
        self._connection = connection
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
                rows = self._connection.execute(
                    _LOCKS, self._whom.parameters, prepare=True
                )
                self.seen.add(rows.fetchall())
                if time.monotonic() > deadline:
                    deadline = self._end()
                time.sleep(_PAUSE_S)
        except psycopg.Error as error:
            self._fault = error

    def _end(self) -> float:
        """Cancel statements, the second time their sessions; return the next time."""
        verb = "terminate" if self.seen.cancelled else "cancel"
        self.seen.cancelled = True
        self._connection.execute(_END.format(verb).encode(), self._whom.parameters)
        return time.monotonic() + _GRACE_S
