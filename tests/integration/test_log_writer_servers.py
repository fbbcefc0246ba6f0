"""Both log writers and a server that is stopped, full, or behind a pooler."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ai_platform.server import EmbeddedServer
from tests.support.cluster import UNSAFE
from tests.support.environment import clean_environment
from tests.support.programs import run_program
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.database import Database
    from tests.support.writers import Writing

LOGIN = """CREATE ROLE service LOGIN PASSWORD 'open-sesame';
           GRANT platform_log_writer TO service"""


class Own:
    """A server at the newest revision that tests may stop and start."""

    def __init__(self, home: Path) -> None:
        self.server = EmbeddedServer(home, options=UNSAFE)
        self.server.start()
        env = clean_environment(DATABASE_URL=self.server.url())
        run_program("alembic", "upgrade", "head", env=env, timeout=120, check=True)
        with self.admin() as admin:
            admin.execute(LOGIN)
        self.url = self.server.url().replace("postgres@", "service@", 1)

    def admin(self) -> psycopg.Connection[Any]:
        """Connect as superuser."""
        return psycopg.connect(self.server.url(), autocommit=True)


@pytest.fixture(scope="module")
def own() -> Iterator[Own]:
    """Give one server to the tests of this module."""
    folder = Path(tempfile.mkdtemp(prefix="platform-tests-"))
    folder.chmod(0o711)
    made = Own(folder / "home")
    try:
        yield made
    finally:
        made.server.stop(mode="immediate")
        shutil.rmtree(folder)


@pytest.fixture
def admin(own: Own) -> Iterator[psycopg.Connection[Any]]:
    """Connect to a running server with an empty table."""
    own.server.start()
    with own.admin() as connection:
        connection.execute("TRUNCATE request_logs")
        yield connection


def is_refused(url: str) -> bool:
    """Return whether the server lets nobody in by *url*."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return True
    return False


def test_a_restart_is_waited_for(
    own: Own, admin: psycopg.Connection[Any], open_writer: Callable[..., Writing]
) -> None:
    """Rows before, during and after are stored once; two writers' books are exact."""
    writers = [open_writer(own.url, batch_size=50) for _ in range(2)]
    names = iter(range(100_000))

    def push(times: int) -> None:
        for _ in range(times):
            for writing in writers:
                writing.urls(*[next(names) for _ in range(20)])
            time.sleep(0.002)

    push(20)
    own.server.stop(mode="fast")
    push(20)
    own.server.start()
    push(20)
    assert [writing.flush() for writing in writers] == [True, True]

    assert [writing.writer.written for writing in writers] == [1200, 1200]
    with own.admin() as again:
        rows = again.execute("SELECT count(*), count(DISTINCT url) FROM request_logs")
        assert rows.fetchone() == (2400, 2400)


def test_a_stopped_server_ends_in_the_fallback(
    own: Own, admin: psycopg.Connection[Any], open_writer: Callable[..., Writing]
) -> None:
    """What could not wait is set aside, what came before and after is stored."""
    writing = open_writer(own.url)
    writing.urls("before")
    assert writing.flush()
    own.server.stop(mode="fast")
    writing.give_batches(0.2)
    writing.urls(*range(50))
    assert writing.flush()
    own.server.start()
    writing.give_batches(60)
    writing.urls("after")
    assert writing.flush()

    with own.admin() as again:
        stored = writing.check_books(again)
    assert stored.keys() == {"before", "after"}
    assert sum(writing.writer.set_aside.values()) == 50


@pytest.mark.slow
def test_no_session_to_spare_is_waited_for(
    own: Own, admin: psycopg.Connection[Any], open_writer: Callable[..., Writing]
) -> None:
    """53300, too many connections: the rows wait, and are stored when there is one."""
    admin.execute("ALTER ROLE service CONNECTION LIMIT 0")
    writing = open_writer(own.url)
    writing.urls(*range(10))
    until(lambda: "too many connections" in writing.writer.last_error)
    admin.execute("ALTER ROLE service CONNECTION LIMIT -1")

    assert writing.flush()
    assert len(writing.check_books(admin)) == 10


@pytest.mark.slow
def test_a_wrong_password_is_told_without_it(
    own: Own,
    admin: psycopg.Connection[Any],
    open_writer: Callable[..., Writing],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The reason is plain, and neither the log nor the error shows the secret."""
    rules = Path(own.server.status().data or "") / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all service scram-sha-256\n" + before)
    admin.execute("SELECT pg_reload_conf()")
    url = own.url.replace("service@", "service:shut-sesame@")
    try:
        until(lambda: is_refused(url))
        writing = open_writer(url)
        writing.urls("x")
        until(lambda: writing.writer.last_error)
        writing.close(0.1)
    finally:
        rules.write_text(before)
        admin.execute("SELECT pg_reload_conf()")

    assert "password authentication failed" in writing.aside[0].error
    assert "sesame" not in caplog.text + writing.aside[0].error
    assert "sesame" not in writing.writer.last_error + repr(writing.writer)


@pytest.mark.torture
def test_a_full_disk_is_waited_for(
    small_disk: Path, open_writer: Callable[..., Writing]
) -> None:
    """53100: batches go to the fallback until there is room; the books are exact."""

    def resize(size: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", small_disk], check=True)

    resize(400 << 20)
    full = Own(small_disk / "home")
    try:
        writing = open_writer(full.url, flush_timeout_s=0.5, buffer_size=10_000)
        resize(shutil.disk_usage(small_disk).used + (4 << 20))
        for number in range(40):
            writing.push(
                {"url": f"{number} {n}", "referer": "x" * 1500} for n in range(200)
            )
            assert writing.flush(20)
            if "server_error" in writing.writer.set_aside:
                break
        resize(400 << 20)
        writing.give_batches(60)
        stored = writing.writer.written
        for _ in range(100):
            with suppress(psycopg.Error):
                full.admin().close()
                break
            time.sleep(0.1)
        writing.urls("after")
        assert writing.flush()

        assert writing.aside[0].error.startswith("53100: ")
        assert writing.writer.written == stored + 1
        with full.admin() as admin:
            assert "after" in writing.check_books(admin)
    finally:
        full.server.stop(mode="immediate")


def test_a_pooler_in_front_changes_nothing(
    database: Database, open_writer: Callable[..., Writing]
) -> None:
    """PgBouncer in transaction mode: COPY, its answer and lost sessions as ever."""
    pooler = os.environ.get("TEST_PGBOUNCER_URL")
    if not pooler:
        pytest.skip("TEST_PGBOUNCER_URL names no pooler in front of this server")
    words: dict[str, Any] = conninfo_to_dict(pooler)
    place = f"host={words['host']} port={words['port']} user={words['user']}"
    writing = open_writer(f"{place} dbname={database.name}")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(database.target.with_database("postgres").url) as other:
        for number in range(5):
            writing.urls(*range(number * 10, number * 10 + 10))
            assert writing.flush()
            other.execute(end, [database.name])

    assert len(writing.check_books(database.connect())) == 50
