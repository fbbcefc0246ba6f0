"""Which tables a revision touches: those that get rows before it is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

    from .statements import Statement

__all__ = ["tables_to_fill"]

# An index stands for its table. Bookkeeping of Alembic stays as it is.
_TABLES: Final = """
SELECT DISTINCT n.nspname, t.relname
  FROM unnest(%s::text[], %s::text[]) AS named (schema, name)
  JOIN pg_catalog.pg_class c
    ON c.oid = to_regclass(concat_ws('.', quote_ident(named.schema),
                                          quote_ident(named.name)))
  LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
  JOIN pg_catalog.pg_class t ON t.oid = coalesce(x.indrelid, c.oid)
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
 WHERE t.relkind IN ('r', 'p') AND t.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND t.relname <> ALL (%s)
 ORDER BY 1, 2
"""


def tables_to_fill(
    connection: psycopg.Connection[Any],
    statements: Iterable[Statement],
    *,
    version_table: str,
) -> list[tuple[str, str]]:
    """Return schema and name of the tables that exist and that *statements* name."""
    named = sorted({name for item in statements for name in item.relations}, key=repr)
    schemas, names = [schema for schema, _ in named], [name for _, name in named]
    rows = connection.execute(_TABLES, [schemas, names, [version_table]]).fetchall()
    return [(schema, name) for schema, name in rows]
