"""Read the whole catalog of a database, one query per kind of object."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import tuple_row

from ai_platform import names
from ai_platform.connection import first_line
from ai_platform.errors import Refused

from ._normal import properties
from ._objects import CatalogObject, Key, Snapshot
from ._partitions import Partition, Policy, faults, forms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["snapshot"]

HIDDEN_SCHEMAS = (names.JOURNAL_SCHEMA,)
HIDDEN_RELATIONS = (f"{names.VERSION_TABLE_SCHEMA}.{names.VERSION_TABLE}",)
# Expressions are printed with names qualified by this path and times in this zone.
_SESSION = """
    SELECT set_config('search_path', 'pg_catalog', true),
           set_config('timezone', 'UTC', true),
           set_config('datestyle', 'ISO, MDY', true),
           set_config('intervalstyle', 'postgres', true),
           set_config('bytea_output', 'hex', true),
           set_config('extra_float_digits', '1', true),
           set_config('quote_all_identifiers', 'off', true)
"""
_POLICIES_READABLE = """
    SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname || '.' || c.relname = %s
"""
_POLICIES = """
    SELECT c.oid::regclass::text,
           CASE WHEN p.is_unlogged THEN 'unlogged' ELSE 'logged' END, p.updated_at
      FROM {table} p
      JOIN pg_class c ON true
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname || '.' || c.relname = p.parent_table AND c.relkind = 'p'
"""


@cache
def _queries() -> tuple[tuple[str, str], ...]:
    folder = files(__package__) / "queries"
    texts = {
        entry.name.removesuffix(".sql"): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    }
    return tuple(sorted(texts.items()))


def snapshot(
    connection: psycopg.Connection[Any],
    *,
    schemas: Sequence[str] | None = None,
    runtime_parents: Sequence[str] = names.RUNTIME_PARTITIONED,
    by_clock: bool = True,
) -> Snapshot:
    """Return everything the catalog of this database says, free of ids and data.

    Left out: system schemas, what belongs to an extension, `alembic_version` and
    the runner's journal. *schemas* narrows it to those schemas.

    Partitions that come and go at run time are a property of their parent: those of
    *runtime_parents* and, *by_clock*, the partitions of any table partitioned by RANGE
    over a date or time; who compares the moments before and after a change sees these
    one by one. Their distinct forms are kept as ``partitions``, what is wrong
    with one of them as ``partition faults``; their names and number do not count.
    Other partitions (LIST, HASH) are ordinary tables.

    Settings of the session are as before afterwards; nothing is written. Raises
    Refused where a hardened server does not let this login read its catalog.
    """
    queries = dict(_queries())
    found: dict[Key, CatalogObject] = {}
    with _reading(connection) as cursor:
        scope = _scope(
            cursor,
            queries.pop("_scope"),
            {
                "schemas": None if schemas is None else list(schemas),
                "runtime_parents": list(runtime_parents),
                "by_clock": by_clock,
            },
        )
        partitions = queries.pop("partition")
        for text in queries.values():
            for item in _objects(cursor, text, scope):
                found[item.key] = item
        if scope["partitions"]:
            _attach(found, _partitions(cursor, partitions, scope), cursor)
        version = connection.info.server_version
    return Snapshot(version, dict(sorted(found.items())))


@contextmanager
def _reading(
    connection: psycopg.Connection[Any],
) -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
    with (
        connection.transaction(force_rollback=True),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        cursor.execute(_SESSION)
        try:
            yield cursor
        except psycopg.errors.InsufficientPrivilege as error:
            raise Refused(
                f"login {connection.info.user!r} may not read the catalog: "
                f"{first_line(error)}",
                hint="use a login that may, such as platform_migrator",
            ) from error


def _scope(
    cursor: psycopg.Cursor[tuple[Any, ...]], text: str, asked: dict[str, Any]
) -> dict[str, Any]:
    hidden = {
        "hidden_schemas": list(HIDDEN_SCHEMAS),
        "hidden_relations": list(HIDDEN_RELATIONS),
    }
    cursor.execute(text.encode(), {**hidden, **asked})
    namespaces, relations, partitions = cursor.fetchone() or ([], [], [])
    return {
        "namespaces": namespaces,
        "relations": relations,
        "partitions": partitions,
    }


def _objects(
    cursor: psycopg.Cursor[tuple[Any, ...]], text: str, scope: dict[str, Any]
) -> Iterator[CatalogObject]:
    cursor.execute(text.encode(), scope)
    for kind, identity, parent, raw in cursor:
        yield CatalogObject(Key(kind, identity), parent, properties(kind, raw))


def _partitions(
    cursor: psycopg.Cursor[tuple[Any, ...]], text: str, scope: dict[str, Any]
) -> list[Partition]:
    cursor.execute(text.encode(), scope)
    return [
        Partition(name, parent, bound, detaching, properties("table", form))
        for name, parent, bound, detaching, form in cursor
    ]


def _attach(
    found: dict[Key, CatalogObject],
    partitions: Sequence[Partition],
    cursor: psycopg.Cursor[tuple[Any, ...]],
) -> None:
    """Hang what the *partitions* look like on their parents in *found*."""
    policies = _policies(cursor)
    for parent in sorted({partition.parent for partition in partitions}):
        table = found.get(Key("table", parent))
        if table is None:  # a partition of a partition: its parent is summarised too
            continue
        mine = [partition for partition in partitions if partition.parent == parent]
        extra = {
            "partitions": forms(mine),
            "partition faults": faults(mine, table, policies.get(parent)),
        }
        present = {name: value for name, value in extra.items() if value}
        found[table.key] = CatalogObject(
            table.key, table.parent, {**table.properties, **present}
        )


def _policies(cursor: psycopg.Cursor[tuple[Any, ...]]) -> dict[str, Policy]:
    """Return the persistence that each parent's policy asks for.

    Nothing where there is no policy, where this login may not read them, or where
    the table itself has drifted: that is for the comparison to say.
    """
    cursor.execute(_POLICIES_READABLE, [names.PARTITION_POLICIES])
    if cursor.fetchone() != (True,):
        return {}
    try:
        with cursor.connection.transaction():
            cursor.execute(_POLICIES.format(table=names.PARTITION_POLICIES).encode())
            return {
                parent: Policy(persistence, since)
                for parent, persistence, since in cursor.fetchall()
            }
    except psycopg.ProgrammingError:
        return {}
