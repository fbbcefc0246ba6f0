"""Status says how far the partitions reach before a writer finds out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from ai_platform.maintenance import partitions
from tests.support.days import today

if TYPE_CHECKING:
    import psycopg

    from tests.support.database import Database

LOGS = "public.request_logs"


@pytest.fixture
def full(database: Database) -> psycopg.Connection[Any]:
    """Give a connection to a database with all its partitions of today."""
    today()
    conn = database.connect()
    partitions.apply(conn)
    return conn


def drop_day(conn: psycopg.Connection[Any], ahead: int) -> None:
    """Drop the log partition of the day that is *ahead* days away."""
    name = f"request_logs_{today() + timedelta(days=ahead):%Y%m%d}"
    conn.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier("logs", name)))


def test_a_full_database_is_healthy(full: Any) -> None:
    """After apply every table reaches its horizon and has no problem."""
    for found in partitions.status(full):
        assert found.problems == []
        assert found.covered_until == found.wanted_until


def test_the_figures_are_those_of_the_catalog(full: Any) -> None:
    """Count, bounds, size and the estimate of rows."""
    full.execute(
        """INSERT INTO request_logs (id)
           SELECT gen_random_uuid() FROM generate_series(1, 500)"""
    )
    full.execute("ANALYZE request_logs")

    found = partitions.status(full, table=LOGS)[0]

    assert found.partitions == 8
    assert (found.oldest, found.newest) == (today(), today() + timedelta(days=8))
    assert found.estimated_rows == 500
    assert found.size_bytes
    assert found.size_bytes > 100_000


def test_the_newest_day_may_be_missing(full: Any) -> None:
    """Between midnight and the daily run nobody is woken up."""
    drop_day(full, 7)

    assert partitions.status(full, table=LOGS)[0].problems == []


def test_a_short_horizon_is_a_problem(full: Any) -> None:
    """Two missed runs are told with the moment at which writers will fail."""
    drop_day(full, 7)
    drop_day(full, 6)

    found = partitions.status(full, table=LOGS)[0]

    assert found.covered_until == today() + timedelta(days=6)
    assert "apply extends it" in found.problems[0]


def test_a_hole_ends_the_cover(full: Any) -> None:
    """What lies beyond a hole does not make the horizon longer."""
    drop_day(full, 2)

    found = partitions.status(full, table=LOGS)[0]

    hole = today() + timedelta(days=2)
    assert found.covered_until == hole
    assert [(gap.lower, gap.upper) for gap in found.gaps] == [
        (hole, hole + timedelta(days=1))
    ]


def test_no_partition_for_now_is_said_first(full: Any) -> None:
    """The worst case has its own words."""
    drop_day(full, 0)

    found = partitions.status(full, table=LOGS)[0]

    assert found.covered_until is None
    assert "rows of now" in found.problems[0]


def test_expired_partitions_are_counted(full: Any) -> None:
    """What prune would drop is shown, and is no problem."""
    partitions.apply(full, now=today() - timedelta(days=60), table=LOGS)

    found = partitions.status(full, table=LOGS)[0]

    assert (found.expired, found.problems) == (8, [])


def test_another_persistence_is_shown(full: Any) -> None:
    """After a change of policy the old partitions are named."""
    full.execute("UPDATE monitoring.partition_policies SET is_unlogged = false")

    found = partitions.status(full, table=LOGS)[0]

    assert len(found.persistence_differs) == 8


def test_a_partition_without_ends_is_no_crash(full: Any) -> None:
    """MINVALUE and years that Python does not know are read as far away."""
    full.execute(
        """CREATE TABLE logs.ancient PARTITION OF public.request_logs
               FOR VALUES FROM (MINVALUE) TO ('0044-03-15 BC');
           CREATE TABLE logs.far PARTITION OF public.request_logs
               FOR VALUES FROM ('12026-01-01') TO (MAXVALUE)"""
    )

    found = partitions.status(full, table=LOGS)[0]

    assert (found.partitions, found.problems) == (10, [])


def test_a_wrong_policy_is_a_problem(full: Any) -> None:
    """A table that does not exist is told; the others are shown."""
    full.execute(
        """INSERT INTO monitoring.partition_policies
                  (parent_table, partition_schema, granularity)
           VALUES ('logs.nowhere', 'logs', 'day')"""
    )

    told = {found.parent: found.problems for found in partitions.status(full)}

    assert told["logs.nowhere"] == ["the table does not exist"]
    assert told[LOGS] == []
