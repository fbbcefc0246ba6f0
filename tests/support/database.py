"""A database per test: empty, or a clone of one at the newest revision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from ai_platform.connection import Target

from .environment import clean_environment
from .programs import run_program
from .waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from .cluster import Cluster

__all__ = ["Database", "carry_over"]

# settings that are lists of names are stored already quoted
_LISTS = {"search_path", "temp_tablespaces", "session_preload_libraries"}


class Database:
    """A database of one test; what it opened is closed when the test ends."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.target = cluster.target.with_database(name)
        self._connections: list[psycopg.Connection[Any]] = []
        self._engines: list[Engine] = []

    @property
    def url(self) -> str:
        """Return the superuser's URL."""
        return self.target.url

    def login(self, role: str) -> Target:
        """Return the target of a member login of *role*, such as ``app``."""
        return self.cluster.login(role).with_database(self.name)

    def as_login(self, name: str) -> Target:
        """Return the target of login *name*, which a test made without a password."""
        scheme, _, rest = self.url.partition("://")
        host = rest.rpartition("@")[2]
        return Target(f"{scheme}://{quote(name)}@{host}", "tests")

    def connect(
        self,
        login: str | None = None,
        *,
        role: str | None = None,
        autocommit: bool = True,
        **options: Any,
    ) -> psycopg.Connection[Any]:
        """Connect as superuser, or as a member *login* such as ``app``.

        With *role* under SET ROLE, such as ``platform_owner``.
        """
        target = self.login(login) if login else self.target
        connection: psycopg.Connection[Any] = psycopg.connect(
            target.url, autocommit=autocommit, application_name="tests", **options
        )
        self._connections.append(connection)
        if role is not None:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            if not autocommit:
                connection.commit()
        return connection

    def engine(self, login: str | None = None) -> Engine:
        """Return an SQLAlchemy engine that keeps no connection open."""
        from sqlalchemy import NullPool, create_engine  # noqa: PLC0415 - slow to import

        target = self.login(login) if login else self.target
        engine = create_engine(target.sqlalchemy_url, poolclass=NullPool)
        self._engines.append(engine)
        return engine

    def environment(self, login: str | None = None, **more: str) -> dict[str, str]:
        """Return a clean environment for programs that shall use this database."""
        target = self.login(login) if login else self.target
        return clean_environment(DATABASE_URL=target.url, **more)

    def until_gone(self, backend: int) -> None:
        """Wait until the server process *backend* is gone, and its locks with it.

        Its client knows of the end before that: the farewell is sent first.
        """
        query = "SELECT FROM pg_stat_activity WHERE pid = %s"
        watch = self.connect()
        until(lambda: watch.execute(query, [backend]).fetchone() is None)

    def close(self) -> None:
        """Close what the test opened."""
        for connection in self._connections:
            connection.close()
        for engine in self._engines:
            engine.dispose()


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Database]:
    """Give a database with nothing in it."""
    yield from _until_dropped(cluster, cluster.create())


@pytest.fixture
def other(cluster: Cluster) -> Iterator[Database]:
    """Give a second database with nothing in it, on the same server."""
    yield from _until_dropped(cluster, cluster.create())


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> Iterator[str]:
    """Give the name of a database at the newest revision; nobody connects to it."""
    name = cluster.create(label="_template")
    url = cluster.target.with_database(name).url
    try:
        run_program(
            "alembic",
            "upgrade",
            "head",
            env=clean_environment(DATABASE_URL=url),
            timeout=120,
            check=True,
        )
        yield name
    finally:
        cluster.drop(name)


@pytest.fixture
def database(cluster: Cluster, template: str) -> Iterator[Database]:
    """Give a database at the newest revision."""
    name = cluster.create(template)
    carry_over(cluster, template, name)
    yield from _until_dropped(cluster, name)


def _until_dropped(cluster: Cluster, name: str) -> Iterator[Database]:
    database = Database(cluster, name)
    try:
        yield database
    finally:
        database.close()
        cluster.drop(name)


def carry_over(cluster: Cluster, template: str, name: str) -> None:
    """Give the clone what CREATE DATABASE leaves out: settings, rights, comment."""
    with cluster.connect() as connection:
        for statement in [
            *_settings(connection, template, name),
            *_rights(connection, template, name),
        ]:
            connection.execute(statement)


def _settings(
    connection: psycopg.Connection[Any], template: str, name: str
) -> Iterator[sql.Composed]:
    query = """
        SELECT r.rolname, split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
          FROM pg_db_role_setting s
          JOIN pg_database d ON d.oid = s.setdatabase
          LEFT JOIN pg_roles r ON r.oid = s.setrole
         CROSS JOIN unnest(s.setconfig) AS c
         WHERE d.datname = %s
    """
    for role, setting, value in connection.execute(query, [template]).fetchall():
        where = sql.SQL("DATABASE {}").format(sql.Identifier(name))
        if role is not None:
            where = sql.SQL("ROLE {} IN ").format(sql.Identifier(role)) + where
        text = sql.SQL(value) if setting in _LISTS else sql.Literal(value)
        yield sql.SQL("ALTER {} SET {} TO {}").format(
            where, sql.Identifier(*setting.split(".")), text
        )


def _rights(
    connection: psycopg.Connection[Any], template: str, name: str
) -> Iterator[sql.Composed]:
    query = """
        SELECT CASE WHEN a.grantee = 0 THEN NULL ELSE a.grantee::regrole::text END,
               a.privilege_type, a.is_grantable
          FROM pg_database d CROSS JOIN aclexplode(d.datacl) AS a
         WHERE d.datname = %s
    """
    rights = connection.execute(query, [template]).fetchall()
    database = sql.Identifier(name)
    if rights:
        yield sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database)
    for grantee, privilege, grantable in rights:
        yield sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
            sql.SQL(privilege),
            database,
            sql.SQL(grantee or "PUBLIC"),
            sql.SQL(" WITH GRANT OPTION" if grantable else ""),
        )
