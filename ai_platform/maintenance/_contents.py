"""What rows a partitioned table holds: the first, the last, and how many."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final

from psycopg import errors, sql

from .standby import is_standby

if TYPE_CHECKING:
    import psycopg

    from ._policies import Parent

__all__ = ["Contents", "contents", "exact_rows"]

# Without a sorted index on the key every row would be read for two of them; who is
# under row security would take the own tenant's rows for all.
_ACCESS: Final = """
    SELECT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                     JOIN pg_am m ON m.oid = c.relam
                    WHERE i.indrelid = %(parent)s AND i.indisvalid
                      AND m.amname = 'btree' AND i.indpred IS NULL
                      AND i.indkey[0] = p.partattrs[0]),
           has_table_privilege(c.oid, 'SELECT')
           AND has_schema_privilege(c.relnamespace, 'USAGE')
           AND (NOT row_security_active(c.oid) OR pg_has_role(c.relowner, 'USAGE')),
           (SELECT attname FROM pg_attribute
             WHERE attrelid = c.oid AND attnum = p.partattrs[0])
      FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
     WHERE p.partrelid = %(parent)s
"""


@dataclass(frozen=True, slots=True)
class Contents:
    """The first and the last moment of a row; *remark*: why they are not known."""

    oldest: datetime | None = None
    newest: datetime | None = None
    rows: int | None = None
    remark: str | None = None


def contents(conn: psycopg.Connection[Any], parent: Parent, *, count: bool) -> Contents:
    """Look at the rows of *parent*: cheaply, or with *count* by reading all of them."""
    row = conn.execute(_ACCESS, {"parent": parent.oid}).fetchone()
    has_index, may_read, key = row or (False, False, "")
    if not may_read:
        return Contents(remark="rows: this login may not see all of them")
    if not (has_index or count):
        return Contents()
    query = sql.SQL("SELECT min({key}), max({key}){count} FROM {table}").format(
        key=sql.Identifier(key),
        count=sql.SQL(", count(*)") if count else sql.SQL(", NULL"),
        table=sql.Identifier(parent.schema, parent.name),
    )
    try:
        first, last, rows = conn.execute(query).fetchall()[0]
    except errors.LockNotAvailable:
        return Contents(remark="rows: the table is locked")
    except errors.FeatureNotSupported:
        if not is_standby(conn):
            raise
        return Contents(remark="rows: UNLOGGED partitions are not on a standby")
    except errors.DataError:
        # years that Python has not got
        return Contents(remark="rows: a moment before year 1 or after 9999")
    return Contents(_moment(first), _moment(last), rows)


def exact_rows(conn: psycopg.Connection[Any], table: sql.Identifier) -> int | None:
    """Return how many rows one partition has; None where that cannot be read."""
    query = sql.SQL("SELECT count(*) FROM ONLY {}").format(table)
    try:
        row = conn.execute(query).fetchone()
    except (
        errors.LockNotAvailable,
        errors.FeatureNotSupported,
        errors.InsufficientPrivilege,
        errors.UndefinedTable,
    ):
        return None
    return int(row[0]) if row else None


def _moment(value: date | datetime | None) -> datetime | None:
    """Return a key as a moment in UTC, whichever of the three types it has."""
    if value is None:
        return None
    if not isinstance(value, datetime):
        return datetime.combine(value, time.min, UTC)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
