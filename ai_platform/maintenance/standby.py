"""Say why rows are not on a standby: UNLOGGED partitions are never replicated.

    with standby.explained(conn, "public.request_logs"):
        rows = conn.execute(query).fetchall()

A query whose plan leaves UNLOGGED partitions out is answered on a standby as well.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg import errors

from ai_platform.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

__all__ = ["explained", "is_standby"]


def is_standby(conn: psycopg.Connection[Any]) -> bool:
    """Return whether the server replays a primary; asks nothing where it has told.

    A connection in a failed transaction, behind a pooler that does not tell, counts
    as one to a primary.
    """
    told = conn.info.parameter_status("in_hot_standby")
    if told is not None:
        return told == "on"
    try:
        row = conn.execute("SELECT pg_catalog.pg_is_in_recovery()").fetchone()
    except errors.InFailedSqlTransaction:
        return False
    return bool(row and row[0])


@contextmanager
def explained(conn: psycopg.Connection[Any], table: str) -> Iterator[None]:
    """Turn a standby's refusal to read *table*, as schema.table, into our words.

    The server says 0A000, "cannot access temporary or unlogged relations during
    recovery". Every other error passes.

    Raises Refused.
    """
    # asked before: a transaction that has failed answers nothing any more
    standby = is_standby(conn)
    try:
        yield
    except errors.FeatureNotSupported:
        if not standby:
            raise
        raise Refused(
            f"{table} cannot be read here: this server is a standby, and its UNLOGGED"
            " partitions are not replicated",
            hint="ask the primary, or keep new partitions there from now on:"
            f" platform partitions policy {table} --durable",
        ) from None
