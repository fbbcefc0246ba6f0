from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.environment import clean_environment
from tests.support.programs import CHECKOUT, SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cluster import Cluster
    from tests.support.database import Database
    from tests.support.programs import Run

# each opens the database in its own way
COMMANDS = [
    ("user", "list"),
    ("org", "list"),
    ("key", "list"),
    ("seed", "--generate"),
    ("harden", "--dry-run"),
]


def two_lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the two lines of an error; nothing else may be there."""
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["platform", "next"]
    return lines


@pytest.mark.parametrize("argv", COMMANDS[-3:])
def test_no_server_is_exit_3(run: Run, argv: tuple[str, ...]) -> None:
    """A server that is down is named, without the password of the URL."""
    url = "postgresql://me:hunter2@127.0.0.1:1/platform"
    done = run("platform", *argv, env=clean_environment(DATABASE_URL=url))

    first, second = two_lines(done)
    assert done.returncode == 3
    assert "me@127.0.0.1:1/platform" in first
    assert "hunter2" not in done.stderr
    assert "DATABASE_URL" in second


def test_a_wrong_database_is_exit_3(run: Run, cluster: Cluster) -> None:
    """A database that does not exist is a wrong address, with the way to make it."""
    url = cluster.target.with_database("no such database").url
    done = run("platform", "org", "list", env=clean_environment(DATABASE_URL=url))

    first, second = two_lines(done)
    assert done.returncode == 3
    assert "does not exist" in first
    assert "createdb" in second


def test_a_wrong_login_is_exit_3(run: Run, database: Database) -> None:
    """A role that may not log in, and nobody at all, are told as such."""
    for role in ("platform_app", "nobody-at-all"):
        scheme, _, rest = database.url.partition("://")
        url = f"{scheme}://{role}:wrong@{rest.rpartition('@')[2]}"
        done = run("platform", "user", "list", env=clean_environment(DATABASE_URL=url))

        two_lines(done)
        assert done.returncode == 3
        assert "wrong" not in done.stderr.replace("user and password", "")


def test_an_empty_database_is_exit_4(run: Run, empty: Database) -> None:
    """Before the first upgrade each command says what to run."""
    for argv in COMMANDS:
        done = run("platform", *argv, env=empty.environment())

        assert done.returncode == 4
        assert two_lines(done)[1] == "next: platform db upgrade"


def test_a_login_without_rights_is_exit_4(run: Run, database: Database) -> None:
    """The application's login administers nothing, and is told which role it lacks."""
    done = run("platform", "user", "list", env=database.environment("app"))

    assert done.returncode == 4
    assert "may not act as platform_owner" in two_lines(done)[0]


def test_a_bad_url_is_exit_2(run: Run) -> None:
    """A URL of another database, or none, is a bad value."""
    for url in ("mysql://x/y", "platform", "postgresql://h:port/d"):
        done = run("platform", "org", "list", env=clean_environment(DATABASE_URL=url))

        assert done.returncode == 2
        assert "DATABASE_URL" in two_lines(done)[0]


def test_errors_can_be_json(run: Run, empty: Database) -> None:
    """With --json the failure is one object on stderr."""
    done = run("platform", "user", "list", "--json", env=empty.environment())

    told = json.loads(done.stderr)
    assert (told["exit_code"], told["next"]) == (4, "platform db upgrade")
    assert done.stdout == ""


def test_ctrl_c_leaves_nothing_half_done(database: Database, tmp_path: Path) -> None:
    """Interrupted while it waits for the password, it exits 130 and made nobody."""
    fifo = tmp_path / "password"
    os.mkfifo(fifo)
    argv = ["user", "create", "ada", "--email", "a@x.org", "--password-file", fifo]
    child = subprocess.Popen(
        [SCRIPTS / "platform", *argv],
        env=database.environment(),
        cwd=CHECKOUT,
        stderr=subprocess.PIPE,
        text=True,
    )
    # opening it waits until the command has begun to read the password
    with child, fifo.open("w"):
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)

    assert (child.returncode, err) == (130, "platform: interrupted\n")
    owner = database.connect(role="platform_owner")
    assert owner.execute("SELECT count(*) FROM auth.users").fetchone() == (0,)
