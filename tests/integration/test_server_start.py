"""The embedded server starts for whoever needs it, and for nobody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from ai_platform.connection import resolve
from ai_platform.errors import BadValue, Refused
from ai_platform.server import EmbeddedServer, ensure_dev_logins
from tests.support.accounts import as_user, is_root
from tests.support.cluster import UNSAFE
from tests.support.environment import clean_environment
from tests.support.programs import CHECKOUT
from tests.support.servers import rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STARTER = """
import sys
from pathlib import Path
from ai_platform.server import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]), options={"fsync": "off"})
print(server.start(), flush=True)
sys.stdin.read()
"""

ELSEWHERE = {
    "PGDATA": "/nowhere",
    "PGHOSTADDR": "192.0.2.1",
    "PGOPTIONS": "-c search_path=elsewhere",
    "PGPORT": "1",
    "PGREQUIREAUTH": "scram-sha-256",
}


def starter(home: Path) -> subprocess.Popen[str]:
    """Start a process that starts the server and then waits."""
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, home],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        env=clean_environment(),
        start_new_session=True,
    )


def test_the_second_start_does_nothing(
    embedded: Callable[..., EmbeddedServer],
) -> None:
    """`platform up` twice is one server, stopped once."""
    server = embedded()

    assert [server.start(), server.start()] == [True, False]
    assert server.status().running
    assert [server.stop(), server.stop()] == [True, False]
    assert not server.status().running


def test_letters_of_all_languages_fold(
    embedded: Callable[..., EmbeddedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty LANG, which makes SQL_ASCII elsewhere, still makes UTF8."""
    monkeypatch.setenv("LANG", "")
    monkeypatch.setenv("LC_ALL", "")
    server = embedded()
    server.start()

    query = "SELECT lower('ÄÖÜ'), current_setting('server_encoding')"
    assert rows(server, query) == [("äöü", "UTF8")]


def test_no_port_is_opened(embedded: Callable[..., EmbeddedServer]) -> None:
    """The server is reached by its socket alone, in a folder closed to others."""
    server = embedded()
    server.start()
    socket_dir = server.status().socket_dir

    assert rows(server, "SHOW listen_addresses") == [("",)]
    assert socket_dir is not None
    assert socket_dir.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not is_root(), reason="becoming another user needs root")
def test_another_user_is_not_let_in(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """Even with every permission opened, the kernel's word about the peer decides."""
    server = embedded()
    server.start()
    home = folder / "home"
    for path in (home, home / "socket", home / "socket" / ".s.PGSQL.5432"):
        path.chmod(0o777)

    with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
        as_user(54321, 54321, psycopg.connect, server.url())


def test_the_server_outlives_its_starter(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """Ctrl-C or kill -9 in the terminal of `platform up` stops nothing."""
    with starter(folder / "home") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        os.killpg(process.pid, signal.SIGINT)
        os.killpg(process.pid, signal.SIGKILL)

    server = embedded()
    assert server.status().running
    assert rows(server, "SELECT 1") == [(1,)]


def test_two_starters_share_one_server(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """Of processes that start at once, one does it and the others wait for it."""
    with starter(folder / "home") as one, starter(folder / "home") as other:
        told = sorted(process.communicate()[0] for process in (one, other))

    assert told == ["False\n", "True\n"]
    assert rows(embedded(), "SELECT 1") == [(1,)]


def test_an_interrupted_start_is_forgotten(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """Killed in the middle of initdb, the next start begins anew."""
    home = folder / "home"
    with starter(home) as process:
        while not list(home.glob("data.init-*/base")):
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
    assert not (home / "data").exists()

    server = embedded()
    assert server.start()
    assert rows(server, "SELECT 1") == [(1,)]
    assert list(home.glob("data.init-*")) == []


def test_an_ordinary_user_needs_no_root(
    ordinary: Callable[..., object], ordinary_folder: Path
) -> None:
    """The server runs as the user who starts it, and only that user's."""

    def start_ask_stop() -> list[object]:
        server = EmbeddedServer(ordinary_folder / "home", options=UNSAFE)
        started = server.start()
        users = rows(server, "SELECT session_user::text")
        return [started, users, server.stop()]

    assert ordinary(start_ask_stop) == [True, [("postgres",)], True]


@pytest.mark.skipif(not is_root(), reason="becoming another user needs root")
def test_a_user_without_a_name_is_refused(folder: Path) -> None:
    """`peer` knows names only; a container's bare uid is told what to do."""
    with pytest.raises(Refused, match="54321 has no name") as caught:
        as_user(54321, 54321, EmbeddedServer, folder)

    assert "DATABASE_URL" in str(caught.value.hint)


def test_libpq_variables_lead_nowhere_else(
    embedded: Callable[..., EmbeddedServer],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a shell sets for another server does not steer ours."""
    monkeypatch.setenv("PLATFORM_PGDATA", str(folder / "home"))
    for variable, value in ELSEWHERE.items():
        monkeypatch.setenv(variable, value)
    embedded().start()

    with psycopg.connect(resolve().url) as connection:
        assert connection.execute("SHOW search_path").fetchone() == ('"$user", public',)


def test_each_working_role_has_a_login(embedded: Callable[..., EmbeddedServer]) -> None:
    """Developers meet row security: their logins are members, not superusers."""
    server = embedded()
    server.start()
    roles = [f"platform_{name}" for name in ("app", "worker", "readonly", "log_writer")]
    rows(server, *(f"CREATE ROLE {name}" for name in roles), "SELECT 1")

    with psycopg.connect(server.url(), autocommit=True) as connection:
        assert len(roles) == len(ensure_dev_logins(connection))
        assert ensure_dev_logins(connection) == []
    with psycopg.connect(server.url(role="app")) as connection:
        query = "SELECT pg_has_role('platform_app', 'MEMBER'), rolsuper"
        query += " FROM pg_roles WHERE rolname = session_user"
        assert connection.execute(query.encode()).fetchone() == (True, False)


def test_an_unknown_role_is_named(embedded: Callable[..., EmbeddedServer]) -> None:
    """A mistyped role tells which there are."""
    with pytest.raises(BadValue, match="no such role: got 'apps'") as caught:
        embedded().url(role="apps")

    assert "app, log_writer, migrator, readonly, worker" in str(caught.value.hint)
