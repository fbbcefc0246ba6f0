"""Which data survives a revision and its way back: one sum per column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import psycopg

__all__ = ["column_sums", "lost_columns"]

_COLUMNS: Final = """
SELECT attname FROM pg_catalog.pg_attribute
 WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
 ORDER BY attnum
"""
# Whatever the order of rows: they move.
_SUM: Final = "sum(('x' || left(md5({}::text), 15))::bit(60)::bigint)"
_SESSION: Final = """
SELECT set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true),
       set_config('extra_float_digits', '1', true),
       set_config('row_security', 'off', true)
"""


def column_sums(
    connection: psycopg.Connection[Any], tables: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Return a sum over the values of each column, named schema.table.column.

    A table that is not there has none.
    """
    sums: dict[str, str] = {}
    with connection.transaction(force_rollback=True):
        connection.execute(_SESSION)
        for table in tables:
            sums |= _of_table(connection, table)
    return sums


def _of_table(
    connection: psycopg.Connection[Any], table: tuple[str, str]
) -> dict[str, str]:
    place = sql.Identifier(*table)
    named = place.as_string(connection)
    columns = [name for (name,) in connection.execute(_COLUMNS, [named])]
    if not columns:
        return {}
    sums = [sql.SQL(_SUM).format(sql.Identifier(name)) for name in columns]
    query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(sums), place)
    row = connection.execute(query).fetchone() or ()
    names = [".".join((*table, name)) for name in columns]
    return {name: str(value) for name, value in zip(names, row, strict=True)}


def lost_columns(
    before: Mapping[str, str], after: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the columns of *before* whose values are not those *after*."""
    return tuple(
        sorted(name for name, value in before.items() if after.get(name) != value)
    )
