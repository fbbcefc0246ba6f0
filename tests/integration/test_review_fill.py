"""Rows made up for a review: every table, every constraint, the same each time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from ai_platform.catalog import diff, snapshot
from ai_platform.errors import BadValue
from ai_platform.review.fill import Profile, fill
from ai_platform.review.preserve import contents

if TYPE_CHECKING:
    from tests.support.database import Database

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

FOREIGN = Path(__file__).parents[1] / "support" / "foreign_schema.sql"
AGAIN = """
    SELECT format('ALTER TABLE %%s ADD CONSTRAINT again %%s', c.conrelid::regclass,
                  pg_get_constraintdef(c.oid))
      FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
     WHERE c.contype IN ('f', 'c') AND c.conrelid <> 0 AND c.conparentid = 0
       AND c.coninhcount = 0 AND n.nspname !~ '^(pg_|information_schema)'
       AND (%s OR c.contype = 'f')
     ORDER BY 1
"""


def broken(conn: psycopg.Connection[Any], *, checks: bool = False) -> list[str]:
    """Return the foreign keys that do not hold: made again, the server looks at all.

    With *checks* the conditions too, which an INSERT cannot get round.
    """
    found = []
    for (statement,) in conn.execute(AGAIN, [checks]).fetchall():
        try:
            with conn.transaction(force_rollback=True):
                conn.execute(statement.encode())
        except psycopg.IntegrityError as error:
            found.append(f"{statement}: {error}")
    return found


@pytest.fixture
def foreign(empty: Database) -> psycopg.Connection[Any]:
    """Return a connection to a database whose schema is as nasty as we could think."""
    connection = empty.connect()
    connection.execute(FOREIGN.read_text(encoding="utf-8").encode())
    return connection


def test_every_table_of_ours_is_filled(database: Database) -> None:
    """At head no table is left empty, keys hold, and the catalog is as before."""
    conn = database.connect()
    before = snapshot(conn)

    done = fill(conn, None, 50)

    assert done.unfilled == []
    assert [name for name, rows in done.items() if rows < 50] == []
    assert diff(before, snapshot(conn)) == []
    assert broken(conn) == []


def test_a_foreign_schema_is_filled(foreign: psycopg.Connection[Any]) -> None:
    """Odd names, all types, domains, cycles, exclusion, partitions: nothing is left."""
    done = fill(foreign, None, 60)

    assert done.unfilled == []
    # one row computed a key that no parent has, and was left out
    assert {name: rows for name, rows in done.items() if rows != 60} == {
        "public.tiny": 2,
        "public.computed_child": 59,
    }
    assert broken(foreign, checks=True) == []


def test_triggers_are_as_before(foreign: psycopg.Connection[Any]) -> None:
    """One that always fires is silenced for the rows and on again afterwards."""
    before = snapshot(foreign)

    assert fill(foreign, ["public.audited"], 20) == {"public.audited": 20}

    assert diff(before, snapshot(foreign)) == []
    query = "SELECT max(amount) <= 1000 FROM audited"
    assert foreign.execute(query).fetchall() == [(True,)]


def test_the_seed_decides_the_rows(
    foreign: psycopg.Connection[Any], other: Database
) -> None:
    """The same seed gives the same contents elsewhere, another one does not."""
    second = other.connect()
    second.execute(FOREIGN.read_text(encoding="utf-8").encode())
    fill(foreign, ["public.checked"], 40, seed=7)
    fill(second, ["public.checked"], 40, seed=7)
    same = contents(second)["public.checked"]
    second.execute("TRUNCATE checked CASCADE")
    fill(second, ["public.checked"], 40, seed=8)

    assert contents(foreign)["public.checked"] == same
    assert contents(second)["public.checked"] != same


def test_edges_and_nulls_are_there(foreign: psycopg.Connection[Any]) -> None:
    """Boundaries, empty and long texts, Unicode and NULL come up in sixty rows."""
    fill(foreign, ["public.every_type"], 60)

    query = """
        SELECT min(a), max(a), bool_or(g IS NULL), bool_or(h = ''), max(length(g)),
               bool_or(h::text ~ '[^a-z0-9 ]'), max(vector_dims(ar))
          FROM every_type
    """
    assert foreign.execute(query).fetchall() == [
        (-32768, 32767, True, True, 2, True, 5)
    ]


def test_without_edges_nothing_is_extreme(foreign: psycopg.Connection[Any]) -> None:
    """A profile without edges lets a narrowing revision run."""
    fill(foreign, ["public.every_type"], 60, profile=Profile(edges=False))

    query = "SELECT max(a) < 100, max(length(h)) < 64 FROM every_type"
    assert foreign.execute(query).fetchall() == [(True, True)]


def test_a_second_fill_tops_up(foreign: psycopg.Connection[Any]) -> None:
    """Rows that are there count; enough of them stay as they are."""
    tables = ["public.checked"]

    assert [fill(foreign, tables, rows) for rows in (20, 45, 30)] == [
        {"public.checked": 20},
        {"public.checked": 45},
        {"public.checked": 45},
    ]


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        ("CHECK (md5(a) = 'no such digest')", "t_a_check"),
        ("CHECK (1 / length(a) < 0)", "t_a_check"),
        ("CONSTRAINT t_two CHECK (a || b = 'x' AND b || a = 'y')", "t_two"),
    ],
)
def test_an_impossible_table_is_named(
    empty: Database, condition: str, name: str
) -> None:
    """What no row can satisfy is a result with the constraint's name, no crash."""
    conn = empty.connect()
    conn.execute(f"CREATE TABLE t (a text NOT NULL, b text NOT NULL, {condition})")
    conn.execute("CREATE TABLE fine (a int)")

    done = fill(conn, None, 5)

    assert done == {"public.t": 0, "public.fine": 5}
    assert [(one.table, one.constraint) for one in done.unfilled] == [
        ("public.t", name)
    ]


def test_a_parent_without_partition_is_named(empty: Database) -> None:
    """Nothing can be put into a partitioned table without partitions."""
    conn = empty.connect()
    conn.execute("CREATE TABLE p (a int) PARTITION BY RANGE (a)")

    assert [one.constraint for one in fill(conn, ["public.p"], 5).unfilled] == [
        "a partition for the row"
    ]


def test_an_unknown_table_is_a_bad_value(empty: Database) -> None:
    """A mistyped name ends with the name, not with an empty result."""
    with pytest.raises(BadValue, match=r"got 'public\.nowhere'"):
        fill(empty.connect(), ["public.nowhere"], 5)


def test_a_partition_stands_for_its_parent(foreign: psycopg.Connection[Any]) -> None:
    """Who touches a partition gets rows in the whole."""
    assert fill(foreign, ["public.event_south"], 12) == {"public.event": 12}


def test_version_tables_stay_untouched(empty: Database) -> None:
    """A second row in alembic_version would make a second head."""
    conn = empty.connect()
    conn.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    conn.execute("CREATE SCHEMA platform_meta CREATE TABLE journal (id integer)")

    assert fill(conn, None, 3) == {}


def test_parents_are_few(foreign: psycopg.Connection[Any]) -> None:
    """Only what is asked for is big; what is only locked gets as few as parents."""
    profile = Profile(parents=50)

    done = fill(foreign, ["public.book"], 500, few=["public.tiny"], profile=profile)

    assert done == {"public.shelf": 50, "public.book": 500, "public.tiny": 2}


def test_many_rows_leave_the_catalog(foreign: psycopg.Connection[Any]) -> None:
    """Indexes that rest during a big fill are whole again, under the same names."""
    foreign.execute("CREATE INDEX by_title ON book (title)")
    query = "SELECT i::text FROM pg_index AS i ORDER BY indexrelid"
    flags, before = foreign.execute(query).fetchall(), snapshot(foreign)

    fill(foreign, ["public.book"], 3_000)

    assert foreign.execute(query).fetchall() == flags
    assert diff(before, snapshot(foreign)) == []
    foreign.execute("CREATE EXTENSION amcheck")
    foreign.execute("SELECT bt_index_check('by_title', true)")


@pytest.mark.torture
@pytest.mark.parametrize(
    "table",
    [
        "data_platform.chunks",
        "public.request_logs",
        "auth.memberships",
        "service_platform.invocations",
        "monitoring.metrics",
    ],
)
def test_a_hundred_thousand_rows_take_seconds(database: Database, table: str) -> None:
    """A review must not spend its time on making up data."""
    conn = database.connect()
    started = time.monotonic()

    done = fill(conn, [table], 100_000)

    assert done[table] >= 99_000
    assert time.monotonic() - started < 15
    assert done.unfilled == []
