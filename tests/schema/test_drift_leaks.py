"""Snapshots before and after: whatever a downgrade leaves behind is seen."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from ai_platform.catalog import Snapshot, diff, render, snapshot

from .leak_cases import GROUND, LEAKS, Leak

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.cluster import Cluster


class Ground:
    """A small shop in a database of its own, and the names to plant leaks with."""

    def __init__(self, connection: psycopg.Connection[Any], role: str) -> None:
        self.connection = connection
        self.names = {
            "role": sql.Identifier(role),
            "database": sql.Identifier(connection.info.dbname),
        }
        self.run(GROUND)
        self.before = snapshot(connection)

    def run(self, text: str) -> None:
        """Execute *text* with the names of this ground filled in."""
        statement = sql.SQL(text).format(**self.names)  # type: ignore[arg-type]
        self.connection.execute(statement)

    def after(self, text: str) -> Snapshot:
        """Return the snapshot after *text*, which is rolled back."""
        with self.connection.transaction(force_rollback=True):
            self.run(text)
            return snapshot(self.connection)


@pytest.fixture(scope="module")
def ground(cluster: Cluster) -> Iterator[Ground]:
    """Give the shop; its role belongs to this module alone."""
    name, role = cluster.create(), f"t_leak_{secrets.token_hex(4)}"
    try:
        with cluster.connect(name) as connection:
            yield Ground(connection, role)
    finally:
        cluster.drop(name)
        cluster.execute("DROP ROLE IF EXISTS {role}", role=role)


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.label)
def test_every_planted_leak_is_seen(ground: Ground, leak: Leak) -> None:
    """One thing changed and not changed back is reported, and nothing after undo."""
    if ground.connection.info.server_version < leak.since * 10000:
        pytest.skip(f"needs PostgreSQL {leak.since}")
    query = "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"
    if "pg_trgm" in leak.sql and not ground.connection.execute(query).fetchone():
        pytest.skip("this server has no pg_trgm")

    assert diff(ground.before, ground.after(leak.sql))
    assert diff(ground.before, snapshot(ground.connection)) == []


NEW_DAYS = """
    CREATE TABLE shop.day3 PARTITION OF shop.days
        FOR VALUES FROM ('2026-01-03 00:00+00') TO ('2026-01-04 00:00+00');
    DROP TABLE shop.day1;
"""
QUIET = {
    "new and expired days": NEW_DAYS,
    "rows": "INSERT INTO shop.days VALUES ('2026-01-01 12:00+00', 1)",
    "sequence position": "SELECT nextval('shop.numbers')",
    "the same again": "DROP INDEX shop.ix_note;"
    "CREATE INDEX ix_note ON shop.orders (note)",
    "rights given and taken": "GRANT INSERT ON shop.customer TO {role};"
    "REVOKE INSERT ON shop.customer FROM {role}",
    "a role elsewhere": "ALTER ROLE {role} SET jit = off; ALTER ROLE {role} LOGIN",
    "analyze": "ANALYZE shop.orders",
    "version table": "CREATE TABLE public.alembic_version (version_num varchar(32))",
    "journal": "CREATE SCHEMA platform_meta; CREATE TABLE platform_meta.runs (id int)",
}


@pytest.mark.parametrize("label", QUIET)
def test_what_is_no_schema_stays_silent(ground: Ground, label: str) -> None:
    """Rows, days, positions and other databases' affairs are no drift."""
    assert render(diff(ground.before, ground.after(QUIET[label]))) == ""


def test_two_readings_are_one_text(ground: Ground) -> None:
    """Equal catalogs give equal bytes, so that snapshots may be kept and compared."""
    first, second = ground.before.to_json(), snapshot(ground.connection).to_json()

    assert first == second
    assert len(ground.before) > 40


def test_a_snapshot_leaves_the_session_alone(ground: Ground) -> None:
    """Reading the catalog must not change search_path or time zone of the caller."""
    settings = "SELECT current_setting('search_path'), current_setting('timezone')"
    before = ground.connection.execute(settings).fetchone()

    snapshot(ground.connection)

    assert ground.connection.execute(settings).fetchone() == before


def test_a_schema_alone_can_be_read(ground: Ground) -> None:
    """`schemas` narrows the snapshot to what lies in them."""
    kinds = {item.key.kind for item in snapshot(ground.connection, schemas=["shop"])}
    other = snapshot(ground.connection, schemas=["public"])

    assert {"table", "view", "trigger", "policy"} <= kinds
    assert ("table", "shop.orders") not in other
