"""What a review measures is what an estimate needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ai_platform.review.bench import Bench
from ai_platform.review.estimate import estimated, findings, holds
from ai_platform.review.facts import RevisionFacts, Scan
from ai_platform.review.fill import fill
from ai_platform.review.production import collect
from ai_platform.review.statements import split

if TYPE_CHECKING:
    from ai_platform.review.production import Statistics
    from tests.support.cluster import Cluster
    from tests.support.database import Database

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

SETUP = """
    CREATE SCHEMA shop;
    CREATE TABLE shop.orders (id integer, name text NOT NULL, amount integer);
    CREATE TABLE shop.days (at integer NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE shop.days_1 PARTITION OF shop.days FOR VALUES FROM (0) TO (1000000);
"""
ROWS = 4_000


def measured(cluster: Cluster, database: Database, sql: str) -> RevisionFacts:
    """Return the facts of *sql* with `ROWS` rows in each table."""
    conn = database.connect()
    conn.execute(SETUP)
    fill(conn, None, ROWS)
    conn.execute("DELETE FROM shop.orders WHERE amount IS NULL")
    conn.execute("VACUUM ANALYZE")
    with Bench(database.target, cluster.target, {"lock_timeout": "4s"}) as bench:
        way = bench.measure(split(sql, in_transaction=True))
    assert way.error is None
    count = conn.execute("SELECT count(*) FROM shop.orders").fetchall()[0][0]
    filled = (Scan("shop.orders", count), Scan("shop.days", ROWS))
    return RevisionFacts("r1", None, "", "", way.statements, filled=filled)


@pytest.mark.parametrize(
    ("sql", "times"),
    [
        ("CREATE INDEX i ON shop.orders (name)", 13),
        ("ALTER TABLE shop.orders ALTER id TYPE bigint", 10),
        ("ALTER TABLE shop.orders ALTER amount SET NOT NULL", 10),
        ("ALTER TABLE shop.orders ADD CHECK (id IS NOT NULL OR true)", 10),
        ("UPDATE shop.orders SET name = 'x'", 10),
        ("ALTER TABLE shop.days ADD CHECK (at < 1000000)", 10),
        ("ALTER TABLE shop.orders ADD flag boolean", 1),
    ],
)
def test_measured_facts_scale(
    cluster: Cluster, empty: Database, sql: str, times: float
) -> None:
    """Ten times the rows take ten times as long, but for what reads no rows."""
    facts = measured(cluster, empty, sql)
    production = collect(empty.connect())
    tenfold = _times(production, 10)

    made = estimated(None, facts, tenfold).up[0].timing

    assert made.estimated_s == pytest.approx(made.duration_s * times, rel=0.15)


def _times(production: Statistics, factor: int) -> Statistics:
    tables = tuple(
        replace(one, rows=(one.rows or 0) * factor, heap_bytes=one.heap_bytes * factor)
        for one in production.tables
    )
    return replace(production, tables=tables)


def test_a_long_hold_is_found(cluster: Cluster, empty: Database) -> None:
    """In production of a million times the rows this is an outage, and told so."""
    facts = measured(
        cluster, empty, "ALTER TABLE shop.orders ALTER id TYPE bigint; SELECT 1"
    )
    production = _times(collect(empty.connect()), 1_000_000)

    made = estimated(None, facts, production)

    assert [one is not None for one in holds(made)] == [True, True]
    (found,) = findings(made, production)
    assert (found.severity, found.object) == ("error", "shop.orders")
    assert found.message.startswith("AX on shop.orders (")
