"""The ground the other tests stand on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.cluster import Cluster
    from tests.support.database import Database
    from tests.support.programs import Run


def test_a_database_is_a_new_one(empty: Database, cluster: Cluster) -> None:
    """A test sees neither another test's tables nor another session's databases."""
    tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"

    assert empty.name.startswith(f"t_{os.getpid()}_")
    assert empty.connect().execute(tables).fetchone() == (0,)
    with cluster.connect() as connection:
        assert connection.info.user == empty.connect().info.user


def test_the_shell_steers_no_test(run: Run) -> None:
    """A developer's DATABASE_URL or PGHOST decides nothing here."""
    shown = run("env", check=True).stdout.splitlines()
    names = {line.partition("=")[0] for line in shown}

    assert not {"DATABASE_URL", "POSTGRES_URL", "PGHOST"} & names
    assert "PLATFORM_PGDATA=/dev/null/no-embedded-server" in shown


def test_an_engine_reaches_the_same_database(empty: Database) -> None:
    """SQLAlchemy and psycopg get there by the same target."""
    with empty.engine().connect() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()

    assert empty.name == name
