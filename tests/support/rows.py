"""Fill every tenant table with a valid row per organization, led by the catalog."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    import psycopg

__all__ = ["Filler", "ForeignKey", "Table", "insert"]

SCHEMAS = (
    "auth",
    "data_platform",
    "algo_platform",
    "model_platform",
    "service_platform",
    "monitoring",
)
_CHOSEN: dict[str, dict[str, Any]] = {
    "auth.roles": {"permissions": ["*:*"]},
    "auth.users": {"password_hash": "!"},
    "auth.organizations": {"settings": Jsonb({})},
    "auth.sessions": {"expires_at": "2100-01-01"},
    "data_platform.data_sources": {"source_type": "s3"},
    "data_platform.embedding_models": {"dimensions": 3, "status": "active"},
    "data_platform.chunk_embeddings": {"embedding": "[1,0,0]"},
    "data_platform.lineage_edges": {"relation": "derived"},
    "data_platform.quality_checks": {"check_type": "unique"},
    "data_platform.quality_results": {"status": "pass"},
    "service_platform.prompt_versions": {"content": Jsonb("Hello")},
    "service_platform.quotas": {"metric": "requests", "window_kind": "day"},
    "service_platform.invocations": {"operation": "chat", "status_code": 200},
    "monitoring.alert_rules": {"source": "metrics", "severity": "info"},
    "monitoring.alerts": {"severity": "info"},
    "monitoring.slos": {
        "indicator": "latency",
        "objective": "0.99",
        "window_days": 7,
    },
}
# foreign keys to follow although NULL is allowed; a CHECK or a test wants them
_FOLLOWED = {
    "data_platform.lineage_edges": {"src_data_source_id", "dst_dataset_version_id"},
    "auth.groups": {"role_id"},
    "auth.api_keys": {"user_id"},
    "data_platform.text_embeddings": {"dataset_id"},
    "service_platform.quotas": {"service_id"},
}
# made by a trigger from the parent row
_ASSIGNED = {"version", "revision"}


@dataclass(frozen=True)
class Column:
    """A column as an INSERT has to treat it."""

    name: str
    type: str
    is_needed: bool
    length: int | None


@dataclass(frozen=True)
class ForeignKey:
    """A reference: *columns* of a table to *targets* of *parent*."""

    name: str
    columns: tuple[str, ...]
    parent: str
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table with what a row of it needs."""

    name: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    references: tuple[ForeignKey, ...]

    @property
    def is_tenant(self) -> bool:
        """Return whether rows name their organization."""
        return any(column.name == "organization_id" for column in self.columns)


def identifier(name: str) -> sql.Identifier:
    """Return ``schema.table`` as an identifier."""
    return sql.Identifier(*name.split("."))


def insert(table: str, row: dict[str, Any]) -> sql.Composed:
    """Return the INSERT of *row*, with a named placeholder for each column."""
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Placeholder, row)),
    )


class Filler:
    """Rows of two organizations in every table, inserted past row security."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.tables = {table.name: table for table in _tables(connection)}
        self.rows: dict[tuple[str, int], dict[str, Any]] = {}

    def fill(self, *organizations: int) -> None:
        """Insert one row per table and organization, parents first."""
        for name in self._parents_first():
            for organization in organizations:
                row = self.row(name, organization)
                statement = insert(name, row) + sql.SQL(" RETURNING *")
                with self._connection.cursor(row_factory=dict_row) as cursor:
                    done = cursor.execute(statement, row).fetchone()
                assert done is not None, name
                self.rows[name, organization] = done
                if name == "data_platform.embedding_models":
                    self._connection.execute(
                        "SELECT data_platform.ensure_embedding_partition(%s)",
                        [done["id"]],
                    )

    def row(self, name: str, organization: int, variant: int = 0) -> dict[str, Any]:
        """Return a valid new row; other *variants* differ in every unique column."""
        table = self.tables[name]
        row: dict[str, Any] = {}
        for column in table.columns:
            if column.is_needed and column.name not in _ASSIGNED:
                row[column.name] = _value(column, f"{organization}x{variant}")
        row |= _CHOSEN.get(name, {})
        if table.is_tenant:
            row["organization_id"] = organization
        for reference in table.references:
            row |= self._reference(table, reference, organization)
        if name == "auth.organizations":
            row["id"] = organization
        if name == "service_platform.invocations":
            row |= _ledger_id(self._connection)
        return row

    def _reference(
        self, table: Table, reference: ForeignKey, organization: int
    ) -> dict[str, Any]:
        """Return the columns of *reference*, pointing to the same organization."""
        followed = _FOLLOWED.get(table.name, set())
        needed = {column.name for column in table.columns if column.is_needed}
        own = [name for name in reference.columns if name != "organization_id"]
        if reference.parent == table.name or not (needed | followed).issuperset(own):
            return {}
        parent = self.rows.get((reference.parent, organization))
        if parent is None:
            return {}
        return {
            column: parent[target]
            for column, target in zip(reference.columns, reference.targets, strict=True)
            if column != "organization_id"
        }

    def _parents_first(self) -> list[str]:
        done: list[str] = []
        waiting = {
            table.name: {r.parent for r in table.references} - {table.name}
            for table in self.tables.values()
            if table.is_tenant or table.references or table.name == "auth.organizations"
        }
        while waiting:
            ready = sorted(n for n, parents in waiting.items() if parents <= {*done})
            assert ready, waiting
            done += ready
            waiting = {n: p for n, p in waiting.items() if n not in ready}
        return done


def _ledger_id(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    query = "SELECT i, uuid_v7_timestamp(i) FROM uuid_generate_v7() AS i"
    made = connection.execute(query).fetchone()
    assert made is not None
    return {"id": made[0], "created_at": made[1]}


@cache
def _digest(word: str) -> bytes:
    return hashlib.sha256(word.encode()).digest()


def _value(column: Column, word: str) -> Any:
    """Return a value of the column's type that *word* makes unique."""
    kind = column.type
    if kind.startswith(("character", "text")):
        return f"t{word}-{column.name.replace('_', '')}"[: column.length]
    if kind == "bytea":
        return _digest(word + column.name)
    if kind == "uuid":
        return uuid.UUID(bytes=_digest(word)[:16])
    values: dict[str, Any] = {"jsonb": Jsonb({}), "date": "2026-01-06"}
    return values.get(kind, sum(map(ord, word)))


def _tables(connection: psycopg.Connection[Any]) -> list[Table]:
    query = """
        SELECT c.oid, c.oid::regclass::text FROM pg_class c
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND c.relnamespace = ANY (%s::regnamespace[])
    """
    found = connection.execute(query, [list(SCHEMAS)]).fetchall()
    return [
        Table(name, _columns(connection, oid), *_constraints(connection, oid))
        for oid, name in found
    ]


def _columns(connection: psycopg.Connection[Any], oid: int) -> tuple[Column, ...]:
    query = """
        SELECT attname, format_type(atttypid, NULL),
               attnotnull AND NOT atthasdef AND attidentity = '',
               NULLIF(atttypmod, -1) - 4
          FROM pg_attribute
         WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
    """
    return tuple(Column(*row) for row in connection.execute(query, [oid]).fetchall())


def _constraints(
    connection: psycopg.Connection[Any], oid: int
) -> tuple[tuple[str, ...], tuple[ForeignKey, ...]]:
    """Return the primary key and the references of a table."""
    query = """
        SELECT conname, contype, confrelid::regclass::text,
               ARRAY(SELECT attname FROM unnest(conkey) WITH ORDINALITY AS k(n, i)
                       JOIN pg_attribute ON attrelid = conrelid AND attnum = n
                      ORDER BY i)::text[],
               ARRAY(SELECT attname FROM unnest(confkey) WITH ORDINALITY AS k(n, i)
                       JOIN pg_attribute ON attrelid = confrelid AND attnum = n
                      ORDER BY i)::text[]
          FROM pg_constraint WHERE conrelid = %s AND contype IN ('p', 'f')
         ORDER BY cardinality(conkey), conname
    """
    keys: tuple[str, ...] = ()
    references: list[ForeignKey] = []
    for name, kind, parent, columns, targets in connection.execute(query, [oid]):
        if kind == "p":
            keys = tuple(columns)
        else:
            references.append(ForeignKey(name, tuple(columns), parent, tuple(targets)))
    return keys, tuple(references)
