"""Which tables get how many rows before a revision is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.review.measure import measure
from ai_platform.review.sources import RevisionSource

if TYPE_CHECKING:
    from ai_platform.review.facts import RevisionFacts
    from tests.support.cluster import Cluster

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

BASE = """
    CREATE EXTENSION vector;
    CREATE DOMAIN amount AS integer;
    CREATE TABLE parent (id integer PRIMARY KEY);
    CREATE TABLE sale (id integer PRIMARY KEY, paid amount NOT NULL,
                       parent integer NOT NULL REFERENCES parent);
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
