"""Rows of the request log, written as the log writer does: by COPY."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from .database import Database

__all__ = ["HOSTILE", "copy_requests", "ensure_days", "now", "write_requests"]

HOSTILE = "/\x1b[31m\x9b2J\r\n<script>alert(1)</script>\u202e[bold]\u2028"
"""What a URL may hold that a terminal or a browser would obey."""

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


def write_requests(database: Database, *rows: Mapping[str, Any]) -> None:
    """COPY *rows* into *database* as a member of platform_log_writer."""
    copy_requests(database.connect("log_writer"), *rows)


@pytest.fixture
def logged(database: Database) -> Database:
    """Give a database with partitions from three days ago to two days ahead."""
    days = (now() + timedelta(days=number) for number in range(-3, 3))
    ensure_days(database.connect(), *days)
    return database
