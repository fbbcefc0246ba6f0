from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from ai_platform.accounts import users
from tests.support.programs import CHECKOUT, SCRIPTS
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.database import Database
    from tests.support.programs import Run

PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist


@pytest.fixture
def env(database: Database) -> dict[str, str]:
    """Give the migrator's environment with the administrator's password."""
    return database.environment("migrator", PLATFORM_ADMIN_PASSWORD=PASSWORD)


def organizations(database: Database) -> list[str]:
    """Return the slugs of the organizations that are there."""
    owner = database.connect(role="platform_owner")
    query = "SELECT slug FROM auth.organizations ORDER BY slug"
    return [slug for (slug,) in owner.execute(query).fetchall()]


def test_the_demo_comes_and_goes(run: Run, env: dict[str, str]) -> None:
    """After it all checks are clean, a second run is quiet, and base is reached."""
    first = json.loads(run("platform", "seed", "--demo", "--json", env=env).stdout)
    again = json.loads(run("platform", "seed", "--demo", "--json", env=env).stdout)

    assert {"what": "organization demo-harbor", "change": "created"} in first["done"]
    assert {row["change"] for row in again["done"]} == {"unchanged"}
    run("platform", "db", "check", env=env, check=True)
    run("platform", "partitions", "status", env=env, check=True)
    run("alembic", "downgrade", "base", env=env, check=True)


@pytest.mark.slow
def test_roles_in_use_survive_the_way_back(
    run: Run, env: dict[str, str], database: Database
) -> None:
    """A seeded database goes back before the roles and up again with all seats."""
    run("platform", "seed", env=env, check=True)
    run("alembic", "downgrade", "becf7e9dbc8c", env=env, check=True)
    owner = database.connect(role="platform_owner")
    roles = "SELECT name FROM auth.roles ORDER BY name"

    assert owner.execute(roles).fetchall() == [("owner",)]
    run("alembic", "upgrade", "head", env=env, check=True)
    assert len(owner.execute(roles).fetchall()) == 4
    seats = owner.execute("SELECT count(*) FROM auth.memberships").fetchone()
    assert seats == (1,)


@pytest.mark.slow
def test_other_users_end_the_demo(
    run: Run, env: dict[str, str], database: Database
) -> None:
    """Where people work it refuses (4) before any row, and names --yes."""
    owner = database.connect(role="platform_owner")
    users.create_user(owner, users.NewUser("ada", "ada@example.org"), PASSWORD)
    refused = run("platform", "seed", "--demo", env=env)

    assert refused.returncode == 4
    assert "platform seed --demo --yes" in refused.stderr
    assert organizations(database) == []
    run("platform", "seed", "--demo", "--yes", env=env, check=True)
    assert organizations(database) == ["default", "demo-harbor", "demo-orchard"]


def test_yes_alone_is_refused(run: Run, env: dict[str, str]) -> None:
    """--yes without --demo is a mistake of usage, not silence."""
    done = run("platform", "seed", "--yes", env=env)

    assert done.returncode == 2
    assert "--demo" in done.stderr


def test_the_demo_needs_the_schema(run: Run, empty: Database) -> None:
    """Before the upgrade it refuses with the command that comes first."""
    done = run("platform", "seed", "--demo", env=empty.environment())

    assert done.returncode == 4
    assert "platform db upgrade" in done.stderr


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.slow
def test_a_stopped_demo_leaves_nothing(
    run: Run, env: dict[str, str], database: Database, stop: signal.Signals
) -> None:
    """Ctrl-C or kill in the middle leaves day one alone; the next run brings it all."""
    run("platform", "seed", env=env, check=True)
    blocker = database.connect(autocommit=False)
    blocker.execute("LOCK TABLE monitoring.nodes")
    waiting = """SELECT 1 FROM pg_locks
                  JOIN pg_database d ON d.oid = database
                 WHERE datname = current_database() AND NOT granted
                   AND relation = 'monitoring.nodes'::regclass"""
    with subprocess.Popen(
        [SCRIPTS / "platform", "seed", "--demo"],
        env=env,
        cwd=CHECKOUT,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as child:
        until(lambda: blocker.execute(waiting).fetchone())
        child.send_signal(stop)
        code = child.wait(timeout=60)
    blocker.rollback()

    assert code == {signal.SIGINT: 130, signal.SIGKILL: -9}[stop]
    assert organizations(database) == ["default"]
    run("platform", "seed", "--demo", env=env, check=True)
    assert organizations(database) == ["default", "demo-harbor", "demo-orchard"]


@pytest.mark.slow
def test_a_terminal_shows_progress(env: dict[str, str]) -> None:
    """A person at a terminal sees that something is going on."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(CHECKOUT)
        argv = ["platform", "seed", "--demo"]
        os.execve(SCRIPTS / "platform", argv, env | {"TERM": "xterm"})  # noqa: S606
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
    except OSError:  # Linux says EIO where others say end of file
        pass
    os.close(terminal)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    assert b"adding the demo data" in shown
