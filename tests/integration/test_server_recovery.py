"""After a crash or on a bad disk the server comes back, or says what to do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from ai_platform.errors import BadValue, CannotConnect, Refused
from ai_platform.server import EmbeddedServer, _account
from tests.support.accounts import is_root
from tests.support.servers import rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# the gate and `make torture` run them
pytestmark = pytest.mark.slow


def pid_of(server: EmbeddedServer) -> int:
    """Return the process of a running server."""
    pid = server.status().pid
    assert pid is not None
    return pid


def until_gone(server: EmbeddedServer) -> None:
    """Wait for the kernel to end what was killed."""
    while server.status().running:
        time.sleep(0.01)


def test_a_killed_server_comes_back(embedded: Callable[..., EmbeddedServer]) -> None:
    """Kill -9 loses nothing committed, also with a session still open."""
    server = embedded()
    server.start()
    rows(server, "CREATE TABLE kept AS SELECT 1 AS id", "SELECT 1")
    with closing(psycopg.connect(server.url())) as connection:
        connection.execute("SELECT 1")
        os.kill(pid_of(server), signal.SIGKILL)
        until_gone(server)

        assert server.start()
    assert rows(server, "SELECT id FROM kept") == [(1,)]


def test_a_stale_pid_file_is_seen_through(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """After a reboot the number in the pid file may be another program's."""
    server = embedded()
    server.start()
    pid_file = folder / "home" / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    account = _account.server_account()
    user = {"user": account.uid, "group": account.gid} if is_root() else {}
    with subprocess.Popen(["sleep", "60"], **user) as stranger:  # type: ignore[call-overload]
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))

        assert not server.status().running
        assert not server.stop()
        assert server.start()
        assert stranger.poll() is None
        stranger.kill()


def test_a_server_out_of_sight_is_respected(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """Two containers that share a folder do not run two servers on one data folder."""
    server = embedded()
    server.start()
    server.stop()
    with socket.socket(socket.AF_UNIX) as elsewhere:
        elsewhere.bind(str(folder / "home" / "socket" / ".s.PGSQL.5432"))
        elsewhere.listen()

        with pytest.raises(Refused, match="cannot be seen from here"):
            server.start()


@pytest.mark.parametrize("content", ["", "\n\n", "not a number\n", "1\n/\n"])
def test_a_torn_pid_file_is_no_server(
    embedded: Callable[..., EmbeddedServer], folder: Path, content: str
) -> None:
    """A pid file cut by a crash is neither a server nor a traceback."""
    data = folder / "home" / "data"
    data.mkdir(parents=True)
    (data / "postmaster.pid").write_text(content)

    assert not embedded().status().running


def test_a_full_disk_leaves_nothing_behind(
    small_disk: Path, embedded: Callable[..., EmbeddedServer]
) -> None:
    """The first start on a full disk says so; with more room the next one works."""
    server = embedded(small_disk / "home")

    with pytest.raises(CannotConnect, match="No space left") as caught:
        server.start()
    assert "free some space" in str(caught.value.hint)
    assert list((small_disk / "home").glob("data*")) == []

    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    assert server.start()


def test_a_disk_filled_later_is_named(
    small_disk: Path, embedded: Callable[..., EmbeddedServer]
) -> None:
    """A server that cannot start for want of space says so, and keeps its data."""
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    server = embedded(small_disk / "home")
    server.start()
    rows(server, "CREATE TABLE kept AS SELECT 1 AS id", "SELECT 1")
    server.stop()
    filler = small_disk / "filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], check=False)

    with pytest.raises(CannotConnect, match=r"(?i)no space left"):
        server.start()
    filler.unlink()
    assert server.start()
    assert rows(server, "SELECT id FROM kept") == [(1,)]


def test_a_read_only_disk_is_named(
    small_disk: Path, embedded: Callable[..., EmbeddedServer]
) -> None:
    """A checkout on a read-only disk leads to PLATFORM_PGDATA."""
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    with pytest.raises(CannotConnect, match="read-only file system") as caught:
        embedded(small_disk / "home").start()
    assert "PLATFORM_PGDATA" in str(caught.value.hint)


def test_data_of_another_major_is_kept(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """A data folder of PostgreSQL 15 is neither started nor touched."""
    server = embedded()
    server.start()
    server.stop()
    (folder / "home" / "data" / "PG_VERSION").write_text("15\n")

    with pytest.raises(Refused, match="made by PostgreSQL 15") as caught:
        server.start()
    assert "pg_dump" in str(caught.value.hint)
    assert (folder / "home" / "data" / "base").is_dir()


def test_a_gutted_data_folder_is_refused(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """Data that somebody half deleted is not silently made anew."""
    server = embedded()
    server.start()
    server.stop()
    (folder / "home" / "data" / "PG_VERSION").unlink()

    with pytest.raises(Refused, match="not a data folder of PostgreSQL any more"):
        server.start()


@pytest.mark.parametrize("name", ["letters.txt", "PG_VERSION"])
def test_a_folder_of_others_is_left_alone(
    embedded: Callable[..., EmbeddedServer], folder: Path, name: str
) -> None:
    """PLATFORM_PGDATA=~ does not fill a home folder, nor adopt a foreign cluster."""
    (folder / name).write_text("mine")
    mode = folder.stat().st_mode

    with pytest.raises(BadValue, match=str(folder)):
        embedded(folder).start()
    assert [name] == [entry.name for entry in folder.iterdir()]
    assert mode == folder.stat().st_mode


def test_a_file_is_not_a_folder(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """PLATFORM_PGDATA that names a file is a bad value."""
    (folder / "file").touch()

    with pytest.raises(BadValue, match="not a folder"):
        embedded(folder / "file").start()


@pytest.mark.skipif(not is_root(), reason="giving a folder away needs root")
def test_a_folder_of_another_user_is_refused(
    embedded: Callable[..., EmbeddedServer], ordinary_folder: Path
) -> None:
    """Root neither believes nor changes what another user prepared."""
    with pytest.raises(Refused, match="belongs to user nobody"):
        embedded(ordinary_folder).start()


def test_a_wrong_setting_is_quoted(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """When the server does not start, its own reason is in the error."""
    server = embedded()
    server.start()
    server.stop()
    (folder / "home" / "local.conf").write_text("shared_buffers = 'much'\n")
    os.chmod(folder / "home" / "local.conf", 0o644)  # noqa: PTH101 - follows

    with pytest.raises(CannotConnect, match="did not start") as caught:
        server.start()
    assert "configuration file" in str(caught.value)
    assert "server.log" in str(caught.value.hint)


def test_a_moved_folder_is_recognized(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """A server that runs on from before a move is named at once, not waited for."""
    before = embedded(folder / "before" / "home")
    before.start()
    rows(before, "CREATE TABLE kept AS SELECT 1 AS id", "SELECT 1")
    pid = pid_of(before)
    (folder / "before").rename(folder / "after")
    after = embedded(folder / "after" / "home")
    begun = time.monotonic()

    with pytest.raises(Refused, match=rf"pid {pid}\).* in {folder}/before/") as caught:
        after.start()
    assert time.monotonic() - begun < EmbeddedServer.START_TIMEOUT_S / 2
    assert "platform down" in str(caught.value.hint)
    assert after.stop()
    assert after.start()
    assert rows(after, "SELECT id FROM kept") == [(1,)]


def test_asides_of_the_log_are_not_the_reason(
    embedded: Callable[..., EmbeddedServer],
) -> None:
    """A failure without a FATAL line is told by the log's last words that matter."""
    told = "12:00 [7] LOG: it went wrong\n12:00 [7] WARNING:  a\n12:00 [7] CONTEXT:  b"

    assert (
        embedded()
        ._did_not_start(told)
        .message.endswith("did not start: 12:00 [7] LOG: it went wrong")
    )
