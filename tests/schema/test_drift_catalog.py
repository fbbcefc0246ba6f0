"""Our own catalog, property by property: whatever changes is seen, and nothing else."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from ai_platform.catalog import Snapshot, diff, snapshot
from tests.support.catalogs import catalog_of

from .mutations import TEMPLATES, Mutation, mutations

if TYPE_CHECKING:
    from tests.support.database import Database

SCHEMA = re.compile(r"(?:^| on )([a-z_]+)\.")
PARTITIONS = """
    SELECT inhrelid::regclass::text FROM pg_inherits
     WHERE inhparent IN ('public.request_logs'::regclass, 'logs.audit_log'::regclass,
                         'data_platform.chunk_embeddings'::regclass)
     ORDER BY 1
"""


def planned(database: Database, catalog: Snapshot) -> list[Mutation]:
    """Return every mutation of *database*, in a stable order."""
    connection = database.connect()
    connection.execute("SET search_path = pg_catalog")
    names = [name for (name,) in connection.execute(PARTITIONS).fetchall()]
    return sorted(mutations(catalog, names))


class Judge:
    """Reads the schema of a mutation first, all of the catalog only if in doubt.

    What is seen in a part of the catalog is seen in the whole of it.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], whole: dict[str | None, Snapshot]
    ) -> None:
        self._connection = connection
        self._before = whole

    def prepare(self, schema: str | None) -> None:
        """Read *schema* as it is before it is changed, once."""
        if schema not in self._before:
            self._before[schema] = snapshot(self._connection, schemas=[str(schema)])

    def sees(self, schema: str | None) -> bool:
        """Return whether *schema*, or else anything, differs from before."""
        narrow = None if schema is None else [schema]
        now = snapshot(self._connection, schemas=narrow)
        if diff(self._before[schema], now):
            return True
        return schema is not None and self.sees(None)


def schema_of(mutation: Mutation) -> str | None:
    """Return the schema in which *mutation* happens, None where it is in none."""
    found = SCHEMA.search(mutation.identity)
    return found[1] if found else None


def unseen(database: Database, catalog: Snapshot, chosen: list[Mutation]) -> list[str]:
    """Return the mutations of *chosen* that the judge does not see, or cannot run."""
    connection = database.connect()
    connection.execute("SET check_function_bodies = off")
    judge = Judge(connection, {None: catalog})
    missed: list[str] = []
    for mutation in chosen:
        schema = schema_of(mutation)
        judge.prepare(schema)
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(mutation.sql.encode())
                if not judge.sees(schema):
                    missed.append(mutation.sql)
        except psycopg.Error as error:
            missed.append(f"{mutation.sql}: {error}")
    return missed


@pytest.mark.slow
def test_one_change_of_each_kind_is_seen(database: Database) -> None:
    """For every kind of object and every property of it, one example."""
    catalog = catalog_of(database)
    groups = groupby(planned(database, catalog), key=lambda found: found[:2])
    # one from the middle: the first ones are often special
    chosen = [(options := list(group))[len(options) // 2] for _, group in groups]

    assert len(chosen) > 50
    assert unseen(database, catalog, chosen) == []
    assert diff(catalog, catalog_of(database)) == []


def test_drifted_policies_are_told_not_tripped_over(database: Database) -> None:
    """The one table that a snapshot reads may itself have drifted."""
    catalog = catalog_of(database)
    table = "monitoring.partition_policies"
    chosen = [
        Mutation("column", "name", table, f"ALTER TABLE {table} RENAME {name} TO x")
        for name in ("is_unlogged", "parent_table")
    ]

    assert unseen(database, catalog, chosen) == []


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", sorted(TEMPLATES))
def test_every_change_of_every_object_is_seen(database: Database, kind: str) -> None:
    """Each property of each object in turn: none missed, no alarm when undone."""
    catalog = catalog_of(database)
    chosen = [found for found in planned(database, catalog) if found.kind == kind]

    assert unseen(database, catalog, chosen) == []
    assert diff(catalog, catalog_of(database)) == []
