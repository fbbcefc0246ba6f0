"""The way back takes what the way up made, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from tests.support.catalogs import assert_same_catalog, catalog_of

if TYPE_CHECKING:
    from tests.support.database import Database
    from tests.support.programs import Run

EXISTS = "SELECT to_regrole(%s) IS NOT NULL"


def _there_and_back(database: Database, run: Run) -> None:
    environment = database.environment()
    run("alembic", "upgrade", "head", env=environment, check=True)
    run("alembic", "downgrade", "base", env=environment, check=True)


def test_what_a_dba_prepared_stays(
    database: Database, empty: Database, run: Run
) -> None:
    """An extension and a right that were there before are there afterwards."""
    del database  # its roles are what the right below is given to
    session = empty.connect()
    name = sql.Identifier(empty.name)
    session.execute("CREATE EXTENSION vector")
    session.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO platform_readonly").format(name)
    )
    session.execute("GRANT USAGE ON SCHEMA public TO platform_app")
    before = catalog_of(empty)

    _there_and_back(empty, run)

    assert_same_catalog(before, catalog_of(empty))


def test_an_extension_in_use_stays(empty: Database, run: Run) -> None:
    """A table that somebody built on vector meanwhile does not lose its column."""
    environment = empty.environment()
    run("alembic", "upgrade", "head", env=environment, check=True)
    session = empty.connect()
    session.execute("CREATE TABLE public.theirs (v vector(3))")

    done = run("alembic", "downgrade", "base", env=environment, check=True)

    assert "extension vector stays" in done.stderr
    assert session.execute("SELECT count(v) FROM public.theirs").fetchone() == (0,)


def test_roles_stay_while_a_database_needs_them(
    database: Database, empty: Database, run: Run
) -> None:
    """Going back in one database takes nothing from the other one."""
    _there_and_back(empty, run)

    session = database.connect("app")
    assert session.execute(EXISTS, ["platform_owner"]).fetchone() == (True,)
    assert session.execute("SELECT count(*) FROM auth.users").fetchone() == (0,)


@pytest.mark.parametrize("detach", [False, True])
def test_later_partitions_go_with_their_parents(
    empty: Database, run: Run, *, detach: bool
) -> None:
    """A day made since, attached or just taken off, does not bar the way back."""
    before = catalog_of(empty)
    environment = empty.environment()
    run("alembic", "upgrade", "head", env=environment, check=True)
    session = empty.connect(role="platform_owner")
    day = "now() + interval '20 days'"
    session.execute(f"SELECT monitoring.ensure_partitions('monitoring.metrics', {day})")
    if detach:
        query = "SELECT max(partition::text) FROM monitoring.partition_ranges(%s)"
        [last] = session.execute(query, ["monitoring.metrics"]).fetchone() or [""]
        session.execute(f"ALTER TABLE monitoring.metrics DETACH PARTITION {last}")

    run("alembic", "downgrade", "base", env=environment, check=True)

    assert_same_catalog(before, catalog_of(empty))
