"""Delete rows that have had their time: ended sessions and finished jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from ._session import session

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import psycopg

__all__ = ["EXPIRING", "Deleted", "Expiring", "expire"]

# one transaction each: other sessions wait for no more than that many rows
_BATCH: Final = 1000

_FOUND: Final = "SELECT count(*) FROM {table} WHERE {column} < %s"
_DELETE: Final = """
    DELETE FROM {table} WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {table} WHERE {column} < %s
         LIMIT %s FOR UPDATE SKIP LOCKED))
"""


@dataclass(frozen=True, slots=True)
class Expiring:
    """A table whose rows go *keep* after the time in *column*."""

    schema: str
    table: str
    column: str
    keep: timedelta


EXPIRING: Final = (
    # a session that has ended is kept a while for whoever looks into a theft
    Expiring("auth", "sessions", "expires_at", timedelta(days=7)),
    Expiring("algo_platform", "jobs", "finished_at", timedelta(days=30)),
)
"""What is deleted by age, and how long it is kept."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many rows of *table* went, or would."""

    table: str
    rows: int


def expire(
    conn: psycopg.Connection[Any],
    now: datetime,
    *,
    dry_run: bool = False,
    tables: tuple[Expiring, ...] = EXPIRING,
    tell: Callable[[str], None] | None = None,
) -> list[Deleted]:
    """Delete what has expired by *now*, in small transactions; return the counts.

    Rows that somebody has locked are left to the next run.

    Raises Refused (the login may not act as the owner) or psycopg.Error.
    """
    with session(conn, writes=not dry_run):
        return [_expire(conn, one, now, dry_run=dry_run, tell=tell) for one in tables]


def _expire(
    conn: psycopg.Connection[Any],
    one: Expiring,
    now: datetime,
    *,
    dry_run: bool,
    tell: Callable[[str], None] | None,
) -> Deleted:
    name = f"{one.schema}.{one.table}"
    parts = {
        "table": sql.Identifier(one.schema, one.table),
        "column": sql.Identifier(one.column),
    }
    limit = now - one.keep
    if dry_run:
        row = conn.execute(sql.SQL(_FOUND).format(**parts), [limit]).fetchone()
        return Deleted(name, int(row[0]) if row else 0)
    total = 0
    while True:
        statement = sql.SQL(_DELETE).format(**parts)
        gone = conn.execute(statement, [limit, _BATCH]).rowcount
        total += gone
        if gone < _BATCH:
            return Deleted(name, total)
        if tell:
            tell(f"deleting from {name}: {total:,} rows")
