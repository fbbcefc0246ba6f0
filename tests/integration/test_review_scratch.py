"""Where a review measures: made for it, refused to others, and gone afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from ai_platform.catalog.scratch import PREFIX
from ai_platform.errors import CannotConnect, Refused
from ai_platform.review.measure import measure
from ai_platform.review.scratch import scratch
from ai_platform.review.sources import RevisionSource
from tests.support.environment import clean_environment

if TYPE_CHECKING:
    from tests.support.database import Database

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

WAITS = """
import time
from ai_platform.review.scratch import scratch
from ai_platform.review.sources import RevisionSource
with scratch() as server:
    print(server.place.database, flush=True)
    {then}
"""


def owner_of_scratch(temporary: Path, then: str) -> subprocess.Popen[str]:
    """Start a program that holds a scratch server, and wait until it has it."""
    program = subprocess.Popen(
        [sys.executable, "-c", WAITS.format(then=then)],
        env=clean_environment(TMPDIR=str(temporary)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline().startswith(PREFIX)
    return program


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Return a folder for temporary files that every account may pass."""
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    return tmp_path


@pytest.mark.parametrize(
    ("then", "number", "status"),
    [
        ("time.sleep(60)", signal.SIGTERM, 128 + signal.SIGTERM),
        ("time.sleep(60)", signal.SIGINT, -signal.SIGINT),
        ("raise ValueError('x')", None, 1),
    ],
    ids=["terminated", "interrupted", "failed"],
)
def test_nothing_stays_behind(
    temporary: Path, then: str, number: signal.Signals | None, status: int
) -> None:
    """However a review ends, its server stops and its folder goes."""
    with owner_of_scratch(temporary, then) as program:
        if number is not None:
            program.send_signal(number)
        assert program.wait(timeout=30) == status

    assert list(temporary.glob("platform-review-*")) == []
    assert servers_in(temporary) == []


def test_the_next_review_sweeps_up(temporary: Path) -> None:
    """What a killed review left, a running server, is stopped by the next one."""
    with owner_of_scratch(temporary, "time.sleep(60)") as program:
        program.kill()
    assert servers_in(temporary) != []

    with owner_of_scratch(temporary, "pass") as program:
        assert program.wait(timeout=30) == 0

    assert list(temporary.glob("platform-review-*")) == []
    assert servers_in(temporary) == []


def servers_in(folder: Path) -> list[str]:
    """Return the servers that work below *folder*."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            place = str((process / "cwd").readlink())
        except OSError:
            continue
        if place.startswith(str(folder)):
            found.append(place)
    return found


def test_a_database_in_use_is_refused(empty: Database) -> None:
    """A server whose database holds something may be a production server."""
    empty.connect().execute("CREATE TABLE precious (id int)")

    with (
        pytest.raises(Refused, match="is in use: it holds 1 relation") as error,
        scratch(empty.target),
    ):
        pass

    assert f"--insist {empty.name}" in (error.value.hint or "")


def test_a_given_server_keeps_its_databases(empty: Database) -> None:
    """By name one may insist; the review works beside that database, not in it."""
    empty.connect().execute("CREATE TABLE precious (id int)")
    before = databases(empty)

    with scratch(empty.target, insist=empty.name) as server:
        assert databases(empty) == sorted([*before, server.place.database])
        with psycopg.connect(server.place.url) as connection:
            row = connection.execute("SELECT to_regclass('precious')").fetchone()
        assert row == (None,)
        assert not server.is_own

    assert databases(empty) == before


def databases(place: Database) -> list[str]:
    """Return the names of the scratch databases and of *place*."""
    query = """SELECT datname::text FROM pg_database
                WHERE starts_with(datname, %s) OR datname = %s ORDER BY 1"""
    return [name for (name,) in place.connect().execute(query, [PREFIX, place.name])]


@pytest.mark.torture
@pytest.mark.parametrize(
    ("size", "told"),
    [("8m", "No space left|no scratch server"), ("120m", "failed|No space left")],
    ids=["no-room-for-a-server", "no-room-for-rows"],
)
def test_a_full_disk_is_told_and_left_empty(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, size: str, told: str
) -> None:
    """Without room nothing counts as measured, and nothing stays on the disk."""
    subprocess.run(["mount", "-o", f"remount,size={size}", small_disk], check=True)
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    big = "CREATE TABLE big AS SELECT repeat('x', 900) FROM generate_series(1, 200000)"
    change = RevisionSource("one", None, "one", "one.py", big, "")

    with pytest.raises((Refused, CannotConnect), match=told) as error:
        measure([change])

    assert error.value.hint
    assert list(small_disk.glob("platform-review-*")) == []
