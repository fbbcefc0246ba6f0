"""On a standby nothing is changed: what only reads answers, the rest is refused."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ai_platform.server import EmbeddedServer, _account, _binaries
from tests.support.cluster import UNSAFE
from tests.support.environment import clean_environment
from tests.support.programs import Run, run_program
from tests.support.servers import rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from _pytest.mark.structures import ParameterSet


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


@pytest.fixture(scope="module")
def standby() -> Iterator[Mapping[str, str]]:
    """Give the environment of a client of a standby that follows a live primary."""
    folder = Path(tempfile.mkdtemp(prefix="platform-tests-"))
    folder.chmod(0o711)
    primary = _primary(folder)
    follower = None
    try:
        follower = _copy(primary, folder / "standby")
        yield clean_environment(DATABASE_URL=follower.url())
    finally:
        for server in filter(None, (follower, primary)):
            server.stop(mode="immediate")
        shutil.rmtree(folder)


QUICK = {"platform db upgrade", "platform db check"}
WRITING = (
    "platform db upgrade",
    "alembic upgrade head",
    "alembic downgrade -1",
    "alembic stamp head",
)
READING = {
    "alembic current": "(head)",
    "alembic check": "No new upgrade operations detected.",
    "platform db current": "missing  0",
    "platform db check": "the database is as declared",
    "platform partitions status": "public.request_logs",
    "platform status": "missing           0",
}


def _commands(names: Iterable[str]) -> list[ParameterSet]:
    """Return one of each sort for every run, the others for the long one."""
    return [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.torture)
        for name in names
    ]


@pytest.mark.parametrize("command", _commands(WRITING))
def test_nothing_is_changed_on_a_standby(
    standby: Mapping[str, str], run: Run, command: str
) -> None:
    """What writes is refused before it begins, and leads to the primary."""
    done = run(*command.split(), env=standby)

    assert (done.returncode, done.stdout) == (4, "")
    assert "is a read-only standby" in done.stderr
    assert "connect to the primary" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", _commands(READING))
def test_a_standby_answers_questions(
    standby: Mapping[str, str], run: Run, command: str
) -> None:
    """What only reads works; the declaration is built on a server of our own."""
    done = run(*command.split(), env=standby)

    assert done.returncode == 0, done.stderr
    assert READING[command] in done.stdout


@pytest.mark.torture
def test_a_comparison_names_the_standby(standby: Mapping[str, str], run: Run) -> None:
    """Where no server of our own can stand in, the refusal says why one was needed."""
    env = {**standby, "PLATFORM_PG_BIN": "/nowhere"}

    done = run("platform", "db", "check", env=env)

    assert done.returncode == 4
    assert "the server is a read-only standby, and no embedded server" in done.stderr
    assert "on the primary" in done.stderr
