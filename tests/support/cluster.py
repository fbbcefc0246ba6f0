"""One PostgreSQL for the whole test session: embedded, or TEST_DATABASE_URL."""

from __future__ import annotations

import hashlib
import itertools
import os
import secrets
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql

from ai_platform.connection import Target
from ai_platform.server import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UNSAFE", "Cluster"]

UNSAFE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""Settings for a server whose data nobody will miss."""

# Without WAL to ship a copied file is a fifth of the cost of a logged one.
_NO_REPLICATION = {"wal_level": "minimal", "max_wal_senders": "0"}
_ROOM = 4 << 30
_MEMBERS = ("app", "worker", "readonly", "log_writer")
# two sessions of tests on one cluster meet in the catalog of roles
_TRIES = 12
_COLLISIONS = {"XX000", "23505", "42710", "40001"}


class Cluster:
    """A server on which the tests are superuser; *target* is its database postgres."""

    def __init__(self, url: str) -> None:
        self.target = Target(url, "tests").with_database("postgres")
        self._prefix = f"t_{os.getpid()}_{secrets.token_hex(3)}"
        self._numbers = itertools.count(1)
        with self.connect() as connection:
            level = connection.execute("SHOW wal_level").fetchone()
        self._strategy = "file_copy" if level == ("minimal",) else "wal_log"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Connect to *database* as superuser, in autocommit."""
        url = self.target.with_database(database).url
        return psycopg.connect(url, autocommit=True, application_name="tests")

    def execute(self, statement: LiteralString, **names: str) -> None:
        """Run one statement on database postgres; *names* are put in as identifiers."""
        identifiers = {key: sql.Identifier(name) for key, name in names.items()}
        with self.connect() as connection:
            connection.execute(sql.SQL(statement).format(**identifiers))

    def create(self, template: str = "template1", label: str = "") -> str:
        """Create a database with a name nobody else uses, and return the name."""
        name = f"{self._prefix}_{next(self._numbers)}{label}"
        self._once_free(
            "CREATE DATABASE {name} TEMPLATE {template} STRATEGY {strategy}",
            name=name,
            template=template,
            strategy=self._strategy,
        )
        return name

    def drop(self, name: str) -> None:
        """Drop database *name* with whatever is connected to it."""
        self._once_free("DROP DATABASE IF EXISTS {name} WITH (FORCE)", name=name)

    def _once_free(self, statement: LiteralString, **names: str) -> None:
        """Run *statement*; sessions that were told to end may take their time.

        The server waits for them for five seconds, each time it is asked.
        """
        for _ in range(_TRIES - 1):
            with suppress(psycopg.errors.ObjectInUse):
                return self.execute(statement, **names)
        return self.execute(statement, **names)

    def login(self, role: str) -> Target:
        """Return the target of a login that works in *role*, such as ``app``.

        The login ``t_app`` is a member of ``platform_app``; for ``migrator`` it is
        ``platform_migrator`` itself.
        """
        if role not in (*_MEMBERS, "migrator"):
            raise ValueError(f"no such role: got {role!r}")
        login = "platform_migrator" if role == "migrator" else f"t_{role}"
        self._retry(login, f"platform_{role}")
        parts = urlsplit(self.target.url)
        user = quote(login) + (f":{self._password}" if self._password else "")
        host = parts.netloc.rpartition("@")[2]
        return Target(
            f"postgresql://{user}@{host}{parts.path}"
            + (f"?{parts.query}" if parts.query else ""),
            "tests",
        )

    @property
    def _password(self) -> str:
        """Return the test logins' password: the same for all sessions on one server."""
        if not urlsplit(self.target.url).password:
            return ""
        return hashlib.sha256(self.target.url.encode()).hexdigest()[:32]

    def _retry(self, login: str, role: str) -> None:
        for _ in range(20):
            try:
                return self._ensure(login, role)
            except psycopg.Error as error:
                if error.sqlstate not in _COLLISIONS:
                    raise
                time.sleep(0.1)
        raise RuntimeError(f"role {login} is changed by others all the time")

    def _ensure(self, login: str, role: str) -> None:
        """Make *login* exist, with our password, and be a member of *role*."""
        with self.connect() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('test logins'))")
            parts = {"login": sql.Identifier(login), "role": sql.Identifier(role)}
            query = "SELECT 1 FROM pg_roles WHERE rolname = %s"
            if connection.execute(query, [login]).fetchone() is None:
                connection.execute(sql.SQL("CREATE ROLE {login} LOGIN").format(**parts))
            if self._password:
                word = sql.Literal(self._password)
                statement = sql.SQL("ALTER ROLE {login} PASSWORD {word}")
                connection.execute(statement.format(word=word, **parts))
            query = """SELECT 1 FROM pg_auth_members
                        WHERE roleid = %s::regrole AND member = %s::regrole"""
            if (
                login != role
                and not connection.execute(query, [role, login]).fetchone()
            ):
                connection.execute(sql.SQL("GRANT {role} TO {login}").format(**parts))


def pytest_report_header() -> str:
    """Say which PostgreSQL the tests run on."""
    url = os.environ.get("TEST_DATABASE_URL")
    if not url:
        return f"PostgreSQL: embedded {EmbeddedServer().status().version}"
    with Cluster(url).connect() as connection:
        return f"PostgreSQL: {connection.info.parameter_status('server_version')}"


def _memory() -> str | None:
    """Return a folder in memory with room for the data, where the system has one."""
    place = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    if not os.access(place, os.W_OK) or shutil.disk_usage(place).free < _ROOM:
        return None
    return str(place)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Give the server of this session; one of our own ends with it."""
    url = os.environ.get("TEST_DATABASE_URL")
    if url:
        yield Cluster(url)
        return
    folder = Path(tempfile.mkdtemp(prefix="platform-tests-", dir=_memory()))
    server = EmbeddedServer(folder, options={**UNSAFE, **_NO_REPLICATION})
    try:
        server.start()
        yield Cluster(server.url())
    finally:
        server.stop(mode="immediate")
        shutil.rmtree(folder)
