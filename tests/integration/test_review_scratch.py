"""Where a review measures: made for it, refused to others, and gone afterwards."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from psycopg import sql

from ai_platform.catalog._made_roles import drop_roles, roles
from ai_platform.catalog.scratch import PREFIX, sweep
from ai_platform.connection import connect
from ai_platform.errors import CannotConnect, Refused
from ai_platform.review.measure import measure
from ai_platform.review.scratch import clone, scratch
from ai_platform.review.sources import RevisionSource
from tests.support.environment import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.database import Database

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

WAITS = """
import time
from ai_platform.catalog.scratch import scratch_database
from ai_platform.connection import connect, resolve
from ai_platform.review.scratch import scratch
with {held} as server:
    print("held", flush=True)
    {then}
"""


def owner_of_scratch(
    folder: Path, then: str, held: str = "scratch()"
) -> subprocess.Popen[str]:
    """Start a program that holds a scratch server, and wait until it has it."""
    program = subprocess.Popen(
        [sys.executable, "-c", WAITS.format(then=then, held=held)],
        cwd=folder,
        env=clean_environment(TMPDIR="."),  # wherever who sweeps up works
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "held\n"
    return program


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
    folder: Path, then: str, number: signal.Signals | None, status: int
) -> None:
    """However a review ends, its server stops and its folder goes."""
    with owner_of_scratch(folder, then) as program:
        if number is not None:
            program.send_signal(number)
        assert program.wait(timeout=120) == status

    assert list(folder.glob("platform-review-*")) == []
    assert servers_in(folder) == []


def test_a_killed_review_is_swept_up(folder: Path) -> None:
    """Nobody has to review again: its watchdog stops the server, and ends."""
    dies_without_trace(folder, "scratch()")


def test_a_killed_stand_in_is_swept_up(folder: Path, empty: Database) -> None:
    """A server that stood in for one that makes no database ends with its process."""
    join = "&" if "?" in empty.url else "?"
    url = f"{empty.url}{join}options=-cdefault_transaction_read_only%3Don"
    dies_without_trace(folder, f"scratch_database(resolve({url!r}), any_major=True)")


def dies_without_trace(folder: Path, held: str) -> None:
    """Kill a program that holds a server; neither that nor its watchdog stays."""
    with owner_of_scratch(folder, "time.sleep(60)", held) as program:
        (watchdog,) = children(program.pid)
        assert servers_in(folder) != []
        program.kill()

    assert soon(lambda: not Path(f"/proc/{watchdog}").exists())
    assert list(folder.glob("platform-*")) == []
    assert servers_in(folder) == []


def test_the_next_review_sweeps_up(folder: Path) -> None:
    """What was killed with its watchdog leaves a server, which the next one stops."""
    with owner_of_scratch(folder, "time.sleep(60)") as program:
        for pid in children(program.pid):
            os.kill(pid, signal.SIGKILL)
        program.kill()
    assert servers_in(folder) != []

    with owner_of_scratch(folder, "pass") as program:
        assert program.wait(timeout=120) == 0

    assert list(folder.glob("platform-review-*")) == []
    assert servers_in(folder) == []


def test_a_long_path_leaves_no_socket_behind(folder: Path) -> None:
    """A socket whose path would be too long has a folder elsewhere; it goes as well."""
    deep = folder / ("d" * 90)
    deep.mkdir(mode=0o711)
    print_it = "print(server.place.url, flush=True); time.sleep(60)"
    with owner_of_scratch(deep, print_it) as program:
        assert program.stdout is not None
        host = parse_qs(urlsplit(program.stdout.readline().strip()).query)["host"][0]
        assert Path(host).is_dir()
        program.terminate()

    assert not Path(host).exists()


def children(pid: int) -> list[int]:
    """Return the processes that *pid* has started and not waited for."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(word) for word in text.split()]


def soon(condition: Callable[[], bool]) -> bool:
    """Return whether *condition* is met within two minutes."""
    deadline = time.monotonic() + 120
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


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


def test_a_copy_has_the_rights_of_its_database(empty: Database) -> None:
    """What a revision gave on the database counts where others are tried."""
    query = "SELECT has_database_privilege('pg_monitor', current_database(), 'CREATE')"
    with empty.connect() as connection:
        grant = sql.SQL("GRANT CREATE ON DATABASE {} TO pg_monitor")
        connection.execute(grant.format(sql.Identifier(empty.target.database)))

    with clone(empty.target) as copy, connect(copy) as connection:
        assert connection.execute(query).fetchone() == (True,)


def databases(place: Database) -> list[str]:
    """Return the names of the scratch databases and of *place*."""
    query = """SELECT datname::text FROM pg_database
                WHERE starts_with(datname, %s) OR datname = %s ORDER BY 1"""
    return [name for (name,) in place.connect().execute(query, [PREFIX, place.name])]


def test_roles_that_were_made_go(
    empty: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    """A role belongs to the whole server: what the SQL makes goes, others are told."""
    role, other = (f"{name}_{secrets.token_hex(4)}" for name in ("made", "other"))
    server = empty.connect()
    quoted = f"DO $$ BEGIN EXECUTE 'CREATE ROLE {role}'; END $$"

    with suppress(ZeroDivisionError), scratch(empty.target, texts=[quoted]) as it:
        with psycopg.connect(it.place.url, autocommit=True) as connection:
            connection.execute(quoted)
            connection.execute(f"CREATE TABLE t (); ALTER TABLE t OWNER TO {role}")
            connection.execute(f"GRANT CONNECT ON DATABASE {empty.name} TO {role}")
            server.execute(f"CREATE ROLE {other}")
        raise ZeroDivisionError

    assert role not in roles(server)
    assert f"'{other}'" in capfd.readouterr().err
    server.execute(f"DROP ROLE {other}")


def test_a_login_of_ci_drops_its_roles(empty: Database) -> None:
    """It may make and drop roles, but not act as them."""
    login, made = (f"{name}_{secrets.token_hex(4)}" for name in ("ci", "made"))
    server = empty.connect()
    server.execute(f"CREATE ROLE {login} CREATEROLE")
    server.execute(f"SET SESSION AUTHORIZATION {login}")
    server.execute(f"CREATE ROLE {made}")

    assert drop_roles(server, [made]) == {}
    assert drop_roles(server, ["postgres"]).keys() == {"postgres"}
    server.execute("RESET SESSION AUTHORIZATION")
    server.execute(f"DROP ROLE {login}")


def test_reviews_that_make_roles_take_turns(
    empty: Database, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two at once on one server would each meet the roles of the other."""
    role = f"made_{secrets.token_hex(4)}"
    text = f"CREATE ROLE {role}"
    held = f"scratch(resolve({empty.url!r}), texts=[{text!r}])"
    waits = """SELECT FROM pg_stat_activity WHERE wait_event = 'advisory'
                AND application_name = 'platform-review-turn'"""
    asked = f"connect(resolve({empty.url!r})).execute({waits!r}).rowcount"
    with (
        owner_of_scratch(folder, f"while not {asked}: time.sleep(0.1)", held),
        scratch(empty.target, texts=[text]) as mine,
    ):
        told = capfd.readouterr().err
        assert databases(empty) == sorted([mine.place.database, empty.name])

    assert "waiting for another review" in told


def test_roles_of_a_killed_review_go(empty: Database, folder: Path) -> None:
    """The database that it leaves says which; the next review drops both."""
    role = f"made_{secrets.token_hex(4)}"
    server = empty.connect()
    with owner_of_scratch(
        folder,
        f"connect(server.place).execute('CREATE ROLE {role}'); print(); time.sleep(60)",
        f"scratch(resolve({empty.url!r}), texts=['CREATE ROLE {role}'])",
    ) as program:
        assert soon(lambda: role in roles(server))
        program.kill()
    assert role in roles(server)

    assert soon(lambda: bool(sweep(server)) or role not in roles(server))
    assert role not in roles(server)


@pytest.mark.torture
@pytest.mark.parametrize(
    ("size", "told"),
    [
        ("8m", "no space for a scratch server"),
        ("40m", "no space for a scratch server"),
        ("120m", "no space left for the scratch server"),
    ],
    ids=["no-room-at-all", "no-room-for-a-server", "no-room-for-rows"],
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

    assert "TMPDIR" in str(error.value.hint)
    assert list(small_disk.glob("platform-review-*")) == []
