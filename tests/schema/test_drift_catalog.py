"""Our own catalog, property by property: whatever changes is seen, and nothing else."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import psycopg
import pytest

from ai_platform.catalog import Snapshot, diff, snapshot
from tests.support.catalogs import catalog_of

from .mutations import TEMPLATES, Mutation, mutations

if TYPE_CHECKING:
    from tests.support.database import Database

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


def unseen(database: Database, catalog: Snapshot, chosen: list[Mutation]) -> list[str]:
    """Return the mutations of *chosen* that the judge does not see, or cannot run."""
    connection = database.connect()
    connection.execute("SET check_function_bodies = off")
    missed: list[str] = []
    for mutation in chosen:
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(mutation.sql.encode())
                if not diff(catalog, snapshot(connection)):
                    missed.append(mutation.sql)
        except psycopg.Error as error:
            missed.append(f"{mutation.sql}: {error}")
    return missed


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
