"""What is read around a statement: locks, files, rows, WAL, time limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import psycopg

    from ai_platform.catalog import Snapshot

__all__ = [
    "Counts",
    "Limits",
    "Reading",
    "counts",
    "file_sizes",
    "files",
    "flush_counts",
    "limits",
    "wal_position",
]

# What the transaction counted so far stands with the worker; parallel workers report
# what they read to the shared counters when they end, committed or not.
_OWN: Final = """
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), s.read,
       pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid),
       pg_catalog.pg_stat_get_xact_tuples_updated(c.oid),
       pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
       LATERAL (SELECT pg_catalog.pg_stat_get_xact_tuples_returned(c.oid)) s (read)
 WHERE c.relkind IN ('r', 'm') AND c.oid >= 16384 AND n.nspname !~ '^pg_'
"""
_SHARED: Final = _OWN.replace("_get_xact_tuples", "_get_tuples")
_LIMITS: Final = """
SELECT extract(epoch FROM current_setting('lock_timeout')::interval) * 1000,
       extract(epoch FROM current_setting('statement_timeout')::interval) * 1000
"""
_FILES: Final = """
SELECT oid, relfilenode FROM pg_catalog.pg_class
 WHERE relkind IN ('r', 'm') AND oid >= 16384
"""
_SIZES: Final = """
SELECT oid, pg_catalog.pg_relation_size(oid) FROM unnest(%s::oid[]) AS t (oid)
"""
_WAL: Final = "SELECT pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_lsn"


class Counts(NamedTuple):
    """Rows of one relation: read sequentially, inserted, updated and deleted."""

    name: str
    read: int
    inserted: int
    updated: int
    deleted: int

    def since(self, before: Counts | None) -> Counts:
        """Return what was added since *before*."""
        if before is None:
            return self
        pairs = zip(self[1:], before[1:], strict=True)
        return Counts(self.name, *(now - then for now, then in pairs))


class Limits(NamedTuple):
    """The time limits of a session in milliseconds; 0 is none."""

    lock_timeout_ms: int
    statement_timeout_ms: int


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything read at one moment between two statements.

    *held* are relation and mode of the worker's locks; *catalog* is None where it
    was not looked at.
    """

    held: frozenset[tuple[int, str]]
    limits: Limits
    counts: Mapping[int, Counts]
    files: Mapping[int, int]
    catalog: Snapshot | None = None


def counts(
    worker: psycopg.Connection[Any], observer: psycopg.Connection[Any]
) -> dict[int, Counts]:
    """Return the rows counted so far of each table, in whatever session."""
    shared = {row[0]: Counts(*row[1:]) for row in observer.execute(_SHARED)}
    found = dict(shared)
    for oid, name, *own in worker.execute(_OWN):
        known = shared.get(oid, Counts(name, 0, 0, 0, 0))
        found[oid] = Counts(name, *(a + b for a, b in zip(known[1:], own, strict=True)))
    return found


def flush_counts(connection: psycopg.Connection[Any]) -> None:
    """Hand the rows that a session counted so far to the shared counters, now."""
    connection.execute("SELECT pg_catalog.pg_stat_force_next_flush()")


def limits(worker: psycopg.Connection[Any]) -> Limits:
    """Return the time limits that hold for the next statement of *worker*."""
    row = worker.execute(_LIMITS).fetchone() or (0, 0)
    return Limits(int(row[0]), int(row[1]))


def files(worker: psycopg.Connection[Any]) -> dict[int, int]:
    """Return the file of each table and materialized view as *worker* sees it."""
    return dict(worker.execute(_FILES).fetchall())


def file_sizes(
    worker: psycopg.Connection[Any], relations: Iterable[int]
) -> dict[int, int]:
    """Return the size in bytes of each of *relations* as *worker* sees it."""
    return dict(worker.execute(_SIZES, [list(relations)]).fetchall())


def wal_position(observer: psycopg.Connection[Any]) -> int:
    """Return how many bytes of WAL were ever written."""
    row = observer.execute(_WAL).fetchone() or (0,)
    return int(row[0])
