"""Commands ask where the database stands before they touch it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psycopg
import pytest

from ai_platform.connection import Target
from ai_platform.errors import Refused
from ai_platform.runner.offline import revisions
from commands._standing import require_schema
from tests.support.environment import clean_environment

if TYPE_CHECKING:
    from tests.support.database import Database
    from tests.support.programs import Run

# each opens the database in its own way
COMMANDS = [
    ("user", "list"),
    ("seed", "--generate"),
    ("harden", "--dry-run"),
    ("partitions", "plan"),
    ("db", "refresh", "--dry-run"),
]
CHECK = ("db", "check")


def refused(run: Run, database: Database, *argv: str) -> tuple[str, str]:
    """Run `platform argv`, which must exit 4 with two lines; return them."""
    done = run("platform", *argv, env=database.environment())
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    said, hint = done.stderr.splitlines()
    return said.removeprefix("platform: "), hint.removeprefix("next: ")


@pytest.mark.parametrize("argv", [*COMMANDS, CHECK])
def test_a_foreign_database_is_left_alone(
    run: Run, empty: Database, argv: tuple[str, ...]
) -> None:
    """Tables of others, even a version table of theirs, do not make it ours."""
    with empty.connect() as connection:
        connection.execute("CREATE TABLE alembic_version (version_num text)")
        connection.execute("INSERT INTO alembic_version VALUES ('theirs')")

    said, hint = refused(run, empty, *argv)

    assert said.endswith("does not hold the platform yet")
    assert hint == "platform db upgrade"


@pytest.mark.parametrize("argv", [*COMMANDS, CHECK])
def test_an_unknown_revision_is_named(
    run: Run, database: Database, argv: tuple[str, ...]
) -> None:
    """What a newer checkout migrated is left to that checkout."""
    with database.connect() as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")

    said, hint = refused(run, database, *argv)

    assert "is at revision 'ffffffffffff', which this checkout does not know" in said
    assert hint.startswith("update the checkout")


@pytest.mark.parametrize("argv", COMMANDS)
def test_missing_revisions_are_counted(
    run: Run, database: Database, argv: tuple[str, ...]
) -> None:
    """A half-migrated database is upgraded first."""
    last_but_one = revisions()[-2].id
    with database.connect() as connection:
        connection.execute(
            "UPDATE alembic_version SET version_num = %s", [last_but_one]
        )

    said, hint = refused(run, database, *argv)

    assert said.startswith("1 revision is missing in database ")
    assert hint == "platform db upgrade"


def test_a_schema_without_revision_is_stamped(run: Run, database: Database) -> None:
    """What SQL files built is compared, and needs its revision written."""
    with database.connect() as connection:
        connection.execute("DROP TABLE public.alembic_version")

    said, hint = refused(run, database, "seed", "--generate")

    assert "no revision" in said
    assert hint == "platform db stamp head"
    done = run("platform", *CHECK, env=database.environment())
    assert "differences" in done.stderr or done.returncode == 0


def test_refresh_leaves_an_empty_database_empty(run: Run, empty: Database) -> None:
    """What is not there is for `platform db upgrade` to make."""
    refused(run, empty, "db", "refresh")

    with empty.connect() as connection:
        query = "SELECT 1 FROM pg_namespace WHERE nspname = 'auth'"
        assert connection.execute(query).fetchone() is None


@pytest.mark.parametrize("argv", [CHECK, ("db", "refresh")])
def test_a_pooler_is_refused(run: Run, argv: tuple[str, ...]) -> None:
    """The owner's role must not stay on a session that others get next."""
    pooler = os.environ.get("TEST_PGBOUNCER_URL")
    if not pooler:
        pytest.skip("TEST_PGBOUNCER_URL names no pooler in transaction mode")

    done = run("platform", *argv, env=clean_environment(DATABASE_URL=pooler))

    assert done.returncode == 4
    assert "is a connection pooler in transaction mode" in done.stderr


@pytest.mark.parametrize(
    "argv",
    [("user", "list"), ("org", "create", "acme"), ("db", "history", "--journal")],
)
def test_a_pooler_gets_its_session_back(
    run: Run, database: Database, argv: tuple[str, ...]
) -> None:
    """The owner's role ends with the transaction: the next client is itself."""
    pooler = os.environ.get("TEST_PGBOUNCER_URL")
    if not (pooler and os.environ.get("TEST_DATABASE_URL")):
        pytest.skip("TEST_PGBOUNCER_URL names no pooler in front of this server")
    url = Target(pooler, "tests").with_database(database.name).url
    run("platform", *argv, env=clean_environment(DATABASE_URL=url), check=True)

    with psycopg.connect(url) as client:
        query = "SELECT current_user = session_user"
        assert client.execute(query).fetchone() == (True,)


def test_a_server_too_old_is_named(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version is said before anything that only newer servers understand."""
    monkeypatch.setattr("commands._standing.OLDEST", 990000)
    with pytest.raises(Refused, match="is too old: 16, 17 and 18") as caught:
        require_schema(database.connect(), database.target)

    assert caught.value.hint == "upgrade the server"


def test_up_looks_for_room_first(run: Run, empty: Database) -> None:
    """Where the password could not be kept, nothing is begun, and the way out named."""
    env = empty.environment(PLATFORM_SECRETS="/dev/null/nowhere")
    done = run("platform", "up", env=env)

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "next: set PLATFORM_ADMIN_PASSWORD"
    with empty.connect() as connection:
        query = "SELECT 1 FROM pg_namespace WHERE nspname = 'auth'"
        assert connection.execute(query).fetchone() is None


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ("DATABASE {database}", "ALTER DATABASE {database} RESET"),
        ("ROLE {login}", "ALTER ROLE {login} RESET"),
        ("ROLE {login} IN DATABASE {database}", "ALTER ROLE {login} IN DATABASE"),
    ],
)
def test_a_read_only_setting_is_found(
    run: Run, database: Database, where: str, shown: str
) -> None:
    """The next step resets the setting where it was made."""
    login = f"{database.name}_login"
    names = {"database": database.name, "login": login}
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {login} LOGIN SUPERUSER PASSWORD 'x'".encode())
        setting = f"ALTER {where} SET default_transaction_read_only = on"
        connection.execute(setting.format(**names).encode())
    try:
        url = database.as_login(login).url.replace(login, f"{login}:x", 1)
        env = clean_environment(DATABASE_URL=url)
        done = run("platform", "org", "create", "acme", env=env)
        listed = run("platform", "org", "list", env=env)
    finally:
        database.cluster.execute("DROP OWNED BY {name}", name=login)
        database.cluster.execute("DROP ROLE {name}", name=login)

    assert (done.returncode, listed.returncode) == (4, 0)
    assert "standby" not in done.stderr
    assert f"next: {shown.format(**names)}" in done.stderr
