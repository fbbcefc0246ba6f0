"""The last requests, and each new one as it arrives, however late.

follower = Follower(filters, late=timedelta(minutes=1))
rows = follower.start(conn, window, count=50)
rows = follower.poll(conn)      # again and again, also on another connection
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg import sql
from psycopg.rows import class_row

from .filters import TABLE, Filters, where
from .window import Window

if TYPE_CHECKING:
    from datetime import timedelta
    from uuid import UUID

    import psycopg

__all__ = ["Follower", "LogRow", "last", "server_time"]

_COLUMNS: Final = sql.SQL(
    "id, created, url, method, status, auth, remote_ip,"
    " user_agent, meta::text AS meta, referer, organization_id, duration_ms, trace_id,"
    " tableoid::bigint AS part, ctid::text AS place"
)
_TABLE: Final = sql.Identifier(*TABLE.split("."))
# Rows whose transaction had ended for the poll before are not sent again. Modulo
# 2^32, because xmin has no epoch; everything else is sent, and told apart by key.
_SINCE_XID: Final = sql.SQL(
    " AND ((xmin::text::bigint - %(xid)s) & 4294967295) < 2147483648"
)
_CLOCK: Final = """
SELECT pg_catalog.clock_timestamp() AT TIME ZONE 'UTC',
       pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text::bigint,
       pg_catalog.pg_postmaster_start_time()
"""
_FORGET_FROM: Final = 10_000


class LogRow(NamedTuple):
    """A row of the log; *meta* is JSON text, *duration_ms* is in milliseconds.

    *part* and *place* are the partition and the place in it: what tells two rows
    with one id apart.
    """

    id: UUID
    created: datetime
    url: str | None
    method: str | None
    status: int | None
    auth: str | None
    remote_ip: str | None
    user_agent: str | None
    meta: str | None
    referer: str | None
    organization_id: int | None
    duration_ms: int | None
    trace_id: UUID | None
    part: int
    place: str


def server_time(conn: psycopg.Connection[Any]) -> datetime:
    """Return what time it is for the server, in UTC."""
    return _clock(conn).at


def last(
    conn: psycopg.Connection[Any], window: Window, filters: Filters, *, count: int
) -> list[LogRow]:
    """Return the newest *count* rows in *window*, the oldest first."""
    return _rows(conn, *_last_query(window, filters, count))


def _last_query(
    window: Window, filters: Filters, count: int
) -> tuple[sql.Composed, dict[str, Any]]:
    """Return what reads an index backwards, partition by partition, without a sort."""
    conditions, values = where(window, filters)
    query = sql.SQL(
        "SELECT {} FROM {} WHERE {} ORDER BY created DESC LIMIT %(count)s"
    ).format(_COLUMNS, _TABLE, conditions)
    return query, {**values, "count": count}


class Follower:
    """Gives every row once, in the order of arrival; rows of one poll by time.

    Rows are written in batches, by several writers, some time after their
    `created`: a row that arrives at most *late* after it is not missed. No
    transaction is needed from one poll to the next, nor the same connection.
    """

    def __init__(self, filters: Filters, *, late: timedelta) -> None:
        self._filters = filters
        self._late = late
        self._window = Window(datetime.now(UTC))
        self._clock: _Clock | None = None
        self._seen: dict[int, datetime] = {}
        self._forget_at = _FORGET_FROM

    def start(
        self, conn: psycopg.Connection[Any], window: Window, *, count: int
    ) -> list[LogRow]:
        """Return the newest *count* rows of *window*; older ones are not given again.

        With an end of *window* later rows will not be given either.
        """
        clock = _clock(conn)
        self._window = window
        old = self._new(conn, clock, floor=None)
        # Asked second: what is committed between the two is in this answer, or it is
        # new for the next poll.
        rows = last(conn, window, self._filters, count=count)
        self._fresh([*old, *rows])
        self._clock = clock
        return rows

    def poll(self, conn: psycopg.Connection[Any]) -> list[LogRow]:
        """Return the rows that are new since the last call."""
        clock, before = _clock(conn), self._clock
        # after a crash the numbers of transactions may have gone back
        same = before is not None and before.started == clock.started
        rows = self._new(conn, clock, floor=before.xid if same and before else None)
        fresh = self._fresh(rows)
        self._clock = clock
        self._forget(clock)
        return fresh

    def _new(
        self, conn: psycopg.Connection[Any], clock: _Clock, *, floor: int | None
    ) -> list[LogRow]:
        conditions, values = where(self._reach(clock), self._filters)
        query = sql.SQL("SELECT {} FROM {} WHERE {}").format(
            _COLUMNS, _TABLE, conditions
        )
        if floor is not None:
            query += _SINCE_XID
            values["xid"] = floor
        return _rows(conn, query, values)

    def _reach(self, clock: _Clock) -> Window:
        """Return where new rows may be; a clock that was set back is believed."""
        before = clock.at if self._clock is None else min(self._clock.at, clock.at)
        return Window(max(self._window.since, before - self._late), self._window.until)

    def _fresh(self, rows: list[LogRow]) -> list[LogRow]:
        fresh = []
        for row in rows:
            key = hash((row.id, row.part, row.place))
            if key not in self._seen:
                self._seen[key] = row.created
                fresh.append(row)
        return fresh

    def _forget(self, clock: _Clock) -> None:
        """Drop the keys of rows that no poll can meet again, now and then."""
        if len(self._seen) < self._forget_at:
            return
        edge = self._reach(clock).since
        self._seen = {key: at for key, at in self._seen.items() if at >= edge}
        self._forget_at = max(_FORGET_FROM, 2 * len(self._seen))


class _Clock(NamedTuple):
    at: datetime
    xid: int
    started: datetime


def _clock(conn: psycopg.Connection[Any]) -> _Clock:
    row = conn.execute(_CLOCK).fetchall()[0]
    return _Clock(row[0].replace(tzinfo=UTC), row[1] % 2**32, row[2])


def _rows(
    conn: psycopg.Connection[Any], query: sql.Composed, values: dict[str, Any]
) -> list[LogRow]:
    """Run *query*; never prepared, since a generic plan prunes only when it runs."""
    with conn.cursor(row_factory=class_row(LogRow)) as cursor:
        rows = cursor.execute(query, values, prepare=False).fetchall()
    rows = [row._replace(created=row.created.replace(tzinfo=UTC)) for row in rows]
    return sorted(rows, key=lambda row: (row.created, row.id))
