"""How many requests, how many failed, how long they took: over time and by kind.

Percentiles are real durations of real requests, found by the server.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql
from psycopg.rows import dict_row

from ai_platform.errors import BadValue

from .filters import TABLE, Filters, where

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg

    from .window import Window

__all__ = ["BY", "Bucket", "Figures", "Group", "Stats", "bucket_of", "stats"]

_MOST_BUCKETS: Final = 2000
_ROUND: Final = (
    *(timedelta(seconds=n) for n in (1, 5, 10, 30)),
    *(timedelta(minutes=n) for n in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=n) for n in (1, 2, 3, 6, 12)),
    *(timedelta(days=n) for n in (1, 7)),
)
_ORIGIN: Final = datetime(2001, 1, 1, tzinfo=UTC)  # a Monday
_PATH: Final = (
    "regexp_replace(left(split_part(split_part(url, '?', 1), '#', 1), 500),"
    " '/([0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?=/|$)',"
    " '/:id', 'g') COLLATE \"C\""
)
BY: Final[Mapping[str, str]] = {
    "url": _PATH,
    "status": "status::text",
    "method": "method",
    "auth": "auth",
    "org": "organization_id::text",
}
"""What requests can be grouped by, and how; numbers and UUIDs in a path are one."""

_FIGURES: Final = sql.SQL("""
       count(*) AS requests,
       count(*) FILTER (WHERE status BETWEEN 200 AND 299) AS ok,
       count(*) FILTER (WHERE status BETWEEN 300 AND 399) AS redirects,
       count(*) FILTER (WHERE status BETWEEN 400 AND 499) AS client_errors,
       count(*) FILTER (WHERE status BETWEEN 500 AND 599) AS server_errors,
       percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_ms)
           AS durations""")
_TOTAL: Final = sql.SQL("SELECT {figures} FROM {table} WHERE {conditions}")
_OVER_TIME: Final = sql.SQL("""
SELECT date_bin(%(bucket)s, created, %(origin)s) AS at, {figures}
  FROM {table} WHERE {conditions} GROUP BY 1 ORDER BY 1""")
_GROUPS: Final = sql.SQL("""
SELECT *
  FROM (SELECT *, row_number() OVER (ORDER BY requests DESC, value) AS by_count,
               row_number() OVER (ORDER BY durations[2] DESC NULLS LAST, value)
                   AS by_p95
          FROM (SELECT {key} AS value, {figures}
                  FROM {table} WHERE {conditions} GROUP BY 1) AS grouped) AS ranked
 WHERE by_count <= %(top)s OR by_p95 <= %(top)s""")


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts by class of status; durations in milliseconds, None without any.

    *other* are requests with no status, or one outside 200 to 599.
    """

    requests: int = 0
    ok: int = 0
    redirects: int = 0
    client_errors: int = 0
    server_errors: int = 0
    other: int = 0
    error_rate: float | None = None
    p50_ms: int | None = None
    p95_ms: int | None = None
    p99_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """The figures of the time from *at* (UTC) on, one bucket long."""

    at: datetime
    figures: Figures


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of one url, status, …; *value* None where the log has none."""

    value: str | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class Stats:
    """What `stats` has found; every bucket of the window is there, also empty ones."""

    since: datetime
    until: datetime
    bucket: timedelta
    total: Figures
    buckets: list[Bucket]
    by: str
    most_requests: list[Group]
    slowest: list[Group]
    statuses: list[Group]


def bucket_of(
    window: Window, wanted: timedelta | None, *, at_most: int = 72
) -> timedelta:
    """Return *wanted*, or the shortest round bucket that cuts *window* into few.

    *window* must have an end. Raises BadValue when *wanted* is under a second, or
    would cut it into more than 2000.
    """
    span = _end(window) - window.since
    if wanted is None:
        return next((one for one in _ROUND if span / one <= at_most), _rest(span))
    if wanted < timedelta(seconds=1):
        raise BadValue("a bucket is at least one second", hint="write --bucket 1s")
    if span / wanted > _MOST_BUCKETS:
        raise BadValue(
            f"that is {span / wanted:.0f} buckets: at most {_MOST_BUCKETS} are shown",
            hint="choose a longer --bucket, or a shorter --since",
        )
    return wanted


def stats(  # noqa: PLR0913 - each says what is asked
    conn: psycopg.Connection[Any],
    window: Window,
    filters: Filters,
    *,
    bucket: timedelta,
    by: str = "url",
    top: int = 10,
) -> Stats:
    """Return the figures of *window*, which must have an end, in one pass a question.

    The figures agree with each other in a transaction that is REPEATABLE READ.
    """
    until = _end(window)
    found = _Questions(conn, window, filters)
    (total,) = found.ask(_TOTAL)
    groups = found.ask(_GROUPS, key=sql.SQL(BY[by]), top=top)
    statuses = found.ask(_GROUPS, key=sql.SQL(BY["status"]), top=top)
    rows = found.ask(_OVER_TIME, bucket=bucket, origin=_ORIGIN.replace(tzinfo=None))
    return Stats(
        window.since,
        until,
        bucket,
        _figures(total),
        list(_whole(rows, window.since, until, bucket)),
        by,
        _ranked(groups, "by_count", top),
        _ranked(groups, "by_p95", top),
        _ranked(statuses, "by_count", top),
    )


def _end(window: Window) -> datetime:
    if window.until is None:
        raise ValueError("the window has no end")
    return window.until


class _Questions:
    """Questions to the same rows."""

    def __init__(
        self, conn: psycopg.Connection[Any], window: Window, filters: Filters
    ) -> None:
        self._conn = conn
        self._conditions, self._values = where(window, filters)

    def ask(
        self, query: sql.SQL, *, key: sql.SQL | None = None, **values: Any
    ) -> list[dict[str, Any]]:
        statement = query.format(
            figures=_FIGURES,
            table=sql.Identifier(*TABLE.split(".")),
            conditions=self._conditions,
            key=key or sql.SQL(""),
        )
        with self._conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(
                statement, {**self._values, **values}, prepare=False
            ).fetchall()


def _figures(row: Mapping[str, Any]) -> Figures:
    requests = row["requests"]
    classes = ("ok", "redirects", "client_errors", "server_errors")
    counts = {name: row[name] for name in classes}
    p50, p95, p99 = row["durations"] or (None, None, None)
    return Figures(
        requests,
        **counts,
        other=requests - sum(counts.values()),
        error_rate=counts["server_errors"] / requests if requests else None,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
    )


def _whole(
    rows: list[dict[str, Any]], since: datetime, until: datetime, bucket: timedelta
) -> Iterator[Bucket]:
    """Yield a bucket for every stretch, with zeros where there was no request."""
    found = {row["at"].replace(tzinfo=UTC): row for row in rows}
    at = since - (since - _ORIGIN) % bucket
    while at < until:
        yield Bucket(at, _figures(found[at]) if at in found else Figures())
        at += bucket


def _ranked(rows: list[dict[str, Any]], rank: str, top: int) -> list[Group]:
    chosen = sorted(
        (row for row in rows if row[rank] <= top), key=lambda row: row[rank]
    )
    if rank == "by_p95":
        chosen = [row for row in chosen if row["durations"]]
    return [Group(row["value"], _figures(row)) for row in chosen]


def _rest(span: timedelta) -> timedelta:
    """Return whole weeks for a span of years."""
    return timedelta(weeks=span // timedelta(weeks=52) + 1)
