"""A live primary and a standby that follows it, as two embedded servers."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ai_platform.server import EmbeddedServer, _account, _binaries

from .cluster import UNSAFE
from .environment import clean_environment
from .programs import run_program
from .servers import rows
from .waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Pair"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A primary at the newest revision and its standby; tests of a session share it."""

    primary: EmbeddedServer
    standby: EmbeddedServer

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of a client of the standby."""
        return clean_environment(DATABASE_URL=self.standby.url())

    def catch_up(self) -> None:
        """Wait until the standby has replayed what the primary has written."""
        ((target,),) = rows(self.primary, "SELECT pg_current_wal_insert_lsn()::text")
        query = f"SELECT pg_last_wal_replay_lsn() >= '{target}'::pg_lsn"
        until(lambda: rows(self.standby, query) == [(True,)])


def _primary(folder: Path) -> EmbeddedServer:
    """Start a server at the newest revision that lets a standby follow."""
    server = EmbeddedServer(folder / "primary", options=UNSAFE)
    server.start()
    with (folder / "primary" / "pg_hba.conf").open("a") as access:
        access.write("local replication all peer map=platform\n")
    rows(server, "SELECT pg_reload_conf()")
    env = clean_environment(DATABASE_URL=server.url())
    run_program("alembic", "upgrade", "head", env=env, timeout=120, check=True)
    return server


def _copy(primary: EmbeddedServer, home: Path) -> EmbeddedServer:
    """Start a standby of *primary* in *home*, as the account that runs servers."""
    account = _account.server_account()
    home.mkdir(mode=0o711)
    (home / "server.lock").touch()
    data = home / "data"
    data.mkdir(mode=0o700)
    os.chown(data, account.uid, account.gid)
    programs = _binaries.usable(_binaries.find(), account)
    done = _account.run(
        [
            programs.program("pg_basebackup"),
            f"--dbname={primary.url()}",
            f"--pgdata={data}",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        ],
        account,
    )
    assert done.returncode == 0, done.stdout
    standby = EmbeddedServer(home, options=UNSAFE)
    standby.start()
    return standby


@pytest.fixture(scope="session")
def pair() -> Iterator[Pair]:
    """Give a standby that follows a live primary."""
    folder = Path(tempfile.mkdtemp(prefix="platform-tests-"))
    folder.chmod(0o711)
    primary = _primary(folder)
    follower = None
    try:
        follower = _copy(primary, folder / "standby")
        yield Pair(primary, follower)
    finally:
        for server in filter(None, (follower, primary)):
            server.stop(mode="immediate")
        shutil.rmtree(folder)
