"""`make up` on a fresh machine: from nothing to the whole platform, and back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.environment import clean_environment
from tests.support.programs import CHECKOUT, SCRIPTS, run_program
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.database import Database
    from tests.support.programs import Run


def machine(folder: Path) -> dict[str, str]:
    """Return the environment of a machine whose server lives in *folder*."""
    return clean_environment(PLATFORM_PGDATA=str(folder / "pgdata"))


def told(env: dict[str, str], *words: str) -> Any:
    """Return what ``platform … --json`` says."""
    return json.loads(run_program("platform", *words, "--json", env=env).stdout)


def changes(env: dict[str, str]) -> dict[str, str]:
    """Run `platform up` and return what changed, by step."""
    done = run_program("platform", "up", "--json", env=env, check=True)
    return {step["what"]: step["change"] for step in json.loads(done.stdout)["done"]}


@pytest.fixture
def fresh(folder: Path) -> Iterator[dict[str, str]]:
    """Give the environment of a fresh machine; its server ends with the test."""
    env = machine(folder)
    yield env
    run_program("platform", "down", env=env, check=True)


@pytest.fixture(scope="module")
def first_up() -> Iterator[tuple[dict[str, str], subprocess.CompletedProcess[str]]]:
    """Give a machine's environment, and what the first `platform up` on it said."""
    with tempfile.TemporaryDirectory(prefix="platform-tests-") as name:
        Path(name).chmod(0o711)
        env = machine(Path(name))
        yield env, run_program("platform", "up", env=env, check=True)
        run_program("platform", "down", env=env, check=True)


@pytest.fixture(scope="module")
def up(
    first_up: tuple[dict[str, str], subprocess.CompletedProcess[str]],
) -> dict[str, str]:
    """Give the environment of a machine on which `platform up` has run."""
    return first_up[0]


def test_up_twice_changes_nothing(
    first_up: tuple[dict[str, str], subprocess.CompletedProcess[str]],
) -> None:
    """The first `up` makes everything; the second takes seconds and finds it there."""
    env, first = first_up
    begun = time.monotonic()
    second = run_program("platform", "up", env=env, check=True)

    for made in ("started", "base -> ", "4 logins created", "rows written"):
        assert made in first.stdout
    assert "nothing changed" in second.stderr
    assert second.stdout.count("unchanged") == 5
    assert time.monotonic() - begun < 30


def test_the_administrator_can_log_in(
    first_up: tuple[dict[str, str], subprocess.CompletedProcess[str]],
) -> None:
    """No known password: the one made lies in a file that only its owner can read."""
    env, first = first_up
    secrets = Path(env["PLATFORM_PGDATA"]).parent / ".secrets"
    secret = secrets / "admin.platform.embedded-pgdata-password"
    password = secret.read_text()

    assert str(secret) in first.stdout
    assert password.strip() not in first.stdout + first.stderr
    assert secret.stat().st_mode & 0o777 == 0o600
    verify = ["platform", "user", "verify", "admin", "--password-stdin"]
    assert run_program(*verify, env=env, text=password).returncode == 0
    assert run_program(*verify, env=env, text="admin123\n").returncode == 1


def test_data_survives_down(up: dict[str, str]) -> None:
    """`down` stops the server; the next `up` finds the same rows."""
    create = ["org", "create", "acme", "--name", "Acme Ltd"]
    run_program("platform", *create, env=up, check=True)
    downs = [run_program("platform", "down", env=up).stdout for _ in range(2)]

    assert downs == ["stopped\n", "nothing embedded runs\n"]
    assert changes(up)["schema"] == "unchanged"
    assert "acme" in run_program("platform", "org", "list", env=up).stdout


@pytest.mark.slow
def test_two_ups_at_once_agree(fresh: dict[str, str]) -> None:
    """Two terminals on a fresh machine end with one server and one administrator."""
    command = [str(SCRIPTS / "platform"), "up", "--json"]
    both = [
        subprocess.Popen(
            command,
            env=fresh,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120) for process in both]

    assert [process.returncode for process in both] == [0, 0], outputs
    users = ["--", "-Atc", "SELECT count(*) FROM auth.users"]
    assert run_program("platform", "db", "psql", *users, env=fresh).stdout == "1\n"
    assert set(changes(fresh).values()) == {"unchanged"}


@pytest.mark.parametrize(
    ("number", "seconds"),
    [
        (signal.SIGINT, 0.8),
        (signal.SIGKILL, 1.4),
        *(
            pytest.param(number, tenths / 10, marks=pytest.mark.torture)
            for number in (signal.SIGINT, signal.SIGKILL)
            for tenths in range(0, 28, 3)
        ),
    ],
)
@pytest.mark.slow
def test_an_interrupted_up_goes_on(
    fresh: dict[str, str], folder: Path, number: signal.Signals, seconds: float
) -> None:
    """Ctrl-C or kill -9 at any moment of `up` leaves what the next one completes."""
    with subprocess.Popen(
        [SCRIPTS / "platform", "up"],
        env=fresh,
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        # from its first trace on: before, there is but an interpreter that begins
        until(lambda: list(folder.iterdir()))
        time.sleep(seconds)
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=60)

    assert process.returncode in {-signal.SIGKILL, 130, 0}, errors
    assert "Traceback" not in errors
    changes(fresh)
    assert told(fresh, "status")["missing"] == 0
    assert set(changes(fresh).values()) == {"unchanged"}


def test_status_starts_nothing(fresh: dict[str, str], folder: Path) -> None:
    """Looking at a machine without a server says `platform up`, and makes no folder."""
    done = run_program("platform", "status", env=fresh)

    assert done.returncode == 1
    assert "platform up" in done.stdout
    assert list(folder.iterdir()) == []


def test_status_says_where_things_stand(up: dict[str, str]) -> None:
    """Server, revision and the reach of the partitions, for people and programs."""
    done = run_program("platform", "status", env=up)
    found = told(up, "status")

    assert done.returncode == 0, done.stdout
    assert found["running"]
    assert found["revision"] == found["head"]
    assert found["partitions_until"] > time.strftime("%Y-%m-%d", time.gmtime())
    assert not found["next"]


@pytest.mark.parametrize("role", ["app", "worker", "readonly", "log_writer"])
def test_a_role_has_a_url(up: dict[str, str], role: str) -> None:
    """Developers log in as a member of a working role and meet its row security."""
    url = told(up, "db", "url", "--role", role)["url"]

    with psycopg.connect(url) as connection:
        query = "SELECT session_user::text, pg_has_role(%s, 'MEMBER'), usesuper"
        query += " FROM pg_user WHERE usename = session_user"
        row = connection.execute(query.encode(), [f"platform_{role}"]).fetchone()
    assert row == (f"dev_{role}", True, False)


def test_the_migrator_can_become_owner(up: dict[str, str]) -> None:
    """The login for revisions works as the owner, as in production."""
    url = told(up, "db", "url", "--role", "migrator")["url"]

    with psycopg.connect(url) as connection:
        connection.execute("SET ROLE platform_owner")
        row = connection.execute("SELECT session_user::text").fetchone()
    assert row == ("platform_migrator",)


def test_psql_leaves_with_its_own_code(up: dict[str, str]) -> None:
    """Scripts see what psql says: 0, or 3 when a script stops at an error."""
    psql = ["platform", "db", "psql", "--"]
    good = run_program(*psql, "-Atc", "SELECT current_database()", env=up)
    script = ["-v", "ON_ERROR_STOP=1", "-f", "-"]
    bad = run_program(*psql, *script, env=up, text="SELECT nothing_at_all;")

    assert (good.returncode, good.stdout) == (0, "platform\n")
    assert bad.returncode == 3


def test_a_given_server_is_used(empty: Database, folder: Path, run: Run) -> None:
    """With DATABASE_URL nothing embedded starts, and `down` leaves that server be."""
    env = empty.environment(PLATFORM_PGDATA=str(folder / "pgdata"))

    assert changes(env)["server of DATABASE_URL"] == "unchanged"
    down = run("platform", "down", env=env)
    assert (down.returncode, down.stdout.partition(":")[0]) == (
        0,
        "nothing embedded is used",
    )
    assert "DATABASE_URL is not ours to stop" in down.stderr
    assert not (folder / "pgdata").exists()
    assert told(env, "status")["server"] == "DATABASE_URL"


def test_an_empty_variable_is_not_set(empty: Database, run: Run) -> None:
    """DATABASE_URL= in a compose file leaves POSTGRES_URL in force."""
    env = clean_environment(DATABASE_URL="", POSTGRES_URL=empty.url)

    shown = run("platform", "db", "url", env=env, check=True).stdout
    assert empty.name in shown


def test_roles_are_of_the_embedded_server(empty: Database, run: Run) -> None:
    """A given server's logins are its own: --role is refused, not guessed."""
    done = run("platform", "db", "url", "--role", "app", env=empty.environment())

    assert done.returncode == 4
    assert "platform_app" in done.stderr


def test_a_password_stays_out_of_sight(run: Run) -> None:
    """`db url` leaves the password out until asked; errors never show it."""
    url = "postgresql://ada:se%2Fcret@127.0.0.1:9/platform?connect_timeout=1"
    env = clean_environment(DATABASE_URL=url)

    shown = run("platform", "db", "url", env=env)
    assert shown.stdout == url.replace(":se%2Fcret", "") + "\n"
    assert run("platform", "db", "url", "--with-password", env=env).stdout == url + "\n"
    failed = run("platform", "status", env=env)
    assert failed.returncode == 3
    output = failed.stdout + failed.stderr
    assert [form for form in ("se%2Fcret", "se/cret") if form in output] == []


def test_psql_gets_the_password_unseen(up: dict[str, str]) -> None:
    """The password travels in the environment, never in a list of processes."""
    url = told(up, "db", "url")["url"].replace("@", ":hidden@", 1)
    show = r"\! tr '\0' ' ' </proc/$PPID/cmdline; echo; printenv PGPASSWORD"
    psql = ["platform", "db", "psql", "--", "-c", show]

    done = run_program(*psql, env={**up, "DATABASE_URL": url})
    assert done.stdout.endswith("hidden\n")
    assert "hidden" not in done.stdout.removesuffix("hidden\n")


@pytest.mark.parametrize("login", ["app", "worker", "readonly", "log_writer"])
def test_any_login_may_ask_for_status(database: Database, login: str) -> None:
    """Where things stand is no secret of the superuser."""
    done = run_program("platform", "status", env=database.environment(login))

    assert done.returncode == 0, done.stdout + done.stderr
