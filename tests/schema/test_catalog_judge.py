"""`platform db check` and `refresh`: drift is said, carried databases are renewed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from ai_platform.catalog import Difference, diff
from ai_platform.catalog.judge import check, refresh, sort_out
from ai_platform.catalog.sources import read_sources
from ai_platform.server import EmbeddedServer
from models import metadata
from tests.support.catalogs import assert_same_catalog, catalog_of
from tests.support.cluster import Cluster
from tests.support.environment import clean_environment
from tests.support.programs import CHECKOUT, Run, run_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database

SQL_ROOT = CHECKOUT / "models" / "sql"
OLDER = os.environ.get("TEST_OLDER_DATABASE_URL")
OLD_BODY = """
    CREATE OR REPLACE FUNCTION public.uuid_generate_v7() RETURNS uuid LANGUAGE sql
        VOLATILE PARALLEL SAFE AS 'SELECT pg_catalog.gen_random_uuid()'
"""


def test_a_migrated_database_is_as_declared(database: Database, run: Run) -> None:
    """After `upgrade head` the judge has nothing to say and leaves with 0."""
    done = run("platform", "db", "check", env=database.environment())

    assert (done.returncode, done.stdout) == (0, "the database is as declared\n")


def test_drift_is_named_with_exit_4(database: Database, run: Run) -> None:
    """Each change by hand is one readable line; the exit code says refused."""
    connection = database.connect()
    connection.execute("ALTER TABLE auth.users DISABLE TRIGGER tr_users_audit")
    connection.execute("DROP VIEW monitoring.partition_status")
    connection.execute("CREATE TABLE auth.stray (id integer)")

    done = run("platform", "db", "check", env=database.environment())

    assert done.returncode == 4
    assert done.stdout.splitlines() == [
        "unexpected table auth.stray",
        "trigger tr_users_audit on auth.users: state: enabled → disabled",
        "missing view monitoring.partition_status",
    ]
    assert "3 differences" in done.stderr


def test_a_login_without_createdb_sees_no_drift(database: Database, run: Run) -> None:
    """The owner's login is told the same, though the reference is built elsewhere."""
    done = run("platform", "db", "check", env=database.environment("migrator"))

    assert (done.returncode, done.stdout) == (0, "the database is as declared\n")


def test_drift_can_be_read_by_programs(database: Database, run: Run) -> None:
    """With --json every difference has its parts, and the text."""
    database.connect().execute("ALTER ROLE platform_app NOLOGIN")
    database.connect().execute("REVOKE SELECT ON auth.roles FROM platform_app")

    done = run("platform", "db", "check", "--json", env=database.environment())

    found = json.loads(done.stdout)
    assert (done.returncode, found["clean"]) == (4, False)
    (line,) = found["drift"]
    assert (line["kind"], line["identity"], line["property"]) == (
        "table",
        "auth.roles",
        "rights",
    )


def test_hardening_is_no_drift(database: Database, run: Run) -> None:
    """What `platform harden` takes from PUBLIC is the operator's choice, and noted."""
    name = database.name
    database.cluster.execute("REVOKE ALL ON DATABASE {name} FROM PUBLIC", name=name)
    database.connect().execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC")

    done = run("platform", "db", "check", env=database.environment())

    assert done.returncode == 0
    assert "note: database this database: rights of PUBLIC" in done.stderr


def test_new_partitions_are_no_drift(database: Database) -> None:
    """A day made at run time is as it should be; one that is open to a role is not."""
    connection = database.connect(role="platform_owner")
    parent, later = "public.request_logs", "now() + interval '1 day'"
    connection.execute(
        f"SELECT monitoring.ensure_partitions('{parent}', {later})".encode()
    )
    before = check(database.target, metadata, SQL_ROOT)
    row = connection.execute(
        "SELECT min(inhrelid::regclass::text) FROM pg_inherits"
        " WHERE inhparent = 'public.request_logs'::regclass"
    ).fetchone()
    assert row is not None
    connection.execute(f"GRANT SELECT ON {row[0]} TO platform_app".encode())

    after = check(database.target, metadata, SQL_ROOT)

    assert before.clean, before.drift
    assert [
        (
            "table public.request_logs: partition faults:"
            f" none → {row[0]}: grants platform_app: SELECT"
        )
    ] == [str(item) for item in after.drift]


def test_what_a_server_version_chose_is_refreshed(database: Database) -> None:
    """The text of another version and lost rights are named `refresh`, then renewed."""
    before = catalog_of(database)
    database.connect().execute(OLD_BODY)
    database.cluster.execute(
        "REVOKE TEMPORARY ON DATABASE {name} FROM platform_app", name=database.name
    )

    found = refresh(database.target, metadata, SQL_ROOT, dry_run=True)
    still = diff(before, catalog_of(database))
    done = refresh(database.target, metadata, SQL_ROOT)

    assert found.drift == ()
    assert {item.kind for item in found.outdated} == {"database", "function"}
    assert list(found.outdated) == still
    assert [file.name for file in done.files] == [
        "database.rights",
        "public.uuid_generate_v7",
    ]
    assert_same_catalog(before, catalog_of(database))


def test_a_missing_function_is_drift_not_refresh() -> None:
    """Refresh renews what is there; what is missing comes from a revision."""
    name = "public.uuid_generate_v7()"
    missing = Difference("function", name, "object", "present", None)
    verdict = sort_out([missing], read_sources(SQL_ROOT))

    assert (verdict.drift, verdict.outdated, verdict.files) == ((missing,), (), ())


def test_an_edited_function_is_drift_not_refresh() -> None:
    """Only texts that the server's version chooses are renewed without a question."""
    files = read_sources(SQL_ROOT)
    edited = Difference("function", "auth.uid()", "body", "a", "b")
    chosen = Difference("function", "public.uuid_generate_v7()", "body", "a", "b")
    stray = Difference("function", "auth.nobody()", "object", None, "present")

    verdict = sort_out([edited, chosen, stray], files)

    assert verdict.drift == (edited, stray)
    assert verdict.outdated == (chosen,)
    assert [file.name for file in verdict.files] == ["public.uuid_generate_v7"]


@pytest.fixture
def carried(empty: Database, template: str, tmp_path: Path) -> Database:
    """Give a database of an older server, restored into the one of this session.

    With *template* the roles are there already, as a dump needs them to be.
    """
    if not OLDER:
        pytest.skip("TEST_OLDER_DATABASE_URL names no second server")
    older, newer = Cluster(OLDER), empty.connect().info.server_version // 10000
    with older.connect() as connection:
        major = connection.info.server_version // 10000
    if major >= newer:
        pytest.skip(f"PostgreSQL {major} is not older than {newer}")
    name, dump = older.create(), tmp_path / "dump"
    source = older.target.with_database(name).url
    programs = EmbeddedServer().bin_dir
    try:
        env = clean_environment(DATABASE_URL=source)
        run_program("alembic", "upgrade", "head", env=env, check=True)
        run_program(programs / "pg_dump", "-Fc", "-d", source, "-f", dump, check=True)
    finally:
        older.drop(name)
    # extensions and collations that the newer server lacks stay behind
    run_program(programs / "pg_restore", "-d", empty.url, dump)
    return empty


def test_a_restored_database_is_clean_after_refresh(
    carried: Database, run: Run
) -> None:
    """A dump of an older major restored here: `check` names refresh, then is clean."""
    env = carried.environment()

    found = run("platform", "db", "check", env=env)
    done = run("platform", "db", "refresh", env=env)
    after = run("platform", "db", "check", env=env)

    assert found.returncode == 4
    lines = found.stdout.splitlines()
    assert [line for line in lines if not line.startswith("refresh: ")] == []
    assert "next: platform db refresh" in found.stderr
    assert done.returncode == 0
    assert (after.returncode, after.stdout) == (0, "the database is as declared\n")
