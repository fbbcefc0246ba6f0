"""Whatever ends a run, running it again finishes the work."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.programs import SCRIPTS

if TYPE_CHECKING:
    import psycopg

    from tests.support.branch import Branch
    from tests.support.database import Database
    from tests.support.programs import Run

SLOW = """as_owner(); op.execute("CREATE TABLE auth.slow (a int)")
    op.execute("SELECT pg_sleep(300)")"""
# in short naps: to wait for a lock would end with the runner's lock_timeout
UNTIL_TOLD = (
    "DO $$ BEGIN WHILE NOT pg_try_advisory_xact_lock(7) LOOP"
    " PERFORM pg_sleep(0.05); END LOOP; END $$"
)


def test_a_failing_revision_leaves_the_one_before(
    database: Database, branch: Branch, run: Run
) -> None:
    """Revisions before the failing one stay, it is rolled back, the error is a line."""
    branch.add("t_good", 'as_owner(); op.execute("CREATE TABLE auth.good (a int)")')
    branch.add("t_bad", 'as_owner(); op.execute("ALTER TABLE auth.good ADD b nope")')

    done = run(
        "alembic", "-c", branch.ini, "upgrade", "head", env=database.environment()
    )

    assert done.returncode != 0
    failed = [line for line in done.stderr.splitlines() if "FAILED" in line]
    assert len(failed) == 1
    assert 'revision t_bad: type "nope" does not exist (SQLSTATE 42704)' in failed[0]
    assert "Traceback" not in done.stderr
    assert _versions(database) == ["t_good"]


def test_a_corrected_revision_goes_through(
    database: Database, branch: Branch, run: Run
) -> None:
    """After the cause is corrected the same command finishes."""
    branch.add("t_fix", 'as_owner(); op.execute("CREATE TABLE auth.fix (a nope)")')
    command = ("alembic", "-c", branch.ini, "upgrade", "head")
    assert run(*command, env=database.environment()).returncode != 0
    branch.change("t_fix", "nope", "int")

    assert run(*command, env=database.environment()).returncode == 0
    assert _versions(database) == ["t_fix"]


CODES = {"client killed": -9, "backend ended": 3, "lock ended": 4, "Ctrl-C": 130}


@pytest.mark.parametrize("fault", ["client killed", "backend ended", "Ctrl-C"])
@pytest.mark.slow
def test_an_ended_run_leaves_nothing_half_done(
    database: Database, branch: Branch, run: Run, fault: str
) -> None:
    """The revision that was running is gone whole; the next run finishes it."""
    branch.add("t_slow", SLOW)
    runner = subprocess.Popen(
        [SCRIPTS / "alembic", "-c", branch.ini, "upgrade", "head"],
        env=database.environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    watcher = database.connect()
    pid = _until_sleeping(watcher)
    _cause(fault, runner, watcher, pid)
    _, told = runner.communicate(timeout=120)

    assert runner.returncode == CODES[fault]
    assert "Traceback" not in told
    _until_ended(watcher, pid)
    assert _versions(database) == [branch.shipped]
    assert watcher.execute("SELECT to_regclass('auth.slow')").fetchone() == (None,)
    branch.change("t_slow", "pg_sleep(300)", "pg_sleep(0)")
    again = run(
        "alembic", "-c", branch.ini, "upgrade", "head", env=database.environment()
    )
    assert again.returncode == 0, again.stderr
    assert _versions(database) == ["t_slow"]


@pytest.mark.slow
def test_a_lost_lock_ends_the_run(database: Database, branch: Branch, run: Run) -> None:
    """The session of the lock ended: what ran stays, nothing more begins."""
    branch.add("t_first", SLOW.replace("SELECT pg_sleep(300)", UNTIL_TOLD))
    branch.add("t_second", 'as_owner(); op.execute("CREATE TABLE auth.late (a int)")')
    watcher = database.connect()
    watcher.execute("SELECT pg_advisory_lock(7)")
    runner = subprocess.Popen(
        [SCRIPTS / "alembic", "-c", branch.ini, "upgrade", "head"],
        env=database.environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    _until_sleeping(watcher)
    watcher.execute(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
        " WHERE application_name = 'platform-migrate-lock'"
        " AND datname = current_database()"
    )
    watcher.execute("SELECT pg_advisory_unlock(7)")
    _, told = runner.communicate(timeout=120)

    assert runner.returncode == CODES["lock ended"]
    assert "the session that holds the migration lock was ended" in told
    assert "Traceback" not in told
    assert _versions(database) == ["t_first"]
    again = run(
        "alembic", "-c", branch.ini, "upgrade", "head", env=database.environment()
    )
    assert again.returncode == 0, again.stderr


@pytest.mark.slow
def test_a_killed_run_is_reported_by_the_next(
    database: Database, branch: Branch, run: Run
) -> None:
    """The journal keeps what a killed run was doing, and the next run says it."""
    branch.add("t_killed", SLOW)
    runner = subprocess.Popen(
        [SCRIPTS / "alembic", "-c", branch.ini, "upgrade", "head"],
        env=database.environment(),
        stderr=subprocess.DEVNULL,
    )
    watcher = database.connect()
    pid = _until_sleeping(watcher)
    runner.kill()
    runner.wait(timeout=120)
    _until_ended(watcher, pid)
    branch.change("t_killed", "pg_sleep(300)", "pg_sleep(0)")

    again = run(
        "alembic", "-c", branch.ini, "upgrade", "head", env=database.environment()
    )

    assert "upgrade t_killed was interrupted" in again.stderr
    outcomes = watcher.execute(
        "SELECT outcome FROM platform_meta.journal WHERE revision = 't_killed'"
        " ORDER BY id"
    ).fetchall()
    assert outcomes == [("interrupted",), ("done",)]


def test_the_server_going_away_is_said_plainly(
    database: Database, branch: Branch, run: Run
) -> None:
    """A lost server is a connection fault (exit 3) with the way on, not a traceback."""
    branch.add(
        "t_gone",
        'op.execute("SELECT pg_terminate_backend(pg_backend_pid())")',
    )
    done = run(
        "alembic", "-c", branch.ini, "upgrade", "head", env=database.environment()
    )

    assert done.returncode != 0
    assert "the server went away" in done.stderr
    assert "run the same command again" in done.stderr
    assert "Traceback" not in done.stderr


def _until_sleeping(watcher: psycopg.Connection[Any]) -> int:
    """Return the backend that runs the slow revision, once it does."""
    for _ in range(1200):
        row = watcher.execute(
            "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep%'"
            " AND state = 'active' AND application_name = 'platform-migrate'"
            " AND datname = current_database()"
        ).fetchone()
        if row:
            return int(row[0])
        time.sleep(0.1)
    raise AssertionError("the slow revision never began")


def _until_ended(watcher: psycopg.Connection[Any], pid: int) -> None:
    for _ in range(600):
        alive = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
        if watcher.execute(alive, [pid]).fetchone() is None:
            return
        time.sleep(0.1)
    raise AssertionError("the backend of a dead client lives on")


def _cause(
    fault: str,
    runner: subprocess.Popen[str],
    watcher: psycopg.Connection[Any],
    pid: int,
) -> None:
    if fault == "client killed":
        runner.kill()
    elif fault == "Ctrl-C":
        runner.send_signal(signal.SIGINT)
    else:
        watcher.execute("SELECT pg_terminate_backend(%s)", [pid])


def _versions(database: Database) -> list[str]:
    rows = database.connect().execute("SELECT version_num FROM alembic_version")
    return [version for (version,) in rows]
