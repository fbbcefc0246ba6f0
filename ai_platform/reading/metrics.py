"""Metrics of nodes over a stretch of time, and their days out of the archive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import class_row

from ai_platform.names import DAILY_STATS_ARCHIVE, METRICS, NODES

if TYPE_CHECKING:
    import psycopg

    from .window import Window

__all__ = ["Day", "HeldConnection", "Metrics", "Node", "Point", "days", "metrics"]

_POINTS: Final = f"""
    SELECT date_bin(%(bucket)s, time, %(since)s) AT TIME ZONE 'UTC' AS at, node_id,
           count(*) AS rows, avg(sys_mem_mb)::float8 AS avg_mem,
           max(sys_mem_mb) AS max_mem, avg(go_routines)::float8 AS avg_tasks,
           max(db_open_conns) AS max_conns, sum(db_wait_count)::bigint AS waits
      FROM {METRICS}
     WHERE time >= %(since)s AND time < %(until)s
       AND (%(node)s::text IS NULL OR node_id = %(node)s)
     GROUP BY 1, 2 ORDER BY 1, 2
"""
# lax: what other clients put into extra is no error
_HELD: Final = f"""
    SELECT m.time AT TIME ZONE 'UTC' AS at, m.node_id, h ->> 'pool' AS pool,
           h ->> 'seconds' AS seconds, h ->> 'by' AS by, h ->> 'at' AS taken
      FROM {METRICS} m, jsonb_path_query(m.extra, 'lax $.held[*]') h
     WHERE m.time >= %(since)s AND m.time < %(until)s
       AND (%(node)s::text IS NULL OR m.node_id = %(node)s)
     ORDER BY m.time DESC LIMIT 10
"""
_NODES: Final = f"""
    SELECT node_id, kind, hostname, version, status, started_at, last_seen_at
      FROM {NODES}
     WHERE %(node)s::text IS NULL OR node_id = %(node)s
     ORDER BY node_id
"""
# older days than yesterday are in the archive, or nobody archived them
_DAYS: Final = f"""
    SELECT day, node_id, samples, avg_mem::float8, max_mem,
           avg_goroutines::float8 AS avg_tasks, max_conns, true AS is_archived
      FROM {DAILY_STATS_ARCHIVE}
     WHERE day >= %(first)s AND (%(node)s::text IS NULL OR node_id = %(node)s)
     UNION ALL
    SELECT date_trunc('day', m.time), m.node_id, count(*), avg(m.sys_mem_mb)::float8,
           max(m.sys_mem_mb), avg(m.go_routines)::float8, max(m.db_open_conns), false
      FROM {METRICS} m
     WHERE m.time >= greatest(%(first)s, %(yesterday)s) AND m.time < %(until)s
       AND (%(node)s::text IS NULL OR m.node_id = %(node)s)
       AND NOT EXISTS (SELECT FROM {DAILY_STATS_ARCHIVE} a
                        WHERE a.day = date_trunc('day', m.time)
                          AND a.node_id = m.node_id)
     GROUP BY 1, 2
     ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Point:
    """One node in one bucket that begins at *at* (UTC); memory in MB."""

    at: datetime
    node_id: str
    rows: int
    avg_mem: float | None
    max_mem: int | None
    avg_tasks: float | None
    max_conns: int | None
    waits: int | None


@dataclass(frozen=True, slots=True)
class Node:
    """What the registry says of a process."""

    node_id: str
    kind: str
    hostname: str | None
    version: str | None
    status: str
    started_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class HeldConnection:
    """A connection that was out of its pool for too long, as seen at *at*."""

    at: datetime
    node_id: str
    pool: str | None
    seconds: str | None
    by: str | None
    taken: str | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """All nodes in a window; *points* only where there are samples."""

    since: datetime
    until: datetime
    bucket: timedelta
    nodes: list[Node]
    points: list[Point]
    held: list[HeldConnection]


@dataclass(frozen=True, slots=True)
class Day:
    """One node on one UTC day; *samples* is None where nobody counted."""

    day: datetime
    node_id: str
    samples: int | None
    avg_mem: float | None
    max_mem: int | None
    avg_tasks: float | None
    max_conns: int | None
    is_archived: bool


def metrics(
    conn: psycopg.Connection[Any],
    window: Window,
    *,
    bucket: timedelta,
    node: str | None = None,
) -> Metrics:
    """Return the metrics in *window* by *bucket*, of *node* or of all."""
    until = window.until or datetime.now(UTC)
    values = {
        "bucket": bucket,
        "since": _naive(window.since),
        "until": _naive(until),
        "node": node,
    }
    with conn.cursor(row_factory=class_row(Point)) as cursor:
        points = cursor.execute(_POINTS, values).fetchall()
    with conn.cursor(row_factory=class_row(HeldConnection)) as cursor:
        held = cursor.execute(_HELD, values).fetchall()
    with conn.cursor(row_factory=class_row(Node)) as cursor:
        nodes = cursor.execute(_NODES, values).fetchall()
    return Metrics(window.since, until, bucket, nodes, points, held)


def days(
    conn: psycopg.Connection[Any],
    count: int,
    *,
    now: datetime,
    node: str | None = None,
) -> list[Day]:
    """Return the last *count* UTC days with *now*'s, of *node* or of all nodes.

    Archived days first; yesterday and today from the samples where they are not
    archived yet.
    """
    today = _naive(now).replace(hour=0, minute=0, second=0, microsecond=0)
    values = {
        "first": today - timedelta(days=count - 1),
        "yesterday": today - timedelta(days=1),
        "until": today + timedelta(days=1),
        "node": node,
    }
    with conn.cursor(row_factory=class_row(Day)) as cursor:
        return cursor.execute(_DAYS, values).fetchall()


def _naive(at: datetime) -> datetime:
    """Return *at* as `metrics.time` has it: UTC without a zone."""
    return at.astimezone(UTC).replace(tzinfo=None)
