"""What a revision demands of the rows that are there, kept by rows made for it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ai_platform.connection import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_platform.connection import Target

__all__ = ["Demands", "Promise", "demands", "holdable", "kept", "promises"]

_NAME: Final = "platform_review_"
_PATH: Final = "SELECT pg_catalog.set_config('search_path', 'pg_catalog', false)"
_INDEX: Final = re.compile(
    r'^CREATE UNIQUE INDEX (?:"(?:[^"]|"")+"|\S+) ON (?:ONLY )?', re.IGNORECASE
)
_SCHEMA: Final = re.compile(r'(?:"(?:[^"]|"")+"|[^".]+)\.')
_USER: Final = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_TABLES: Final = f"""
SELECT c.oid, c.oid::regclass::text FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {_USER}
"""
_COLUMNS: Final = """
SELECT attrelid, quote_ident(attname), attnotnull,
       CASE WHEN attgenerated = '' THEN format_type(atttypid, atttypmod) END
  FROM pg_attribute
 WHERE attrelid = ANY (%s) AND attnum > 0 AND NOT attisdropped
"""
_BOUNDS: Final = """
SELECT oid, pg_get_partition_constraintdef(oid) FROM pg_class
 WHERE oid = ANY (%s) AND relispartition
"""
_DOMAINS: Final = f"""
SELECT c.oid, c.contypid::regtype::text, pg_get_constraintdef(c.oid)
  FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
 WHERE c.contypid <> 0 AND c.contype = 'c' AND c.convalidated AND {_USER}
"""
_CONSTRAINTS: Final = """
SELECT c.oid, c.conrelid, c.contype, pg_get_constraintdef(c.oid), c.confrelid,
       ARRAY(SELECT quote_ident(attname) FROM unnest(c.conkey) WITH ORDINALITY k (n, i)
               JOIN pg_attribute ON attrelid = c.conrelid AND attnum = n ORDER BY i),
       ARRAY(SELECT quote_ident(attname) FROM unnest(c.confkey) WITH ORDINALITY k (n, i)
               JOIN pg_attribute ON attrelid = c.confrelid AND attnum = n ORDER BY i),
       pg_get_expr(c.conbin, c.conrelid)
  FROM pg_constraint c
 WHERE c.conrelid = ANY (%s) AND c.contype IN ('c', 'f', 'p', 'u', 'x')
   AND c.conparentid = 0 AND c.convalidated
   -- the column came with PostgreSQL 18
   AND NOT to_jsonb(c) @> '{"conenforced": false}'
"""
_INDEXES: Final = """
SELECT i.indexrelid, i.indrelid, pg_get_indexdef(i.indexrelid),
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true)
               FROM generate_series(1, i.indnkeyatts) AS k ORDER BY k),
       pg_get_expr(i.indpred, i.indrelid)
  FROM pg_index i
 WHERE i.indrelid = ANY (%s) AND i.indisunique AND i.indisvalid
   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
   AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = i.indexrelid)
"""


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that rows of *table* are made to hold: *told* in the words of SQL.

    *add* demands it of a database, *drop* no longer does. *query* counts, or lists,
    the rows that do not hold it. *is_declared*: the revision writes it down, where
    else a conversion merely needs it.
    """

    table: str
    told: str
    query: str
    add: str
    drop: str
    is_declared: bool = True


@dataclass(frozen=True, slots=True)
class Demands:
    """What a database demands of its rows, by the oids that copies of it share."""

    tables: dict[int, str]
    columns: dict[tuple[int, str], tuple[bool, str | None]]
    bounds: dict[int, str]
    domains: dict[int, tuple[str, str]]
    constraints: dict[int, tuple[Any, ...]]
    indexes: dict[int, tuple[Any, ...]]


def demands(place: Target) -> Demands:
    """Return what the database *place* demands of its rows."""
    with connect(place, application_name="platform-review") as connection:

        def rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
            given = list(parameters) or None
            return connection.execute(query.encode(), given).fetchall()

        connection.execute(_PATH)
        tables = dict(rows(_TABLES))
        oids = list(tables)
        return Demands(
            tables,
            {(row[0], row[1]): (row[2], row[3]) for row in rows(_COLUMNS, oids)},
            dict(rows(_BOUNDS, oids)),
            {oid: (name, text) for oid, name, text in rows(_DOMAINS)},
            {oid: tuple(rest) for oid, *rest in rows(_CONSTRAINTS, oids)},
            {oid: tuple(rest) for oid, *rest in rows(_INDEXES, oids)},
        )


def promises(before: Demands, after: Demands) -> tuple[Promise, ...]:
    """Return what *after* demands of tables of *before* that was not demanded there."""
    found = [
        *_required(before, after),
        *_casts(before, after),
        *_bounds(before, after),
        *_of_domains(before, after),
        *_unique(before, after),
        *_constraints(before, after),
    ]
    # what others refer to must be unique before they do
    return tuple(sorted(found, key=lambda one: "FOREIGN KEY" in one.told))


def holdable(place: Target, wanted: Sequence[Promise]) -> tuple[Promise, ...]:
    """Return what of *wanted* the database *place* can demand; it stays as it is."""
    with (
        connect(place, application_name="platform-review") as connection,
        kept(connection, wanted) as done,
    ):
        return tuple(done)


@contextmanager
def kept(
    connection: psycopg.Connection[Any], wanted: Sequence[Promise]
) -> Iterator[list[Promise]]:
    """Have the database demand what is *wanted* within the block, as far as it can.

    Gives what it does demand.
    """
    done = [one for one in wanted if _try(connection, one.add)]
    try:
        yield done
    finally:
        # what a partition has of its parent can only be dropped after that
        left = [one for one in reversed(done) if not _try(connection, one.drop)]
        for one in left:
            connection.execute(one.drop.encode())


def _try(connection: psycopg.Connection[Any], statement: str) -> bool:
    try:
        with connection.transaction():
            connection.execute(_PATH.replace("false", "true").encode())
            connection.execute(statement.encode())
    except psycopg.errors.OperationalError:
        raise
    except psycopg.Error:  # such as a column that only the revision makes
        return False
    return True


def _required(before: Demands, after: Demands) -> Iterator[Promise]:
    for (oid, name), (must, _) in after.columns.items():
        if must and before.columns.get((oid, name), (True, ""))[0] is False:
            table = before.tables[oid]
            column = f"ALTER TABLE {table} ALTER COLUMN {name}"
            yield Promise(
                table,
                f"{name} NOT NULL",
                f"SELECT count(*) FROM {table} WHERE {name} IS NULL",
                f"{column} SET NOT NULL",
                f"{column} DROP NOT NULL",
            )


def _casts(before: Demands, after: Demands) -> Iterator[Promise]:
    """Yield that values keep what they are as the type that their column gets."""
    for (oid, name), (_, new) in after.columns.items():
        old = before.columns.get((oid, name), (True, None))[1]
        if old is not None and new not in (None, old):
            table = before.tables[oid]
            fits = f"({name}::{new})::{old} IS NOT DISTINCT FROM {name}"
            kind = new.replace("'", "''")
            query = (
                f"SELECT count(*) FROM {table}"
                f" WHERE NOT pg_input_is_valid({name}::text, '{kind}')"
            )
            found = _named(table, f"cast_{oid}_{name}", f"CHECK ({fits})", query)
            told = f"{name} is the same as {new}"
            yield replace(found, told=told, is_declared=False)


def _bounds(before: Demands, after: Demands) -> Iterator[Promise]:
    for oid, bound in after.bounds.items():
        if oid in before.tables and before.bounds.get(oid) != bound:
            yield _check(before.tables[oid], f"bound_{oid}", bound)


def _of_domains(before: Demands, after: Demands) -> Iterator[Promise]:
    for oid, (domain, definition) in after.domains.items():
        if oid not in before.domains:
            name = f"{_NAME}{oid}"
            yield Promise(
                domain,
                definition,
                f"a SELECT of the columns of type {domain} whose values do not hold "
                f"{definition}",
                f"ALTER DOMAIN {domain} ADD CONSTRAINT {name} {definition}",
                f"ALTER DOMAIN {domain} DROP CONSTRAINT {name}",
            )


def _unique(before: Demands, after: Demands) -> Iterator[Promise]:
    for oid, (table_oid, definition, keys, condition) in after.indexes.items():
        if oid in before.indexes or table_oid not in before.tables:
            continue
        name, table = f"{_NAME}{oid}", before.tables[table_oid]
        schema = _SCHEMA.match(table)
        add, count = _INDEX.subn(f"CREATE UNIQUE INDEX {name} ON ", definition)
        only = f" WHERE {condition}" if condition else ""
        if count and schema:
            yield Promise(
                table,
                f"UNIQUE ({', '.join(keys)}){only}",
                _repeated(table, keys, condition),
                add,
                f"DROP INDEX {schema[0]}{name}",
            )


def _constraints(before: Demands, after: Demands) -> Iterator[Promise]:
    for oid, row in after.constraints.items():
        table_oid, kind, definition, parent, columns, targets, condition = row
        if oid in before.constraints or table_oid not in before.tables:
            continue
        table, told = before.tables[table_oid], definition
        query = f"SELECT count(*) FROM {table} WHERE NOT ({condition})"
        if kind in "pu":
            told = f"UNIQUE ({', '.join(columns)})"
            query = _repeated(table, columns, None)
        elif kind == "x":
            query = f"a SELECT of the pairs of rows of {table} that break {definition}"
        elif kind == "f" and parent not in before.tables:
            # nobody can have a parent in a table that is not there
            yield _check(table, str(oid), f"num_nulls({', '.join(columns)}) > 0")
            continue
        elif kind == "f":
            query = _orphans(table, columns, after.tables.get(parent, ""), targets)
        yield _named(table, str(oid), told, query)


def _repeated(table: str, keys: Sequence[str], condition: str | None) -> str:
    some, only = ", ".join(keys), f" WHERE {condition}" if condition else ""
    return f"SELECT {some} FROM {table}{only} GROUP BY {some} HAVING count(*) > 1"


def _orphans(
    table: str, columns: Sequence[str], parent: str, targets: Sequence[str]
) -> str:
    pairs = zip(columns, targets, strict=True)
    agree = " AND ".join(f"p.{target} = c.{own}" for own, target in pairs)
    given = " AND ".join(f"c.{own} IS NOT NULL" for own in columns)
    return (
        f"SELECT count(*) FROM {table} AS c WHERE {given}"
        f" AND NOT EXISTS (SELECT FROM {parent} AS p WHERE {agree})"
    )


def _check(table: str, name: str, condition: str) -> Promise:
    query = f"SELECT count(*) FROM {table} WHERE NOT ({condition})"
    return _named(table, name, f"CHECK ({condition})", query)


def _named(table: str, name: str, definition: str, query: str) -> Promise:
    own = '"' + f"{_NAME}{name}".replace('"', "") + '"'
    return Promise(
        table,
        definition,
        query,
        f"ALTER TABLE {table} ADD CONSTRAINT {own} {definition}",
        f"ALTER TABLE {table} DROP CONSTRAINT {own}",
    )
