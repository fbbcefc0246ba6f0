"""Embedded servers of one test, in folders with short paths."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from ai_platform.server import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["SWIFT", "rows"]

SWIFT = {"fsync": "off"}
"""What a killed server has committed survives; what a power cut would, does not."""


def rows(server: EmbeddedServer, *statements: str) -> list[tuple[Any, ...]]:
    """Run *statements* as superuser on database platform; return the last's rows."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for statement in statements[:-1]:
            connection.execute(statement.encode())
        return connection.execute(statements[-1].encode()).fetchall()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give an empty folder with a short path, which a server's account can reach."""
    made = Path(tempfile.mkdtemp(prefix="platform-tests-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def embedded(folder: Path) -> Iterator[Callable[..., EmbeddedServer]]:
    """Make servers, by default in ``folder/home``; all are stopped in the end."""
    made: list[EmbeddedServer] = []

    def make(data: Path | None = None, **more: Any) -> EmbeddedServer:
        server = EmbeddedServer(data or folder / "home", options=SWIFT, **more)
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop(mode="immediate")
        socket_dir = server.status().socket_dir
        if socket_dir is not None and not socket_dir.is_relative_to(folder):
            shutil.rmtree(socket_dir, ignore_errors=True)


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """Give a disk of 8 MB to be filled, resized or made read-only by mount.

    Ask for it before `embedded`: the servers on it must end before it goes.
    """
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "none", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no program to mount a disk with")
    if done.returncode:
        pytest.skip("mounting a disk needs root")
    yield disk
    subprocess.run(["umount", disk], check=True)
