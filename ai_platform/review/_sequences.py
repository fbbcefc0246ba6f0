"""Which sequences a statement set back to numbers that rows have."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from .facts import NEXT_NUMBER, Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg

    from ._relations import Known
    from .statements import Statement

__all__ = ["next_numbers", "set_back"]

# A descending or cycling one gives numbers that were given before on purpose.
_COUNTING: Final = """
SELECT seqrelid FROM pg_catalog.pg_sequence
 WHERE seqrelid = ANY (%s) AND pg_catalog.has_sequence_privilege(seqrelid, 'SELECT')
   AND seqincrement > 0 AND NOT seqcycle
"""
_MAY_SET: Final = re.compile(r"\b(?:setval|restart)\b", re.IGNORECASE)
_OPAQUE: Final = {"DO", "CALL", "SELECT"}
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
_NAME: Final = """
SELECT n.nspname, c.relname
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = %s
"""


def next_numbers(
    worker: psycopg.Connection[Any], statement: Statement, known: Known
) -> dict[str, tuple[int, int]]:
    """Return object id and next number of each sequence that *statement* may set back.

    Of the *known* ones: what a revision makes itself, nobody numbers with yet.
    """
    if statement.tag not in _OPAQUE and not _MAY_SET.search(statement.text):
        return {}
    there = [oid for oid in known if known[oid].relkind == "S"]
    with _looking(worker):
        rows = worker.execute(_COUNTING, [there]).fetchall() if there else ()
        return {known[oid].name: (oid, _following(worker, oid)) for (oid,) in rows}


def set_back(
    worker: psycopg.Connection[Any], before: Mapping[str, tuple[int, int]]
) -> Iterator[Change]:
    """Yield the sequences that give a smaller number next, where rows have such."""
    if not before:
        return
    with _looking(worker):
        left = [oid for oid, _ in before.values()]
        still = {oid for (oid,) in worker.execute(_COUNTING, [left])}
        for name, (oid, then) in sorted(before.items()):
            now = _following(worker, oid) if oid in still else then
            if now < then and now <= _largest(worker, oid):
                yield Change("sequence", name, NEXT_NUMBER, str(then), str(now))


@contextmanager
def _looking(worker: psycopg.Connection[Any]) -> Iterator[None]:
    """Read as the login, and take that back with its locks.

    pg_sequence_last_value() would leave one behind on each sequence.
    """
    with worker.transaction(force_rollback=True):
        worker.execute("SET LOCAL ROLE NONE")
        yield


def _following(worker: psycopg.Connection[Any], oid: int) -> int:
    named = worker.execute(_NAME, [oid]).fetchone() or ("", "")
    query = sql.SQL("SELECT last_value + is_called::int FROM {}")
    row = worker.execute(query.format(sql.Identifier(*named))).fetchone()
    return int(row[0]) if row else 0


def _largest(worker: psycopg.Connection[Any], sequence: int) -> int:
    """Return the largest number in the columns that *sequence* numbers; else -1."""
    largest = -1
    for schema, table, column in worker.execute(_NUMBERED, {"oid": sequence}):
        query = sql.SQL("SELECT max({}) FROM {}").format(
            sql.Identifier(column), sql.Identifier(schema, table)
        )
        found = worker.execute(query).fetchone()
        largest = max(largest, found[0] if found and found[0] is not None else -1)
    return largest
