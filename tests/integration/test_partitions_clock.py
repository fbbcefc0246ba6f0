"""Bounds are UTC, wherever the server believes to be and however it writes dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from ai_platform.maintenance import partitions

if TYPE_CHECKING:
    from tests.support.database import Database

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

PLACES = [
    ("Pacific/Auckland", "SQL, DMY"),
    ("Asia/Kolkata", "German, DMY"),
    ("America/Los_Angeles", "SQL, MDY"),
    ("America/Sao_Paulo", "Postgres, DMY"),
]
MOMENTS = [
    datetime(2026, 12, 31, 23, 30, tzinfo=UTC),  # ISO week 53, the year's last hour
    datetime(2027, 1, 31, 12, 30, tzinfo=UTC),  # the last day of a month
    datetime(2028, 2, 29, 0, 0, tzinfo=UTC),  # a leap day
    datetime(2027, 3, 14, 10, 30, tzinfo=UTC),  # clocks change in Los Angeles
    datetime(2027, 4, 3, 14, 30, tzinfo=UTC),  # and in Auckland
]


@pytest.fixture(params=PLACES, ids=[zone for zone, _ in PLACES])
def abroad(request: pytest.FixtureRequest, database: Database) -> Database:
    """Give a database whose sessions begin in another zone with another style."""
    zone, style = request.param
    conn = database.connect()
    name = sql.Identifier(database.name)
    for setting, value in (("timezone", zone), ("datestyle", style)):
        statement = sql.SQL("ALTER DATABASE {} SET {} = {}")
        conn.execute(
            statement.format(name, sql.Identifier(setting), sql.Literal(value))
        )
    return database


def ranges(database: Database, parent: str) -> set[tuple[datetime, datetime]]:
    """Return the bounds of all partitions, read in UTC."""
    conn = database.connect(options="-c timezone=UTC -c datestyle=ISO,YMD")
    query = "SELECT range_from, range_to FROM monitoring.partition_ranges(%s::regclass)"
    return {(lower, upper) for lower, upper in conn.execute(query, [parent])}


def test_the_plan_is_what_the_server_makes(abroad: Database) -> None:
    """The catalog holds the planned bounds, and the server's own function agrees."""
    conn = abroad.connect("migrator")
    worker = abroad.connect("worker")
    for at in MOMENTS:
        foretold = partitions.plan(conn, now=at)
        partitions.apply(conn, now=at)

        for step in foretold:
            assert (step.lower, step.upper) in ranges(abroad, step.parent)
        ensure = "SELECT * FROM monitoring.ensure_partitions(NULL, %s)"
        assert worker.execute(ensure, [at]).fetchall() == []
        assert partitions.plan(conn, now=at) == []


def test_the_server_makes_what_the_plan_says(abroad: Database) -> None:
    """The worker's daily function leaves nothing to plan, and plans nothing else."""
    at = MOMENTS[0]
    foretold = partitions.plan(abroad.connect(), now=at)

    ensure = "SELECT * FROM monitoring.ensure_partitions(NULL, %s)"
    made = {row[0] for row in abroad.connect().execute(ensure, [at])}

    assert made == {step.partition for step in foretold}


def test_nothing_expires_hours_early(abroad: Database) -> None:
    """The zone moves no limit: a day goes when its last hour in UTC has expired."""
    conn: Any = abroad.connect("migrator")
    start = (datetime.now(UTC) - timedelta(days=60)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    partitions.apply(conn, now=start, table="public.request_logs")
    due = start + timedelta(days=8)

    early = partitions.prune(conn, now=due - timedelta(seconds=1), dry_run=True)
    dropped = partitions.prune(conn, now=due, table="public.request_logs")

    assert early == []
    assert [(start, start + timedelta(days=1))] == [
        (step.lower, step.upper) for step in dropped
    ]


def test_rows_of_both_edges_find_their_partition(abroad: Database) -> None:
    """The first and the last moment of a day in UTC are written without an error."""
    at = datetime(2027, 3, 14, tzinfo=UTC)
    partitions.apply(abroad.connect("migrator"), now=at)
    conn = abroad.connect(options="-c timezone=UTC")

    for moment in (at, at + timedelta(days=1, microseconds=-1)):
        conn.execute(
            """INSERT INTO request_logs (id, created)
               VALUES (gen_random_uuid(), %s)""",
            [moment.replace(tzinfo=None)],
        )

    count = "SELECT count(*) FROM logs.request_logs_20270314"
    assert conn.execute(count).fetchone() == (2,)
