"""Rows of the request log, written as the log writer does: by COPY."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

__all__ = ["copy_requests", "ensure_days", "now"]

_COLUMNS = (
    "id",
    "created",
    "url",
    "method",
    "status",
    "auth",
    "remote_ip",
    "user_agent",
    "meta",
    "referer",
    "organization_id",
    "duration_ms",
    "trace_id",
)


def now() -> datetime:
    """Return the time as the column `created` has it: UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def ensure_days(connection: psycopg.Connection[Any], *days: datetime) -> None:
    """Make the partitions of *days*, however far away; for the superuser."""
    for at in days:
        day = at.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
        connection.execute(
            "SELECT monitoring.create_partition('public.request_logs', %(day)s, "
            "%(day)s + interval '1 day', true, 'logs') WHERE NOT EXISTS (SELECT FROM "
            "monitoring.partition_ranges('public.request_logs') "
            "WHERE range_from <= %(day)s AND range_to > %(day)s)",
            {"day": day},
        )


def copy_requests(
    connection: psycopg.Connection[Any], *rows: Mapping[str, Any]
) -> list[uuid.UUID]:
    """COPY *rows*; what one leaves out is NULL, but for a new id and the present."""
    ids = []
    statement = sql.SQL("COPY request_logs ({}) FROM STDIN").format(
        sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            whole = {"id": uuid.uuid4(), "created": now(), **row}
            ids.append(whole["id"])
            copy.write_row([whole.get(name) for name in _COLUMNS])
    return ids
