"""Sessions of others: three that try to get at locked tables, one that is slow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import psycopg

from .facts import Blocked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future

    from ._relations import KnownRelation

__all__ = ["OldTransaction", "Probes"]

_PAUSE_S: Final = 0.001
# The server makes its own autovacuum give way to who waits for it; it is no user's.
# A prepared transaction has no process, and is in the way all the same.
_BLOCKED: Final = """
SELECT pid FROM unnest(%s::integer[]) AS probe (pid)
 WHERE EXISTS (
       SELECT FROM unnest(pg_catalog.pg_blocking_pids(probe.pid)) AS b (pid)
         LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid
        WHERE a.pid IS NULL OR a.usesysid IS NOT NULL)
"""


def _reading(relation: KnownRelation) -> str:
    return f"EXPLAIN SELECT FROM {relation.name}"


def _writing(relation: KnownRelation) -> str | None:
    """Return a write that takes its locks, those on indexes too, and does nothing.

    Of a partitioned table only the parent: a row is routed to one partition.
    """
    if relation.relkind == "r" and relation.column:
        return f"EXPLAIN UPDATE ONLY {relation.name} SET {relation.column} = DEFAULT"
    if relation.relkind in "rp":
        return f"EXPLAIN INSERT INTO {relation.name} DEFAULT VALUES"
    return None


def _changing(relation: KnownRelation) -> str | None:
    if relation.relkind not in "rp":
        return None
    return f"LOCK TABLE ONLY {relation.name} IN SHARE UPDATE EXCLUSIVE MODE"


class Probes:
    """A reader, a writer and a changer, each with a session of its own.

    A view and a materialized view are only read: nobody else writes to them. The
    session *watcher* looks whom they wait for.
    """

    def __init__(
        self,
        connections: Iterable[psycopg.Connection[Any]],
        watcher: psycopg.Connection[Any],
    ) -> None:
        self._watcher = watcher
        self._connections = tuple(connections)
        self._pool = ThreadPoolExecutor(len(self._connections), "review-probe")

    def blocked(self, relation: KnownRelation) -> Blocked:
        """Return who waits for *relation* now."""
        tries = (_reading(relation), _writing(relation), _changing(relation))
        going = {
            connection.info.backend_pid: self._pool.submit(_waits, connection, text)
            for connection, text in zip(self._connections, tries, strict=True)
        }
        self._end_waits(going)
        return Blocked(relation.name, *(one.result() for one in going.values()))

    def _end_waits(self, going: dict[int, Future[bool]]) -> None:
        """Cancel those of *going* that wait for somebody, each once, until all ended.

        Some milliseconds without a lock are no proof that somebody has it.
        """
        cancelled: set[int] = set()
        while wait(going.values(), _PAUSE_S).not_done:
            left = [pid for pid, one in going.items() if not one.done()]
            waiting = {pid for (pid,) in self._watcher.execute(_BLOCKED, [left])}
            for pid in waiting - cancelled:
                self._watcher.execute("SELECT pg_catalog.pg_cancel_backend(%s)", [pid])
            cancelled |= waiting

    def close(self) -> None:
        """End the threads; the sessions are their opener's."""
        self._pool.shutdown()


class OldTransaction:
    """A transaction that has read every table, and is in nobody's way but by its age.

    CREATE INDEX CONCURRENTLY and its kin wait for such ones to end.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.is_open = False

    def begin(self, relations: Iterable[KnownRelation]) -> None:
        """Begin it, having read the tables among *relations*."""
        names = [f"ONLY {item.name}" for item in relations if item.relkind in "rp"]
        self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        self._connection.execute("SELECT 1")
        self.is_open = True
        if names:
            with suppress(psycopg.errors.InsufficientPrivilege):
                self._lock(f"LOCK TABLE {', '.join(names)} IN ACCESS SHARE MODE")

    def end(self) -> None:
        """End it, if it is open."""
        if self.is_open:
            self.is_open = False
            self._connection.execute("ROLLBACK")

    def _lock(self, statement: str) -> None:
        with self._connection.transaction():
            self._connection.execute(statement.encode())


def _waits(connection: psycopg.Connection[Any], statement: str | None) -> bool:
    if statement is None:
        return False
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement.encode())
    except psycopg.errors.QueryCanceled:
        return True
    return False
