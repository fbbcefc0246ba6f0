"""One runner at a time, and nobody waits for ever."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from ai_platform.runner._lock import LOCK_KEY
from ai_platform.runner._run import _Patience
from tests.support.programs import SCRIPTS

if TYPE_CHECKING:
    import psycopg

    from tests.support.branch import Branch
    from tests.support.database import Database
    from tests.support.programs import Run


def test_a_second_upgrade_changes_nothing(database: Database, run: Run) -> None:
    """An upgrade with nothing to do says nothing was done and exits 0."""
    before = _versions(database)
    done = run("alembic", "upgrade", "head", env=database.environment())

    assert done.returncode == 0
    assert " upgrade " not in done.stderr
    assert before == _versions(database)


def test_waiting_ends_and_names_the_holder(database: Database, run: Run) -> None:
    """Who waits too long learns which session to look at, and exits 4."""
    holder = database.connect()
    holder.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
    environment = database.environment(PLATFORM_LOCK_WAIT="0.5")

    done = run("platform", "db", "upgrade", env=environment)

    assert done.returncode == 4
    assert f"pid {holder.info.backend_pid}, tests" in done.stderr
    assert "PLATFORM_LOCK_WAIT" in done.stderr


@pytest.mark.parametrize("command", ["current", "check", "history -i", "heads"])
def test_reading_commands_do_not_wait(
    database: Database, run: Run, command: str
) -> None:
    """Whoever only reads gets an answer while a migration is running."""
    holder = database.connect()
    holder.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
    environment = database.environment(PLATFORM_LOCK_WAIT="0.5")

    done = run("alembic", *command.split(), env=environment)

    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_waiting_upgrade_goes_on(database: Database, branch: Branch) -> None:
    """The lock is taken as soon as it is free; the waiter then does its work."""
    branch.add("t_waits", 'as_owner(); op.execute("CREATE TABLE auth.waited (a int)")')
    holder = database.connect()
    holder.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
    waiter = subprocess.Popen(
        [SCRIPTS / "alembic", "-c", branch.ini, "upgrade", "head"],
        env=database.environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiter.stderr is not None
    told = [waiter.stderr.readline() for _ in range(2)]  # which database; who holds
    assert waiter.poll() is None
    holder.execute("SELECT pg_advisory_unlock(%s)", [LOCK_KEY])
    waiter.communicate(timeout=120)

    assert waiter.returncode == 0
    assert "waiting for another migration: pid" in told[1]
    assert _versions(database) == ["t_waits"]


def test_a_busy_table_is_tried_again(database: Database, branch: Branch) -> None:
    """A lock that is not free in time is waited for in short tries, then taken."""
    branch.add("t_busy", 'as_owner(); op.execute("ALTER TABLE auth.users ADD x int")')
    reader = database.connect(autocommit=False)
    reader.execute("SELECT count(*) FROM auth.users")

    code, told = _upgrade_against(database, branch, "head", reader)

    assert code == 0, told
    assert "t_busy: 55P03, try 2" in told
    assert _versions(database) == ["t_busy"]


def _upgrade_against(
    database: Database, branch: Branch, to: str, reader: psycopg.Connection[Any]
) -> tuple[int, str]:
    """Upgrade while *reader* is in the way; it goes after the first try.

    Returns the exit code, and what was told.
    """
    environment = database.environment(PLATFORM_LOCK_TIMEOUT="0.3")
    argv = [SCRIPTS / "alembic", "-c", branch.ini, "upgrade", to]
    told: list[str] = []
    with subprocess.Popen(
        argv, env=environment, stderr=subprocess.PIPE, text=True
    ) as runner:
        for line in runner.stderr or ():
            told.append(line)
            if ", try 2" in line:
                reader.rollback()
    return runner.returncode, "".join(told)


def test_a_lock_never_free_is_refused(
    database: Database, branch: Branch, run: Run
) -> None:
    """Retrying ends: the error names the revision and the setting to raise."""
    branch.add("t_never", 'as_owner(); op.execute("ALTER TABLE auth.users ADD x int")')
    reader = database.connect(autocommit=False)
    reader.execute("SELECT count(*) FROM auth.users")
    environment = database.environment(
        PLATFORM_LOCK_TIMEOUT="0.1", PLATFORM_RETRY_FOR="0.5"
    )

    done = run("alembic", "-c", branch.ini, "upgrade", "head", env=environment)

    assert done.returncode != 0
    assert "revision t_never" in done.stderr
    assert "PLATFORM_LOCK_TIMEOUT" in done.stderr
    assert "Traceback" not in done.stderr
    assert _versions(database) == [branch.shipped]


@pytest.mark.slow
def test_relative_steps_are_not_repeated_by_a_retry(
    database: Database, branch: Branch
) -> None:
    """`upgrade +1` under a passing fault goes one step on, not two."""
    branch.add("t_one", 'as_owner(); op.execute("ALTER TABLE auth.users ADD x int")')
    branch.add("t_two", 'as_owner(); op.execute("ALTER TABLE auth.users ADD y int")')
    reader = database.connect(autocommit=False)
    reader.execute("SELECT count(*) FROM auth.users")

    code, told = _upgrade_against(database, branch, "+1", reader)

    assert code == 0, told
    assert "t_one: 55P03, try 2" in told
    assert _versions(database) == ["t_one"]


def _versions(database: Database) -> list[str]:
    rows = database.connect().execute("SELECT version_num FROM alembic_version")
    return [version for (version,) in rows]


PASSING = """as_owner(); op.execute(sa.text('''
        DO $$ BEGIN
            IF nextval('auth.tries') < 3 THEN
                RAISE EXCEPTION 'tuple concurrently updated' USING ERRCODE = '{state}';
            END IF;
        END $$'''.replace(":", r"\\\\:")))"""


@pytest.mark.parametrize("state", ["40P01", "40001", "XX000"])
def test_passing_faults_are_tried_again(
    database: Database, branch: Branch, run: Run, state: str
) -> None:
    """Deadlock, serialization failure and a moving role catalog are not the end."""
    branch.add(
        "t_sequence", 'as_owner(); op.execute("CREATE SEQUENCE auth.tries MINVALUE 1")'
    )
    branch.add("t_passing", "import sqlalchemy as sa; " + PASSING.format(state=state))

    done = run(
        "alembic", "-c", branch.ini, "upgrade", "head", env=database.environment()
    )

    assert done.returncode == 0, done.stderr
    assert f"t_passing: {state}, try 3" in done.stderr
    assert _versions(database) == ["t_passing"]


def test_patience_is_counted_per_step() -> None:
    """A slow revision does not use up the time in which a later one is tried again."""
    patience = _Patience(2.0)
    assert patience.pause(0) is not None
    patience._until = time.monotonic() - 1.0

    assert patience.pause(0) is None
    assert patience.pause(1) is not None
    assert patience.tries == 1
