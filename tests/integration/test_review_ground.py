"""Which tables get how many rows before a revision is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.review._ground import _settle
from ai_platform.review.measure import measure
from ai_platform.review.sources import RevisionSource

if TYPE_CHECKING:
    from ai_platform.review.facts import RevisionFacts
    from tests.support.cluster import Cluster
    from tests.support.database import Database

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

BASE = """
    CREATE EXTENSION vector;
    CREATE DOMAIN amount AS integer;
    CREATE TABLE parent (id integer PRIMARY KEY);
    CREATE TABLE sale (id integer PRIMARY KEY, paid amount NOT NULL,
                       parent integer NOT NULL REFERENCES parent);
    CREATE TABLE item (sale integer REFERENCES sale ON DELETE CASCADE);
    CREATE TABLE scan (sale integer REFERENCES sale ON DELETE SET NULL);
    CREATE INDEX ON scan (sale);
    CREATE TABLE mark (sale integer REFERENCES sale);
    CREATE VIEW sales AS SELECT id, paid FROM sale;
    CREATE MATERIALIZED VIEW totals AS SELECT sum(paid) FROM sales;
"""


def measured(cluster: Cluster, sql: str) -> RevisionFacts:
    """Return what *sql* did above BASE, with 3,000 rows where they count."""
    base = RevisionSource("base", None, "", "base.py", BASE, None)
    source = RevisionSource("next", "base", "", "next.py", sql, None)
    (found,) = measure(
        [source], before=[base], dsn=cluster.target, insist="postgres", rows=3_000
    ).revisions
    assert found.error is None
    return found


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("CREATE INDEX ON sale (paid)", 3_000),
        ("ALTER DOMAIN amount ADD CHECK (VALUE IS NOT NULL)", 3_000),
        ("REFRESH MATERIALIZED VIEW totals", 3_000),
        ("UPDATE sales SET id = id WHERE paid < 0", 3_000),
        ("COMMENT ON TABLE sale IS 'x'; GRANT SELECT ON sale TO public", 1_000),
        ("CREATE TABLE refund (sale integer REFERENCES sale)", 1_000),
    ],
)
def test_what_is_read_gets_all_rows(cluster: Cluster, sql: str, rows: int) -> None:
    """Through a view or a domain too; what is only locked gets few."""
    found = measured(cluster, sql)

    filled = {item.relation: item.rows for item in found.filled}
    assert filled == {"public.parent": min(filled["public.parent"], 1_000)} | {
        "public.sale": rows
    }
    scanned = {item.relation for item in found.up[0].scanned}
    assert ("public.sale" in scanned) is (rows == 3_000)


def test_rows_that_follow_others_are_there(cluster: Cluster) -> None:
    """What a cascade does shows; without an index few rows show the scans as well."""
    found = measured(cluster, "DELETE FROM sale WHERE id < 0 OR id >= 0")

    filled = {item.relation.partition(".")[2]: item.rows for item in found.filled}
    deleted = {
        item.relation.partition(".")[2]: item.rows for item in found.up[0].deleted
    }
    updated = [item.relation for item in found.up[0].updated]
    read = {item.relation: item.rows for item in found.up[0].scanned}
    assert (filled["item"], filled["scan"], "mark" in filled) == (1_000, 3_000, False)
    assert (deleted["sale"], deleted["item"] > 500) == (3_000, True)
    assert updated == ["public.scan"]
    assert read["public.item"] > 3_000 * 100
    assert "public.scan" not in read


def test_keys_that_stay_move_nobody(cluster: Cluster) -> None:
    """An update of another column reaches no child."""
    found = measured(cluster, "UPDATE sale SET paid = paid + 0 WHERE paid < 9")

    assert "public.item" not in {item.relation for item in found.filled}


def test_plans_stand_on_every_row(empty: Database) -> None:
    """Equal rows give equal statistics; of samples no two are equal."""
    connection = empty.connect()
    connection.execute(
        "CREATE TABLE one AS SELECT n * n % 40009 n FROM generate_series(1, 40000) n;"
        "CREATE TABLE two AS TABLE one"
    )

    _settle(connection, {"public.one": 40_000, "public.two": 40_000}, is_exact=True)

    query = """SELECT DISTINCT n_distinct, most_common_freqs, correlation,
                      histogram_bounds::text FROM pg_stats
                WHERE tablename IN ('one', 'two')"""
    assert len(connection.execute(query).fetchall()) == 1
