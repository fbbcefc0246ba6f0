"""Superuser, database owner, migrator: three ways in, one catalog, and back out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.catalog import diff
from ai_platform.runner import offline
from tests.support.catalogs import assert_same_catalog, catalog_of
from tests.support.environment import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.connection import Target
    from tests.support.cluster import Cluster
    from tests.support.database import Database
    from tests.support.programs import Run


@pytest.fixture
def owner(cluster: Cluster, empty: Database) -> Iterator[Target]:
    """Give a login with CREATEROLE that owns a database with `vector`, as on RDS."""
    # the server may be that of another session of tests as well
    login = f"{empty.name}_owner"
    with cluster.connect() as session:
        session.execute(f"CREATE ROLE {login} LOGIN CREATEROLE".encode())
        session.execute(f"ALTER DATABASE {empty.name} OWNER TO {login}".encode())
        for role in ("platform_owner", "platform_app"):
            # roles that an earlier database of this cluster made are not its own
            exists = session.execute("SELECT to_regrole(%s)", [role]).fetchone()
            if exists != (None,):
                how = "ADMIN TRUE, INHERIT FALSE, SET TRUE"
                session.execute(f"GRANT {role} TO {login} WITH {how}".encode())
    with empty.connect() as session:
        session.execute("CREATE EXTENSION vector")
    yield empty.as_login(login)
    empty.close()
    with empty.connect() as session:
        session.execute(f"REASSIGN OWNED BY {login} TO CURRENT_USER".encode())
        session.execute(f"DROP OWNED BY {login} CASCADE".encode())
    with cluster.connect() as session:
        session.execute(f"ALTER DATABASE {empty.name} OWNER TO CURRENT_USER".encode())
        _forget_grants(cluster, login)
        session.execute(f"DROP ROLE {login}".encode())


def _forget_grants(cluster: Cluster, login: str) -> None:
    """Take back what *login* granted, so that it can be dropped."""
    query = """
        SELECT m.roleid::regrole::text, m.member::regrole::text
          FROM pg_auth_members m WHERE m.grantor = %s::regrole
    """
    with cluster.connect() as session:
        for role, member in session.execute(query, [login]).fetchall():
            revoke = f"REVOKE {role} FROM {member} GRANTED BY {login} CASCADE"
            session.execute(revoke.encode())


def test_a_database_owner_installs_everything(
    database: Database, empty: Database, owner: Target, run: Run
) -> None:
    """CREATEROLE, the database and an installed `vector` are enough."""
    done = run(
        "alembic", "upgrade", "head", env=clean_environment(DATABASE_URL=owner.url)
    )

    assert done.returncode == 0, done.stderr
    assert _without_extension_extras(database, empty) == []


def test_a_database_owner_goes_back(empty: Database, owner: Target, run: Run) -> None:
    """Downgrade to base as the same login leaves what was there: `vector` stays."""
    before = catalog_of(empty)
    environment = clean_environment(DATABASE_URL=owner.url)
    for command in (("upgrade", "head"), ("downgrade", "base")):
        done = run("alembic", *command, env=environment, timeout=120)
        assert done.returncode == 0, done.stderr

    assert_same_catalog(before, catalog_of(empty))


@pytest.fixture
def migrator(empty: Database) -> Target:
    """Give platform_migrator on a database that a DBA has prepared."""
    with empty.connect() as session:
        session.execute(offline.bootstrap().encode())
    return empty.login("migrator")


def test_a_migrator_installs_after_the_dba(
    database: Database, empty: Database, migrator: Target, run: Run
) -> None:
    """With the bootstrap run by a DBA, a login without any attribute does the rest."""
    done = run(
        "alembic", "upgrade", "head", env=clean_environment(DATABASE_URL=migrator.url)
    )

    assert done.returncode == 0, done.stderr
    assert_same_catalog(catalog_of(database), catalog_of(empty))


def test_a_migrator_goes_back_to_what_the_dba_made(
    empty: Database, migrator: Target, run: Run
) -> None:
    """Downgrade to base keeps roles, rights and extension: the DBA made them."""
    before = catalog_of(empty)
    environment = clean_environment(DATABASE_URL=migrator.url)
    for command in (("upgrade", "head"), ("downgrade", "base")):
        done = run("alembic", *command, env=environment, timeout=120)
        assert done.returncode == 0, done.stderr

    assert_same_catalog(before, catalog_of(empty))


def test_a_migrator_runs_every_alembic_command(database: Database, run: Run) -> None:
    """current, history, check, stamp and a step down and up work as member login."""
    environment = database.environment("migrator")
    for command in (
        ("current",),
        ("history",),
        ("check",),
        ("stamp", "head"),
        ("downgrade", "-1"),
        ("upgrade", "+1"),
        ("upgrade", "head"),
    ):
        done = run("alembic", *command, env=environment)
        assert done.returncode == 0, (command, done.stderr)


def test_everything_belongs_to_the_owner_role(database: Database) -> None:
    """Whoever installed: tables, functions and schemas belong to platform_owner."""
    strangers = database.connect().execute(
        """
        SELECT c.oid::regclass::text FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = ANY (%(schemas)s) OR c.relname = 'alembic_version'
        EXCEPT
        SELECT oid::regclass::text FROM pg_class
         WHERE relowner = 'platform_owner'::regrole
        UNION ALL
        SELECT nspname FROM pg_namespace
         WHERE nspname = ANY (%(schemas)s) AND nspowner <> 'platform_owner'::regrole
        """,
        {"schemas": ["auth", "data_platform", "logs", "monitoring", "platform_meta"]},
    )

    assert strangers.fetchall() == []


def _without_extension_extras(expected: Database, actual: Database) -> list[str]:
    """Return differences, but for what the server lets only a superuser have."""
    return [
        str(item)
        for item in diff(catalog_of(expected), catalog_of(actual))
        if item.kind not in ("extension", "database")
    ]
