"""Sessions of others: three that try to get at locked tables, one that is slow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import psycopg

from .facts import Blocked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._relations import KnownRelation

__all__ = ["LOCK_TIMEOUT_MS", "OldTransaction", "Probes"]

LOCK_TIMEOUT_MS: Final = 25
"""After this long in a queue for a lock a probe counts as blocked."""


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

    A view and a materialized view are only read: nobody else writes to them.
    """

    def __init__(self, connections: Iterable[psycopg.Connection[Any]]) -> None:
        self._connections = tuple(connections)
        for connection in self._connections:
            connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_MS}ms'")
        self._pool = ThreadPoolExecutor(len(self._connections), "review-probe")

    def blocked(self, relation: KnownRelation) -> Blocked:
        """Return who waits for *relation* now."""
        tries = (_reading(relation), _writing(relation), _changing(relation))
        waits = self._pool.map(_waits, self._connections, tries)
        return Blocked(relation.name, *waits)

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
    except psycopg.errors.LockNotAvailable:
        return True
    return False
