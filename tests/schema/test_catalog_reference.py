"""The declared database: equal to the migrated one, and gone when it was compared."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import sqlalchemy as sa

from ai_platform import names
from ai_platform.catalog import diff, render, snapshot
from ai_platform.catalog.reference import build, reference, table_statements
from ai_platform.catalog.scratch import PREFIX, scratch_database, sweep
from ai_platform.errors import Refused
from ai_platform.server import EmbeddedServer
from models import metadata
from tests.support.catalogs import catalog_of
from tests.support.programs import CHECKOUT
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database

SQL_ROOT = CHECKOUT / "models" / "sql"
HOLD = """
import sys, time
from ai_platform.catalog.scratch import scratch_database
from ai_platform.connection import Target
with scratch_database(Target(sys.argv[1], "test")) as place:
    print(place.database, flush=True)
    time.sleep(60)
"""


def test_models_say_what_the_revisions_did(database: Database) -> None:
    """Models with their SQL files, and the revisions, make one and the same catalog."""
    expected = reference(database.target, metadata, SQL_ROOT)

    found = diff(expected, catalog_of(database))

    assert render([item for item in found if not item.weak]) == ""
    assert len(expected) > 1000


def test_parents_kept_by_policy_are_named(database: Database) -> None:
    """Their partitions come by themselves: the review of a revision blames none."""
    query = "SELECT parent_table::text FROM monitoring.partition_policies"
    kept = {parent for (parent,) in database.connect().execute(query)}

    assert kept < set(names.RUNTIME_PARTITIONED)


def test_declared_text_arrives_unchanged(empty: Database, tmp_path: Path) -> None:
    """Colons, percent signs and dollar quotes pass, in files and in metadata."""
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "f.sql").write_text(
        "-- requires: tables\n"
        "CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$\n"
        "BEGIN RETURN format('%I :x %%', 'a'::text); END $$;\n"
        "COMMENT ON FUNCTION f() IS ':y 100 %';\n",
        encoding="utf-8",
    )
    declared = sa.MetaData()
    check = sa.CheckConstraint(r"a LIKE '%\:b%'", name="ck")
    sa.Table("t", declared, sa.Column("a", sa.Text, comment="50 % :c"), check)
    connection = empty.connect()

    build(connection, declared, tmp_path, owner=None)

    catalog = catalog_of(empty)
    assert connection.execute("SELECT f()").fetchone() == ("a :x %",)
    assert catalog["function", "public.f()"].properties["comment"] == ":y 100 %"
    assert catalog["column", "public.t.a"].properties["comment"] == "50 % :c"
    definition = catalog["constraint", "ck on public.t"].properties["definition"]
    assert "'%:b%'" in definition


def test_a_file_that_does_not_load_is_named(empty: Database, tmp_path: Path) -> None:
    """A mistake in a file is refused with the file's name, and nothing stays."""
    (tmp_path / "public").mkdir()
    text = "-- requires:\nCREATE TABLE half (id integer); SELECT nonsense();\n"
    (tmp_path / "public" / "bad.sql").write_text(text, encoding="utf-8")
    before = catalog_of(empty)

    with pytest.raises(Refused, match=r"the declared public\.bad does not load"):
        build(empty.connect(), sa.MetaData(), tmp_path, owner=None)

    assert diff(before, catalog_of(empty)) == []


def test_table_statements_are_literal() -> None:
    """The DDL that is run is the DDL that is meant: no doubled percent sign."""
    declared = sa.MetaData()
    sa.Table("t", declared, sa.Column("a", sa.Text, server_default="100 %"))

    assert "DEFAULT '100 %'" in "".join(table_statements(declared))


def scratches(conn: psycopg.Connection[Any]) -> set[str]:
    """Return the scratch databases on the server."""
    query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
    return {name for (name,) in conn.execute(query, [PREFIX])}


def test_a_failed_comparison_leaves_no_database(empty: Database) -> None:
    """An error inside, Ctrl-C included, drops the scratch database."""
    watch = empty.connect()
    with (
        contextlib.suppress(KeyboardInterrupt),
        scratch_database(empty.target) as place,
    ):
        assert place.database in scratches(watch)
        raise KeyboardInterrupt

    assert place.database not in scratches(watch)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_killed_comparison_is_swept(empty: Database, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C drop the scratch database; after kill -9 the next run does."""
    watch = empty.connect()

    def is_gone() -> bool:
        if number == signal.SIGKILL:
            sweep(watch)
        return name not in scratches(watch)

    with subprocess.Popen(
        [sys.executable, "-c", HOLD, empty.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert name in scratches(watch)
        process.send_signal(number)

    until(is_gone)


def test_a_database_in_use_is_not_swept(empty: Database) -> None:
    """Another process at work keeps its scratch database."""
    watch = empty.connect()
    with scratch_database(empty.target) as place:
        swept = sweep(watch)

        assert place.database not in swept
        assert place.database in scratches(watch)


def test_a_login_without_createdb_is_served(database: Database) -> None:
    """An embedded server of the same major version stands in; another is refused."""
    major = database.connect().info.server_version // 10000
    own = EmbeddedServer().status().version or ""
    fits = own.startswith(f"{major}.")
    refusal = pytest.raises(Refused, match="may not create a scratch database")

    with (
        contextlib.nullcontext() if fits else refusal,
        scratch_database(database.login("app")) as place,
        psycopg.connect(place.url) as other,
    ):
        assert other.info.server_version // 10000 == major


@pytest.mark.parametrize("login", ["migrator", "app", "log_writer"])
def test_every_login_reads_the_same_catalog(database: Database, login: str) -> None:
    """What a snapshot says does not depend on the rights of who takes it."""
    found = snapshot(database.connect(login))

    assert render(diff(catalog_of(database), found)) == ""
