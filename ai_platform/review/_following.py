"""Find the tables whose rows follow those of another, or hold them fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    import psycopg

    from ._weight import Shaken

__all__ = ["followers", "holders"]

# With a verb comes which columns of a table change; NULL: the rows go. Children that
# are emptied or set may have children themselves.
_SHAKEN: Final = """
WITH RECURSIVE shaken (oid, verb, columns) AS (
       SELECT to_regclass(concat_ws('.', quote_ident(n.schema), quote_ident(n.name)))
              ::oid, n.verb,
              ARRAY(SELECT a.attnum FROM pg_catalog.pg_attribute a
                     WHERE a.attrelid = to_regclass(
                               concat_ws('.', quote_ident(n.schema),
                                              quote_ident(n.name)))
                       AND a.attname::text = ANY (string_to_array(n.columns, ',')))
         FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[])
              AS n (schema, name, verb, columns)
        UNION
       SELECT k.conrelid,
              CASE WHEN s.verb = 'TRUNCATE' THEN s.verb
                   WHEN s.verb = 'DELETE' AND k.confdeltype = 'c' THEN s.verb
                   ELSE 'UPDATE' END,
              k.conkey
         FROM shaken s
         JOIN pg_catalog.pg_constraint k
           ON k.contype = 'f' AND k.confrelid = s.oid
          AND (s.verb = 'TRUNCATE'
               OR s.verb = 'DELETE' AND k.confdeltype IN ('c', 'n', 'd')
               OR s.verb = 'UPDATE' AND k.confupdtype IN ('c', 'n', 'd')
                  AND k.confkey && s.columns)
     )
"""
# Without an index each parent has the whole child read: few rows are enough to show
# that, and many would never end.
_FOLLOWERS: Final = f"""{_SHAKEN}
SELECT n.nspname, c.relname,
       bool_and(EXISTS (
           SELECT FROM pg_catalog.pg_index x
            WHERE x.indrelid = c.oid AND x.indisvalid AND x.indpred IS NULL
              AND (string_to_array(x.indkey::text, ' ')::smallint[])
                  [1:cardinality(k.conkey)] @> k.conkey))
  FROM shaken s
  JOIN pg_catalog.pg_constraint k ON k.contype = 'f' AND k.confrelid = s.oid
  JOIN shaken t ON t.oid = k.conrelid AND t.columns = k.conkey
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid AND NOT c.relispartition
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 GROUP BY 1, 2
 ORDER BY 1, 2
"""
_HOLDERS: Final = f"""{_SHAKEN}
SELECT DISTINCT n.nspname, c.relname
  FROM shaken s
  JOIN pg_catalog.pg_constraint k
    ON k.contype = 'f' AND k.confrelid = s.oid
   AND (s.verb = 'DELETE' AND k.confdeltype IN ('a', 'r')
        OR s.verb = 'UPDATE' AND k.confupdtype IN ('a', 'r') AND k.confkey && s.columns)
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid AND NOT c.relispartition
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 ORDER BY 1, 2
"""


def followers(
    connection: psycopg.Connection[Any], shaken: Collection[Shaken]
) -> list[tuple[str, str, bool]]:
    """Return schema and name of tables whose rows follow those of the *shaken* ones.

    And whether an index leads from the parents to them, whichever way.
    """
    return list(connection.execute(_FOLLOWERS, _columns(shaken)).fetchall())


def holders(
    connection: psycopg.Connection[Any], shaken: Collection[Shaken]
) -> list[tuple[str, str]]:
    """Return schema and name of tables whose rows those of the *shaken* must outlive.

    They refer to what would go or change, without a word on what becomes of them.
    """
    return list(connection.execute(_HOLDERS, _columns(shaken)).fetchall())


def _columns(shaken: Collection[Shaken]) -> list[list[str | None]]:
    given = sorted(shaken, key=str)
    return [
        [schema for schema, *_ in given],
        [name for _, name, *_ in given],
        [verb for _, _, verb, _ in given],
        [",".join(columns) for *_, columns in given],
    ]
