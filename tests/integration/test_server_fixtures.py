"""The ground the other tests stand on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from tests.support.database import carry_over

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


@pytest.mark.parametrize("role", ["app", "worker", "readonly", "log_writer"])
def test_a_member_login_works_in_its_role(database: Database, role: str) -> None:
    """Suites meet row security as production does: no superuser, no owner."""
    query = "SELECT session_user::text, pg_has_role(%s, 'MEMBER'), rolsuper"
    query += " FROM pg_roles WHERE rolname = session_user"

    row = database.connect(role).execute(query, [f"platform_{role}"]).fetchone()
    assert row == (f"t_{role}", True, False)


def test_the_migrator_is_the_real_one(database: Database) -> None:
    """Revisions are tested under the login that production uses."""
    connection = database.connect("migrator", role="platform_owner")

    row = connection.execute("SELECT session_user::text, current_user::text").fetchone()
    assert row == ("platform_migrator", "platform_owner")


def test_a_clone_lacks_nothing(empty: Database, cluster: Cluster) -> None:
    """CREATE DATABASE leaves out settings and rights; the fixture brings them along."""
    source, clone = sql.Identifier(empty.name), cluster.create()
    settings = """
        SELECT setrole, setconfig FROM pg_db_role_setting s
          JOIN pg_database d ON d.oid = s.setdatabase WHERE datname = %s ORDER BY 1
    """
    rights = """
        SELECT grantee, privilege_type, is_grantable
          FROM pg_database d, aclexplode(d.datacl) WHERE datname = %s ORDER BY 1, 2
    """
    with cluster.connect() as connection:
        for statement in (
            """ALTER DATABASE {} SET search_path TO "odd, name", public""",
            "ALTER ROLE CURRENT_USER IN DATABASE {} SET statement_timeout TO '7min'",
            "REVOKE TEMP ON DATABASE {} FROM PUBLIC",
            "GRANT CREATE ON DATABASE {} TO pg_monitor WITH GRANT OPTION",
        ):
            connection.execute(sql.SQL(statement).format(source))
        carry_over(cluster, empty.name, clone)
        for query in (settings, rights):
            original = connection.execute(query, [empty.name]).fetchall()
            assert len(original) >= 2
            assert original == connection.execute(query, [clone]).fetchall()
    cluster.drop(clone)
