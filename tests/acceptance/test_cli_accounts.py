from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.environment import clean_environment

if TYPE_CHECKING:
    import subprocess

    from tests.support.database import Database
    from tests.support.programs import Run

PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist


class Platform:
    """The command `platform` on one database, as one login."""

    def __init__(self, run: Run, environment: dict[str, str]) -> None:
        self._run = run
        self._environment = environment

    def __call__(self, *argv: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run ``platform argv`` with *text* on stdin."""
        return self._run("platform", *argv, env=self._environment, text=text)

    def json(self, *argv: str, text: str = "") -> Any:
        """Run it with --json and return what it printed; it must succeed."""
        done = self(*argv, "--json", text=text)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def platform(run: Run, database: Database, tmp_path: Path) -> Platform:
    """Give `platform` as the migrator, with its secrets in a folder of the test."""
    data = str(tmp_path / "data")
    return Platform(run, database.environment("migrator", PLATFORM_PGDATA=data))


def create_ada(platform: Platform, *more: str) -> None:
    """Make organization acme and its member ada."""
    platform.json("org", "create", "acme", "--name", "Acme")
    argv = ["user", "create", "ada", "--email", "ada@x.org", "--org", "acme", *more]
    platform.json(*argv, "--password-stdin", text=PASSWORD + "\n")


def test_a_user_is_made_and_verified(platform: Platform) -> None:
    """Made through stdin, proved through stdin; a wrong password exits 1."""
    create_ada(platform)
    right = platform("user", "verify", "ada", "--password-stdin", text=PASSWORD)
    wrong = platform("user", "verify", "ada", "--password-stdin", text="x" + PASSWORD)

    assert (right.returncode, right.stdout) == (0, "ok\n")
    assert (wrong.returncode, wrong.stdout) == (1, "wrong login name or password\n")


def test_a_list_shows_no_hash(platform: Platform) -> None:
    """Lists are safe to paste into a ticket."""
    create_ada(platform)
    [ada] = platform.json("user", "list", "--org", "acme")

    assert (ada["username"], ada["organization"]) == ("ada", "acme")
    assert "argon2" not in json.dumps(ada)
    assert "ada@x.org" in platform("user", "list").stdout
    assert [org["seats"] for org in platform.json("org", "list")] == [1]


def test_a_generated_password_lands_in_a_file(
    platform: Platform, tmp_path: Path
) -> None:
    """Without a terminal it goes to a 0600 file that is never overwritten."""
    create_ada(platform)
    argv = ["user", "password", "ada", "--generate"]
    files = [platform.json(*argv)["password_file"] for _ in range(2)]

    assert files[1] == files[0] + "-2"
    assert files[0].startswith(f"{tmp_path}/.secrets/ada.")
    assert Path(files[0]).stat().st_mode & 0o777 == 0o600
    for file, code in zip(files, (1, 0), strict=True):
        done = platform("user", "verify", "ada", "--password-file", file)
        assert done.returncode == code


@pytest.mark.parametrize(
    "argv",
    [
        ["ada", "--email", "b@x.org"],
        ["bob", "--email", "ada@x.org"],
        ["bob", "--email", "b@x.org", "--org", "nix"],
        ["bob", "--email", "b@x.org", "--org", "acme", "--role", "nix"],
    ],
)
def test_a_failure_leaves_no_password(
    platform: Platform, tmp_path: Path, argv: list[str]
) -> None:
    """A file with the password of nobody would only mislead."""
    create_ada(platform)
    done = platform("user", "create", *argv, "--generate")

    assert done.returncode == 2
    assert list((tmp_path / ".secrets").iterdir()) == []


def test_a_password_needs_a_source(platform: Platform) -> None:
    """Without a terminal nothing is guessed: the options are named."""
    done = platform("user", "create", "ada", "--email", "a@x.org")

    assert done.returncode == 2
    assert "--password-stdin" in done.stderr


def test_a_weak_password_is_not_echoed(platform: Platform) -> None:
    """What was refused does not end up in a log."""
    argv = ["user", "create", "ada", "--email", "a@x.org", "--password-stdin"]
    done = platform(*argv, text="tiny-1\n")

    assert done.returncode == 2
    assert "tiny-1" not in done.stdout + done.stderr
    assert platform.json("user", "list") == []


def test_odd_names_pass_the_door(platform: Platform) -> None:
    """Quotes, spaces, emoji and right-to-left names arrive as typed."""
    names = ['"; DROP TABLE auth.users; --', "Ä 🦊", "شيماء"]
    for number, name in enumerate(names):
        argv = ["user", "create", name, "--email", f"{number}@x.org", "--generate"]
        platform.json(*argv)

    assert {row["username"] for row in platform.json("user", "list")} == {*names}
    shown = platform("user", "list").stdout
    assert all(name in shown for name in names)


@pytest.mark.parametrize(
    "argv",
    [
        ["user", "create", "a\x1b[31m", "--email", "a@x.org", "--generate"],
        ["user", "create", "", "--email", "a@x.org", "--generate"],
        ["user", "create", "ada", "--email", "not an address", "--generate"],
        ["org", "create", "Not A Slug"],
        ["org", "create", "a" * 64],
        ["key", "create", "k", "--org", "acme", "--scope", "nonsense"],
        ["key", "create", "k", "--org", "acme", "--scope", "*:*", "--expires", "-1d"],
    ],
)
def test_bad_values_reach_no_database(run: Run, argv: list[str]) -> None:
    """A value that cannot be used is refused, exit 2, before anything connects."""
    nowhere = clean_environment(DATABASE_URL="postgresql://127.0.0.1:1/nowhere")
    done = run("platform", *argv, env=nowhere)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("platform: ")
    assert len(done.stderr.splitlines()) <= 2
    assert "\x1b" not in done.stderr


def test_unknown_names_are_exit_2(platform: Platform) -> None:
    """What does not exist is named, with the list to look at."""
    for argv in (
        ["key", "create", "k", "--org", "nix", "--scope", "*:*"],
        ["key", "revoke", "pk_nowhere"],
        ["user", "disable", "nobody"],
    ):
        done = platform(*argv)

        assert done.returncode == 2
        assert "list" in done.stderr.splitlines()[1]


def test_a_key_is_shown_once(platform: Platform) -> None:
    """Creation prints the key; verify proves it until revoked; no list shows it."""
    create_ada(platform, "--role", "admin")
    argv = ["key", "create", "ci", "--org", "acme", "--scope", "data_platform.*:read"]
    made = platform.json(*argv, "--user", "ada", "--expires", "90d")
    found = platform.json("key", "verify", text=made["key"])
    listed = platform("key", "list").stdout
    platform.json("key", "revoke", made["prefix"])

    assert found["scopes"] == ["data_platform.*:read"]
    assert made["prefix"] in listed
    assert made["key"] not in listed
    assert platform("key", "verify", text=made["key"]).returncode == 1


@pytest.mark.parametrize(
    ("shell", "code"), [("> /dev/full", 4), (">&-", 2), ("| true", 141)]
)
def test_an_unseen_key_does_not_exist(
    run: Run, platform: Platform, database: Database, shell: str, code: int
) -> None:
    """Where the key cannot be written there is none, and no traceback."""
    create_ada(platform)
    command = f"platform key create ci --org acme --scope '*:read' {shell}"
    env = database.environment("migrator")
    done = run("bash", "-c", f"set -o pipefail; {command}", env=env)

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    if code != 141:
        assert done.stderr.splitlines()[-1].startswith("next: ")
    assert platform.json("key", "list") == []


def test_the_application_may_verify(
    run: Run, platform: Platform, database: Database
) -> None:
    """Proving a login needs no more than the rights of the application."""
    create_ada(platform)
    app = Platform(run, database.environment("app"))

    argv = ["user", "verify", "ada", "--password-stdin"]
    assert app.json(*argv, text=PASSWORD)["verdict"] == "ok"
