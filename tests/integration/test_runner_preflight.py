"""What makes an upgrade impossible is said before anything is changed."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ai_platform.connection import Target
from ai_platform.errors import Refused
from ai_platform.runner._preflight import Facts, refuse_server
from tests.support.environment import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.cluster import Cluster
    from tests.support.database import Database
    from tests.support.programs import Run

MODERN = Facts(
    version_num=180006,
    version="18.6",
    is_standby=False,
    is_read_only=False,
    encoding="UTF8",
    database="platform",
    login="ada",
    is_superuser=False,
    may_create_roles=False,
    roles=[],
    version_table_owner=None,
)


def _refused(run: Run, database: Database, *words: str) -> None:
    """Assert that an upgrade is refused with *words*, and that nothing was made."""
    before = _tables(database)
    done = run("platform", "db", "upgrade", env=database.environment())
    assert done.returncode == 4, done.stderr
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert before == _tables(database)


def test_plain_alembic_refuses_alike(empty: Database, run: Run) -> None:
    """The other door has the same lock: one line on stderr, the same exit code."""
    empty.connect().execute("CREATE SCHEMA auth CREATE TABLE users (id int)")
    done = run("alembic", "upgrade", "head", env=empty.environment())

    assert done.returncode == 4
    assert "FAILED: database" in done.stderr
    assert "table auth.users, owned by" in done.stderr
    assert "Traceback" not in done.stderr


def _tables(database: Database) -> list[tuple[str, ...]]:
    return (
        database.connect()
        .execute(
            "SELECT n.nspname, c.relname FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
            " ORDER BY 1, 2"
        )
        .fetchall()
    )


def test_foreign_tables_are_not_built_over(empty: Database, run: Run) -> None:
    """A schema of ours that holds somebody's table is named, and left alone."""
    empty.connect().execute("CREATE SCHEMA auth CREATE TABLE users (id int)")

    _refused(run, empty, "table auth.users, owned by", "CREATE DATABASE")


def test_foreign_functions_are_not_replaced(empty: Database, run: Run) -> None:
    """A function of ours in public that somebody else made is named."""
    empty.connect().execute(
        "CREATE FUNCTION json_valid(text) RETURNS boolean RETURN true"
    )

    _refused(run, empty, "function public.json_valid")


def test_a_hidden_vector_is_named(empty: Database, run: Run) -> None:
    """`vector` outside the search path is refused with the statement that helps."""
    session = empty.connect()
    session.execute("CREATE SCHEMA ext")
    session.execute("CREATE EXTENSION vector SCHEMA ext")

    _refused(run, empty, "schema 'ext'", "ALTER DATABASE", "search_path")


def test_vector_elsewhere_works_on_the_search_path(empty: Database, run: Run) -> None:
    """After that statement the same database installs."""
    session = empty.connect()
    session.execute("CREATE SCHEMA ext")
    session.execute("CREATE EXTENSION vector SCHEMA ext")
    session.execute(
        f'ALTER DATABASE "{empty.name}" SET search_path = "$user", public, ext'
    )

    done = run("alembic", "upgrade", "head", env=empty.environment())

    assert done.returncode == 0, done.stderr


def test_another_encoding_is_refused(cluster: Cluster, run: Run) -> None:
    """A database that is not UTF8 is refused with the way to make one that is."""
    name = cluster.create(label="_ascii")
    cluster.drop(name)
    cluster.execute(
        "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII'"
        " LOCALE_PROVIDER libc LOCALE 'C'",
        name=name,
    )
    url = cluster.target.with_database(name).url
    try:
        done = run("platform", "db", "upgrade", env=clean_environment(DATABASE_URL=url))
    finally:
        cluster.drop(name)

    assert done.returncode == 4
    assert "SQL_ASCII, not UTF8" in done.stderr


def test_a_newer_database_is_left_alone(database: Database, run: Run) -> None:
    """A revision this checkout does not know is refused, reading included."""
    database.connect().execute("UPDATE alembic_version SET version_num = 'f00'")

    _refused(run, database, "revision 'f00'", "update the checkout")
    current = run("platform", "db", "current", env=database.environment())
    assert current.returncode == 4


def test_another_application_version_is_named(empty: Database, run: Run) -> None:
    """A version table that is not ours is not mistaken for a newer checkout."""
    empty.connect().execute(
        "CREATE TABLE alembic_version AS SELECT 'abc'::varchar(32) AS version_num"
    )

    _refused(run, empty, "version table of another application", "'abc'")


def test_a_read_only_login_is_named(empty: Database, run: Run) -> None:
    """A session that may only read is refused with the setting that makes it so."""
    empty.connect().execute(
        f'ALTER DATABASE "{empty.name}" SET default_transaction_read_only = on'
    )

    _refused(run, empty, "read-only", "default_transaction_read_only")


@pytest.fixture
def stranger(cluster: Cluster) -> Iterator[str]:
    """Give a login without any right."""
    # the server may be that of another session of tests as well
    name = f"t stranger {secrets.token_hex(4)}"
    with cluster.connect() as session:
        session.execute(f'CREATE ROLE "{name}" LOGIN'.encode())
        yield name
        session.execute(f'DROP ROLE "{name}"'.encode())


@pytest.mark.parametrize("name", ["empty", "database"])
def test_a_login_without_rights_learns_what_to_ask_for(
    request: pytest.FixtureRequest, name: str, run: Run, stranger: str
) -> None:
    """Neither on an empty nor on a finished database is there a half-made schema."""
    database: Database = request.getfixturevalue(name)
    url = database.as_login(stranger).url
    done = run("platform", "db", "upgrade", env=clean_environment(DATABASE_URL=url))

    assert done.returncode == 4
    assert f"'{stranger}'" in done.stderr
    assert "next: " in done.stderr
    assert "GRANT" in done.stderr or "--bootstrap" in done.stderr


@pytest.mark.parametrize("command", ["check", "current", "revision --autogenerate"])
def test_reading_without_rights_is_one_line(
    database: Database, run: Run, stranger: str, command: str
) -> None:
    """A login that may see nothing gets no traceback from a reading command either."""
    url = database.as_login(stranger).url
    done = run("alembic", *command.split(), env=clean_environment(DATABASE_URL=url))

    assert "Traceback" not in done.stderr
    if command != "current":  # the version table is open to everybody
        assert done.returncode == 4
        assert "FAILED: " in done.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version_num": 150010, "version": "15.10"}, "PostgreSQL 15.10 is too old"),
        ({"is_standby": True}, "read-only standby"),
    ],
)
def test_servers_we_cannot_start_here_are_refused(
    change: dict[str, object], words: str
) -> None:
    """PostgreSQL 15 and a standby are refused by the facts they report."""
    with pytest.raises(Refused, match=words):
        refuse_server(replace(MODERN, **change), writes=True)  # type: ignore[arg-type]


def test_no_server_is_a_connection_error(run: Run) -> None:
    """Nobody listening: exit 3, one line, and the password stays out of it."""
    url = "postgresql://ada:s3cret@127.0.0.1:1/platform"
    for command in (("platform", "db", "upgrade"), ("alembic", "current")):
        done = run(*command, env=clean_environment(DATABASE_URL=url))
        assert done.returncode != 0
        assert "cannot connect to postgresql://ada@127.0.0.1:1/platform" in done.stderr
        assert "s3cret" not in done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        if command[0] == "platform":
            assert done.returncode == 3


def test_a_wrong_database_is_a_connection_error(cluster: Cluster, run: Run) -> None:
    """A database that is not there: exit 3 and the name."""
    url = cluster.target.with_database("nobody made this").url
    done = run("platform", "db", "current", env=clean_environment(DATABASE_URL=url))

    assert done.returncode == 3
    assert '"nobody made this" does not exist' in done.stderr


@pytest.mark.parametrize(
    "url", ["mysql://a/b", "platform", "postgresql://a:b@h:port/d", "sqlite:///x"]
)
def test_an_unusable_url_is_a_usage_error(url: str, run: Run) -> None:
    """What is not a PostgreSQL URL never reaches a socket: exit 2."""
    done = run("platform", "db", "current", env=clean_environment(DATABASE_URL=url))

    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr


def test_a_pooler_in_transaction_mode_is_refused(empty: Database, run: Run) -> None:
    """PgBouncer in transaction mode cannot keep a lock: refused before taking one."""
    pooler = os.environ.get("TEST_PGBOUNCER_URL")
    if not pooler:
        pytest.skip("TEST_PGBOUNCER_URL names no pooler in front of this server")
    target = Target(pooler, "tests").with_database(empty.name)
    done = run(
        "platform", "db", "upgrade", env=clean_environment(DATABASE_URL=target.url)
    )

    assert done.returncode == 4
    assert "transaction mode" in done.stderr
