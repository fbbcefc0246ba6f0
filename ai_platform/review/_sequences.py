"""Which sequences a statement set back to numbers that rows have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from .facts import NEXT_NUMBER, Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg

__all__ = ["last_numbers", "set_back"]

# A descending or cycling one gives numbers that were given before on purpose.
_LAST: Final = """
SELECT s.seqrelid, pg_catalog.pg_sequence_last_value(s.seqrelid)
  FROM pg_catalog.pg_sequence s
  JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
 WHERE s.seqincrement > 0 AND NOT s.seqcycle AND c.relpersistence <> 't'
   AND c.oid >= 16384 AND pg_catalog.has_sequence_privilege(s.seqrelid, 'SELECT')
"""
# What belongs to a column, and what a column's default asks.
_NUMBERED: Final = """
SELECT DISTINCT n.nspname, t.relname, a.attname
  FROM (SELECT d.refobjid AS relation, d.refobjsubid AS place
          FROM pg_catalog.pg_depend d
         WHERE d.classid = 'pg_class'::regclass AND d.objid = %(oid)s
           AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
         UNION ALL
        SELECT e.adrelid, e.adnum
          FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attrdef e ON e.oid = d.objid
         WHERE d.classid = 'pg_attrdef'::regclass
           AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %(oid)s) u
  JOIN pg_catalog.pg_class t ON t.oid = u.relation
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.place
 WHERE a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
   AND pg_catalog.has_column_privilege(t.oid, a.attnum, 'SELECT')
"""


def last_numbers(worker: psycopg.Connection[Any]) -> dict[int, int | None]:
    """Return the number that each sequence gave last; None where it is to begin."""
    return dict(worker.execute(_LAST).fetchall())


def set_back(
    worker: psycopg.Connection[Any],
    before: Mapping[int, int | None],
    after: Mapping[int, int | None],
    names: Mapping[int, str],
) -> Iterator[Change]:
    """Yield the sequences that give a smaller number next, where rows have such.

    Of *names* only: what a revision makes itself, nobody numbers with yet.
    """
    for oid, now in sorted(after.items()):
        then = before.get(oid)
        if oid not in names or then is None or (now is not None and now >= then):
            continue
        following, largest = _read(worker, oid, names[oid])
        if following <= min(then, largest):
            yield Change(
                "sequence", names[oid], NEXT_NUMBER, str(then + 1), str(following)
            )


def _read(worker: psycopg.Connection[Any], oid: int, name: str) -> tuple[int, int]:
    """Return what the sequence gives next, and the largest number that it gave rows.

    -1 where no column that it numbers has a row.
    """
    largest = -1
    # taken back with its locks
    with worker.transaction(force_rollback=True):
        ask = sql.SQL("SELECT last_value + is_called::int FROM {}")
        # a name as format() wrote it
        row = worker.execute(ask.format(sql.SQL(name))).fetchone()
        for schema, table, column in worker.execute(_NUMBERED, {"oid": oid}):
            query = sql.SQL("SELECT max({}) FROM {}").format(
                sql.Identifier(column), sql.Identifier(schema, table)
            )
            found = worker.execute(query).fetchone()
            largest = max(largest, found[0] if found and found[0] is not None else -1)
    return (int(row[0]) if row else 0), largest
