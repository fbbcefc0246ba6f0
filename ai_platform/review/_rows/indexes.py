"""Build the indexes of a table once, after many rows, instead of row by row."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ai_platform.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .catalog import Table

__all__ = ["RebuildError", "unburdened"]

# What no constraint needs; an index of a partitioned table has no rows of its own.
_PLAIN: Final = """
    SELECT i.indexrelid::oid, n.nspname, c.relname
      FROM (SELECT %s::oid AS relid UNION SELECT relid FROM pg_partition_tree(%s)) t
      JOIN pg_index i ON i.indrelid = t.relid
      JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE i.indisvalid AND i.indisready
       AND NOT i.indisunique AND NOT i.indisexclusion
     ORDER BY 1
"""
_REST: Final = """
    UPDATE pg_index SET indisready = false, indisvalid = false
     WHERE indexrelid = ANY (%s::oid[])
"""


class RebuildError(Exception):
    """An index cannot be built anew, although rows could be put into it."""


@contextmanager
def unburdened(conn: psycopg.Connection[Any], table: Table | None) -> Iterator[None]:
    """Insert into *table* without its plain indexes, in the transaction that is open.

    They rest and are built anew: what the catalog says of them is as before. Where
    the login is no superuser, they are kept up row by row, as for None. Raises
    RebuildError where a function of theirs fails on the search_path of maintenance.
    """
    if table is None:
        yield
        return
    found = conn.execute(_PLAIN, [table.oid, table.oid]).fetchall()
    oids = [oid for oid, _, _ in found]
    is_resting = bool(found) and _rest(conn, oids)
    yield
    if is_resting:
        # a graph of vectors that does not fit is built many times slower
        conn.execute("SET LOCAL maintenance_work_mem = '256MB'")
        for _, schema, name in found:
            statement = f"REINDEX INDEX {quoted(schema)}.{quoted(name)}"
            try:
                conn.execute(statement.encode())
            except psycopg.Error as error:
                raise RebuildError from error


def _rest(conn: psycopg.Connection[Any], oids: list[int]) -> bool:
    try:
        with conn.transaction():
            conn.execute(_REST, [oids])
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True
