"""A disk that fills up in mid-migration: one line, and the same command finishes."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.environment import clean_environment
from tests.support.servers import rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_platform.server import EmbeddedServer
    from tests.support.branch import Branch
    from tests.support.programs import Run

MEGABYTE = 1024 * 1024
# some 60 MB in its second statement
WIDE = """as_owner(); op.execute("CREATE {kind} TABLE auth.wide (a bytea)")
    op.execute(
        "INSERT INTO auth.wide SELECT sha512(i::text::bytea)"
        " FROM generate_series(1, 600000) i"
    )"""


def _resize(disk: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def _until_recovered(server: EmbeddedServer) -> None:
    """Wait for a server that ended all sessions to take new ones."""
    for _ in range(300):
        with suppress(psycopg.OperationalError):
            rows(server, "SELECT 1")
            return
        time.sleep(0.1)
    raise AssertionError("the server does not come back")


@pytest.mark.torture
@pytest.mark.parametrize(("kind", "may_die"), [("", 3), ("UNLOGGED", 4)])
def test_a_migration_on_a_full_disk_goes_on_later(  # noqa: PLR0913, PLR0917 - fixtures
    small_disk: Path,
    embedded: Callable[..., EmbeddedServer],
    branch: Branch,
    run: Run,
    kind: str,
    may_die: int,
) -> None:
    """The run says in a line why it ended; with more room the same one finishes.

    A logged table fills the disk with write-ahead log, which may end the server's
    sessions too (exit 3); an unlogged one fills it with itself.
    """
    _resize(small_disk, 400 * MEGABYTE)
    server = embedded(small_disk / "home")
    server.start()
    env = clean_environment(DATABASE_URL=server.url())
    run("alembic", "upgrade", "head", env=env, check=True)
    branch.add("t_wide", WIDE.format(kind=kind))
    command = ("alembic", "-c", branch.ini, "upgrade", "head")
    _resize(small_disk, shutil.disk_usage(small_disk).used + 20 * MEGABYTE)

    stopped = run(*command, env=env)
    _resize(small_disk, 400 * MEGABYTE)
    _until_recovered(server)
    before = rows(server, "SELECT version_num FROM alembic_version")
    again = run(*command, env=env)

    told = [line for line in stopped.stderr.splitlines() if "FAILED" in line]
    assert (stopped.returncode, len(told)) in {(4, 1), (may_die, 1)}
    reason, _, step = told[0].partition("; next: ")
    if stopped.returncode == 4:
        assert "No space left on device (SQLSTATE 53100)" in reason
        assert "disk" in step
    else:
        assert "the server went away" in reason
        assert "run the same command again" in step
    assert "Traceback" not in stopped.stderr
    assert before == [(branch.shipped,)]
    assert again.returncode == 0, again.stderr
    assert rows(server, "SELECT count(*) FROM auth.wide") == [(600_000,)]
