from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.programs import CHECKOUT, SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database
    from tests.support.programs import Run

PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist


@pytest.fixture
def env(database: Database, tmp_path: Path) -> dict[str, str]:
    """Give the migrator's environment, with secrets in a folder of the test."""
    return database.environment("migrator", PLATFORM_PGDATA=str(tmp_path / "data"))


def verify(run: Run, env: dict[str, str], login: str, password: str) -> int:
    """Return the exit code of `platform user verify`."""
    argv = ("user", "verify", login, "--password-stdin")
    return run("platform", *argv, env=env, text=password).returncode


def test_seeding_alone_gives_a_login(
    run: Run, env: dict[str, str], tmp_path: Path
) -> None:
    """Without terminal and options a password is made, and the file named."""
    done = run("platform", "seed", env=env, check=True)

    [file] = (tmp_path / ".secrets").glob("admin.*-password")
    password = file.read_text().strip()
    assert str(file) in done.stdout
    assert password not in done.stdout + done.stderr
    assert verify(run, env, "admin", password) == 0


def test_seeding_again_is_quiet(run: Run, env: dict[str, str], tmp_path: Path) -> None:
    """The second run changes nothing, makes no file and says what is there."""
    run("platform", "seed", env=env, check=True)
    again = json.loads(run("platform", "seed", "--json", env=env, check=True).stdout)

    assert {row["change"] for row in again["done"]} == {"unchanged"}
    assert "password_file" not in again
    assert len(list((tmp_path / ".secrets").iterdir())) == 1


def test_the_environment_holds_the_password(run: Run, env: dict[str, str]) -> None:
    """A container passes it as PLATFORM_ADMIN_PASSWORD; names are options."""
    argv = ["--org-slug", "acme", "--username", "root", "--email", "r@x.org"]
    done = run(
        "platform", "seed", *argv, env={**env, "PLATFORM_ADMIN_PASSWORD": PASSWORD}
    )

    assert "administrator root" in done.stdout
    assert PASSWORD not in done.stdout + done.stderr
    assert verify(run, env, "root", PASSWORD) == 0


def test_a_password_file_is_read(run: Run, env: dict[str, str], tmp_path: Path) -> None:
    """The line end of the file is not part of the password."""
    file = tmp_path / "secret"
    file.write_text(PASSWORD + "\r\n")
    run("platform", "seed", "--password-file", file, env=env, check=True)

    assert verify(run, env, "admin", PASSWORD) == 0


@pytest.mark.parametrize(
    "argv",
    [
        ["--password-stdin", "--generate"],
        ["--password-file", "/nowhere/secret"],
        ["--password-stdin"],
        ["--org-slug", "NO"],
        ["--email", "no"],
    ],
)
def test_bad_seeds_leave_nothing(
    run: Run, env: dict[str, str], database: Database, argv: list[str]
) -> None:
    """A bad option or an unfit password exits 2 before any row is written."""
    done = run("platform", "seed", *argv, env=env, text="tiny\n")

    assert done.returncode == 2
    owner = database.connect(role="platform_owner")
    assert owner.execute("SELECT count(*) FROM auth.organizations").fetchone() == (0,)


def test_a_terminal_shows_the_generated_password(
    run: Run, env: dict[str, str], tmp_path: Path
) -> None:
    """On a terminal the password is shown once, and no file is left behind."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [SCRIPTS / "platform", "seed", "--generate"],
        env={**env, "TERM": "dumb", "COLUMNS": "200"},
        cwd=CHECKOUT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        shown = _read_all(ours)

    password = shown.rpartition("password of admin: ")[2].strip()
    assert verify(run, env, "admin", password) == 0
    assert not (tmp_path / ".secrets").exists()


def test_a_terminal_is_asked_twice(run: Run, env: dict[str, str]) -> None:
    """At a prompt the password is typed twice and not echoed."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(CHECKOUT)
        os.execve(SCRIPTS / "platform", ["platform", "seed"], env)  # noqa: S606
    for _ in range(2):
        _read_until(terminal, b": ")
        os.write(terminal, PASSWORD.encode() + b"\n")
    shown = _read_all(terminal)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0, shown
    assert PASSWORD not in shown
    assert verify(run, env, "admin", PASSWORD) == 0


def _read_until(terminal: int, mark: bytes) -> None:
    """Read *terminal* until *mark*: the prompt has come and echo is off."""
    text = b""
    while not text.endswith(mark):
        text += os.read(terminal, 1)


def _read_all(terminal: int) -> str:
    """Read *terminal* until its last writer has gone."""
    text = b""
    try:
        while part := os.read(terminal, 4096):
            text += part
    except OSError:  # Linux says EIO where others say end of file
        pass
    os.close(terminal)
    return text.decode()
