"""Sizes and rates of a production database: no data, no values, no SQL texts."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, get_type_hints

import psycopg

from ai_platform.amounts import counted
from ai_platform.connection import first_line
from ai_platform.errors import BadValue, Refused

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "FORMAT",
    "IndexStatistics",
    "Statistics",
    "TableStatistics",
    "collect",
    "dumps",
    "load",
]

FORMAT: Final = 1
"""The version of the file; a reader refuses every other one."""
_MOST_SAMPLE_S: Final = 3600.0
_LARGEST_FILE: Final = 256 << 20
_RATES: Final = ("inserts", "updates", "deletes")
_MONITOR: Final = "pg_monitor"
_SETTINGS: Final = (
    "autovacuum",
    "block_size",
    "checkpoint_timeout",
    "deadlock_timeout",
    "default_toast_compression",
    "effective_cache_size",
    "effective_io_concurrency",
    "fsync",
    "full_page_writes",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "maintenance_work_mem",
    "max_parallel_maintenance_workers",
    "max_wal_size",
    "random_page_cost",
    "shared_buffers",
    "statement_timeout",
    "synchronous_commit",
    "track_counts",
    "wal_compression",
    "wal_level",
    "work_mem",
)
_FACTS: Final = """
    SELECT current_setting('server_version'),
           (SELECT extract(epoch FROM now() - stats_reset)::float8
              FROM pg_stat_database WHERE datname = current_database()),
           pg_has_role('pg_read_all_stats', 'USAGE')
"""
_LONGEST: Final = """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8
      FROM pg_stat_activity
     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_CURRENT: Final = """
    SELECT name, coalesce(current_setting(name, true), '')
      FROM unnest(%s::text[]) name ORDER BY name
"""
_TABLES: Final = """
    SELECT n.nspname || '.' || c.relname, nullif(c.reltuples, -1)::float8, c.relpages,
           pg_table_size(c.oid) - coalesce(pg_total_relation_size(c.reltoastrelid), 0),
           coalesce(pg_total_relation_size(c.reltoastrelid), 0),
           pg_indexes_size(c.oid),
           coalesce(s.n_tup_ins, 0), coalesce(s.n_tup_upd, 0), coalesce(s.n_tup_del, 0),
           coalesce(s.seq_scan, 0), coalesce(s.idx_scan, 0),
           (SELECT pn.nspname || '.' || p.relname
              FROM pg_class p JOIN pg_namespace pn ON pn.oid = p.relnamespace
             WHERE c.relispartition AND p.oid = pg_partition_root(c.oid))
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
     WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     ORDER BY 1
"""
_INDEXES: Final = """
    SELECT n.nspname || '.' || t.relname, c.relname, m.amname,
           pg_relation_size(c.oid), i.indisvalid
      FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid
      JOIN pg_class t ON t.oid = i.indrelid
      JOIN pg_namespace n ON n.oid = t.relnamespace
      JOIN pg_am m ON m.oid = c.relam
     WHERE t.relkind IN ('r', 'm') AND c.relkind = 'i' AND t.relpersistence <> 't'
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class IndexStatistics:
    """An index: its access *method*, its size, and whether it is complete."""

    name: str
    method: str
    bytes: int
    is_valid: bool


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """A table or materialized view, named schema.name; rates are rows per second.

    *rows* is the planner's estimate, None where nobody has analyzed it; rates are None
    where it is not known since when the server counts. *parent* is the partitioned
    table that it is a part of.
    """

    name: str
    rows: float | None
    pages: int
    heap_bytes: int
    toast_bytes: int
    index_bytes: int
    inserts_per_s: float | None
    updates_per_s: float | None
    deletes_per_s: float | None
    seq_scans: int
    idx_scans: int
    parent: str | None
    indexes: tuple[IndexStatistics, ...]

    @property
    def bytes(self) -> int:
        """Return the size that a rewrite reads: rows, without indexes."""
        return self.heap_bytes + self.toast_bytes

    @property
    def writes_per_s(self) -> float:
        """Return the rows written each second, 0 where that is not known."""
        rates = (self.inserts_per_s, self.updates_per_s, self.deletes_per_s)
        return sum(rate or 0.0 for rate in rates)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the file says; *window_s* is the time that the rates are the mean of.

    *missing* says in words what the login could not see, or the server does not know.
    """

    format: int
    taken_at: str
    server_version: str
    window_s: float | None
    longest_transaction_s: float | None
    settings: dict[str, str]
    tables: tuple[TableStatistics, ...]
    missing: tuple[str, ...]

    def table(self, name: str) -> TableStatistics | None:
        """Return the table called schema.name; of a partitioned one, all its parts.

        None where it is not in the file.
        """
        for one in self.tables:
            if one.name == name:
                return one
        return _sum(name, [one for one in self.tables if one.parent == name])


def _sum(name: str, parts: list[TableStatistics]) -> TableStatistics | None:
    if not parts:
        return None

    def total(attribute: str) -> Any:
        values = [getattr(part, attribute) for part in parts]
        known = [value for value in values if value is not None]
        return sum(known) if known else None

    summed = {f.name: total(f.name) for f in fields(TableStatistics)[1:-2]}
    return TableStatistics(name=name, parent=None, indexes=(), **summed)


def collect(
    conn: psycopg.Connection[Any], *, sample_s: float | None = None
) -> Statistics:
    """Read sizes and rates of all tables that are not the system's; nothing is written.

    Rates are the mean since the server's counters were reset, or, with *sample_s*, of
    that many seconds from now on, at most 3600. *conn* is in autocommit. Raises
    BadValue for another *sample_s*, Refused where the login may not read the catalog.
    """
    if sample_s is not None and not 0 < sample_s <= _MOST_SAMPLE_S:
        raise BadValue(f"sample must be up to 3600 seconds, got {sample_s:g}")
    try:
        return _collected(conn, sample_s)
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused(
            f"login {conn.info.user!r} may not read sizes: {first_line(error)}",
            hint=f"use a member of {_MONITOR}, or of platform_readonly",
        ) from error


def _collected(conn: psycopg.Connection[Any], sample_s: float | None) -> Statistics:
    taken = datetime.now(UTC).isoformat(timespec="seconds")
    version, since_reset, sees_all = conn.execute(_FACTS).fetchall()[0]
    first = conn.execute(_TABLES).fetchall()
    before: dict[str, tuple[int, ...]] = {}
    window = since_reset
    rows = first
    if sample_s is not None:
        before = {row[0]: row[6:9] for row in first}
        started = time.monotonic()
        time.sleep(sample_s)
        rows = conn.execute(_TABLES).fetchall()
        window = time.monotonic() - started
    settings = dict(conn.execute(_CURRENT, [list(_SETTINGS)]).fetchall())
    missing = []
    if not window:
        missing.append("rates: counters were never reset; measure them with --sample")
    elif settings["track_counts"] != "on":
        window = None
        missing.append("rates: the server counts nothing, track_counts is off")
    longest = conn.execute(_LONGEST).fetchall()[0][0] if sees_all else None
    if not sees_all:
        missing.append(f"longest transaction: the login is no member of {_MONITOR}")
    unknown = sum(row[1] is None for row in rows)
    if unknown:
        missing.append(f"rows of {counted(unknown, 'table')}: nobody has analyzed them")
    indexes = _indexes(conn)
    return Statistics(
        format=FORMAT,
        taken_at=taken,
        server_version=version,
        window_s=window,
        longest_transaction_s=longest,
        settings=settings,
        tables=tuple(
            _table(row, before.get(row[0]), window, indexes.get(row[0], ()))
            for row in rows
        ),
        missing=tuple(missing),
    )


def _indexes(
    conn: psycopg.Connection[Any],
) -> dict[str, tuple[IndexStatistics, ...]]:
    found: dict[str, tuple[IndexStatistics, ...]] = {}
    for table, *row in conn.execute(_INDEXES).fetchall():
        found[table] = (*found.get(table, ()), IndexStatistics(*row))
    return found


def _table(
    row: tuple[Any, ...],
    before: tuple[int, ...] | None,
    window_s: float | None,
    indexes: tuple[IndexStatistics, ...],
) -> TableStatistics:
    counts = [n - m for n, m in zip(row[6:9], before or (0, 0, 0), strict=True)]
    rates = {
        f"{name}_per_s": max(0, count) / window_s if window_s else None
        for name, count in zip(_RATES, counts, strict=True)
    }
    name, rows, pages, heap, toast, index = row[:6]
    return TableStatistics(
        name=name,
        rows=rows,
        pages=pages,
        heap_bytes=heap,
        toast_bytes=toast,
        index_bytes=index,
        seq_scans=row[9],
        idx_scans=row[10],
        parent=row[11],
        indexes=indexes,
        **rates,
    )


def dumps(statistics: Statistics) -> str:
    """Return the text of the file: JSON, one table after the other by name."""
    return json.dumps(asdict(statistics), indent=1, ensure_ascii=False) + "\n"


def load(path: Path) -> Statistics:
    """Return what `platform stats export` wrote into *path*.

    Raises BadValue that names the place where the file is not what it should be.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise BadValue(f"{path.name} is too big for a statistics file")
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadValue(f"cannot read {path}: {error.strerror}", hint=_HINT) from None
    except (ValueError, RecursionError) as error:
        raise BadValue(
            f"{path.name} is not JSON: {' '.join(str(error).split())}", hint=_HINT
        ) from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        found = value.get("format") if isinstance(value, dict) else value
        raise BadValue(
            f"{path.name} must be statistics of format {FORMAT}, got {found!r:.40}",
            hint=_HINT,
        )
    return _Reader(path.name).statistics(value)


_HINT: Final = "write it with platform stats export"


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turn JSON into what we know, naming the place of what does not fit."""

    file: str

    def statistics(self, value: dict[str, Any]) -> Statistics:
        tables = self.items(value, "tables", "tables")
        known = {
            **value,
            "settings": self.settings(value.get("settings")),
            "missing": tuple(self.items(value, "missing", "missing")),
            "tables": tuple(
                self.table(t, f"tables[{n}]") for n, t in enumerate(tables)
            ),
        }
        made: Statistics = self.made(Statistics, known, "statistics")
        return made

    def table(self, value: Any, place: str) -> TableStatistics:
        indexes = self.items(value, "indexes", f"{place}.indexes")
        known = {
            **value,
            "indexes": tuple(
                self.made(IndexStatistics, index, f"{place}.indexes[{n}]")
                for n, index in enumerate(indexes)
            ),
        }
        made: TableStatistics = self.made(TableStatistics, known, place)
        return made

    def settings(self, value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not all(
            isinstance(one, str) for one in value.values()
        ):
            raise self.wrong("settings", "texts by name", value)
        return value

    def items(self, value: Any, name: str, place: str) -> list[Any]:
        found = value.get(name) if isinstance(value, dict) else value
        if not isinstance(found, list):
            raise self.wrong(place, "a list", found)
        return found

    def made(self, kind: type[Any], value: Any, place: str) -> Any:
        if not isinstance(value, dict):
            raise self.wrong(place, "an object", value)
        hints = get_type_hints(kind)
        for name, hint in hints.items():
            if name not in value:
                raise self.wrong(f"{place}.{name}", "there", None)
            self.checked(value[name], hint, f"{place}.{name}")
        return kind(**{name: value[name] for name in hints})

    def checked(self, value: Any, hint: Any, place: str) -> None:
        """Refuse a *value* that is not of type *hint*, or a number below zero."""
        is_flag = isinstance(value, bool)
        for kinds, word in ((int, "a number"), (float, "a number"), (str, "a text")):
            if hint not in (kinds, kinds | None):
                continue
            if value is None and hint == kinds | None:
                return
            allowed = (int, float) if kinds is float else kinds
            if not isinstance(value, allowed) or is_flag:
                raise self.wrong(place, word, value)
            if not isinstance(value, str) and not 0 <= value < float("inf"):
                raise self.wrong(place, "a number from 0 on", value)
        if hint is bool and not is_flag:
            raise self.wrong(place, "true or false", value)

    def wrong(self, place: str, wanted: str, value: Any) -> BadValue:
        return BadValue(
            f"{self.file}: {place} must be {wanted}, got {value!r:.40}", hint=_HINT
        )
