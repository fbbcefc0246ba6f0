"""Revisions that fail on rows made up here, where production's may be fine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.connection import resolve
from ai_platform.review import projects, run
from ai_platform.review.measure import measure
from ai_platform.review.on_rows import findings
from ai_platform.review.reports.verdict import exit_code
from ai_platform.review.sources import RevisionSource

if TYPE_CHECKING:
    from ai_platform.review.facts import Finding, Review
    from tests.support.cluster import Cluster
    from tests.support.database import Database
    from tests.support.projects import Shop

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

BASE = """
    CREATE SCHEMA s;
    CREATE DOMAIN s.rate AS integer;
    CREATE TABLE s.kind (id integer PRIMARY KEY);
    CREATE TABLE s.item (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text, big bigint,
        price numeric(10, 2) NOT NULL, quantity integer, kind integer, rate s.rate);
    CREATE TABLE s.part (id integer, region text) PARTITION BY LIST (region);
    CREATE TABLE s.rest PARTITION OF s.part DEFAULT;
    CREATE SCHEMA "odd.one";
    CREATE TABLE "odd.one"."a.b" (code integer);
    CREATE TABLE s.north (id integer, region text);
"""
KEY = "ALTER TABLE s.item ADD FOREIGN KEY (kind) REFERENCES"
CHECK = "ALTER TABLE s.item ADD CONSTRAINT c CHECK (price > 100)"
NEW = "CREATE TABLE s.new (id integer PRIMARY KEY)"
EXCUSE = """
[[accept]]
rule = "fails-on-rows"
revision = "c9"
reason = "all of it is JSON"
expires = 2999-01-01
"""
DECLARED = [
    CHECK,
    f"{CHECK} NOT VALID; ALTER TABLE s.item VALIDATE CONSTRAINT c",
    "ALTER TABLE s.item ADD UNIQUE (quantity)",
    'CREATE UNIQUE INDEX "a b" ON s.item (lower(note), (quantity % 7))',
    "ALTER TABLE s.item ALTER note SET NOT NULL",
    "ALTER TABLE s.part ALTER id SET NOT NULL",
    'CREATE UNIQUE INDEX ON "odd.one"."a.b" (code)',
    f"{KEY} s.kind",
    f"{NEW}; {KEY} s.new",
    "ALTER TABLE s.item DROP CONSTRAINT item_pkey, ADD PRIMARY KEY (quantity)",
    "ALTER DOMAIN s.rate ADD CHECK (VALUE > 5)",
    "CREATE TABLE s.west PARTITION OF s.part FOR VALUES IN ('a', NULL)",
    "ALTER TABLE s.part ATTACH PARTITION s.north FOR VALUES IN ('n')",
]
CONVERTED = [
    ("ALTER TABLE s.item ALTER note TYPE integer USING note::integer", "s.item", 2_000),
    ("ALTER TABLE s.item ALTER big TYPE integer", "s.item", 2_000),
    ("UPDATE s.item SET quantity = quantity * 1000", "s.item", 2_000),
    ("ALTER TABLE s.item ADD code integer NOT NULL", "s.item", 0),
]


SHELVES = """
    CREATE TABLE s.shelf (id integer PRIMARY KEY, code integer UNIQUE);
    CREATE TABLE s.book (
        id bigint PRIMARY KEY, shelf integer NOT NULL REFERENCES s.shelf,
        code integer REFERENCES s.shelf (code) DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE s.page (book bigint REFERENCES s.book ON DELETE CASCADE);
"""
LEFT_BEHIND = [
    ("DELETE FROM s.shelf", "s.shelf"),
    ("UPDATE s.shelf SET code = code # 1073741824", "r2.py"),  # by the COMMIT
    ("UPDATE s.shelf SET code = code", None),
    ("DELETE FROM s.book; DELETE FROM s.shelf", None),
    (
        """DELETE FROM s.shelf a WHERE NOT EXISTS (
            SELECT FROM s.book b WHERE b.shelf = a.id OR b.code = a.code)""",
        None,
    ),
]


def measured(cluster: Cluster, *texts: str) -> Review:
    """Return the review of *texts* above BASE, with 2,000 rows."""
    sources = [
        RevisionSource(f"r{number}", f"r{number - 1}", "", f"r{number}.py", text, None)
        for number, text in enumerate(texts, start=1)
    ]
    base = RevisionSource("r0", None, "", "r0.py", BASE, None)
    place = cluster.target
    return measure(sources, before=[base], dsn=place, insist="postgres", rows=2_000)


@pytest.mark.parametrize("sql", DECLARED)
def test_rows_satisfy_what_is_added(cluster: Cluster, sql: str) -> None:
    """Scans and locks of an ADD CONSTRAINT are measured on rows that hold it."""
    review = measured(cluster, sql)

    (one,), (found,) = review.revisions, findings(review)
    assert (one.error, found.severity) == (None, "note")
    assert one.refusal is not None
    assert any(held in " ".join(one.notes) for held in one.refusal.held)
    assert {item.rows for item in one.filled} >= {2_000}
    assert sum(item.rows for fact in one.up for item in fact.scanned) >= 2_000
    assert "SELECT" in found.remedy


@pytest.mark.parametrize(("sql", "table", "rows"), CONVERTED)
def test_unfit_rows_are_no_failure(
    cluster: Cluster, sql: str, table: str, rows: int
) -> None:
    """What runs without them is an error that says so; the rest is known."""
    review = measured(cluster, sql, "COMMENT ON TABLE s.item IS 'sold'")

    one, after = review.revisions
    (found,) = findings(review)
    assert (one.error, after.error, found.severity) == (None, None, "error")
    assert (found.object, found.statement) == (table, 1)
    assert any(lock.relation == table for lock in one.up[0].locks)
    assert sum(item.rows for item in one.filled if item.relation == table) == rows
    assert one.refusal is not None
    assert one.refusal.is_empty is (rows == 0)


@pytest.mark.parametrize(("sql", "told"), LEFT_BEHIND)
def test_rows_that_others_refer_to_stay(
    cluster: Cluster, sql: str, told: str | None
) -> None:
    """What would leave a reference without its row is told, and measured all the same.

    It is no alarm for SQL that takes care of them.
    """
    review = measured(cluster, SHELVES, sql)

    _, one = review.revisions
    assert one.error is None
    assert {"s.shelf": 2_000}.items() <= {
        item.relation: item.rows for item in one.filled
    }.items()
    found = [(item.severity, item.object) for item in findings(review)]
    assert found == ([("error", told)] if told else [])
    assert ("to which no row of another table refers" in str(one.notes)) is bool(told)


def test_a_way_down_is_measured_on_ordinary_rows(cluster: Cluster) -> None:
    """Rows at the edge do not hide what it loses of the others, and are told."""
    up = "ALTER TABLE s.item ALTER price TYPE numeric(10, 0)"
    down = "ALTER TABLE s.item ALTER price TYPE numeric(10, 2)"
    sources = [RevisionSource("r1", "r0", "", "r1.py", up, down)]
    base = RevisionSource("r0", None, "", "r0.py", BASE, None)
    place = cluster.target
    review = measure(sources, before=[base], dsn=place, insist="postgres", rows=2_000)

    (one,), (found,) = review.revisions, findings(review)
    assert (one.lost, one.is_reversible) == (("s.item.price",), True)
    assert (found.severity, found.object) == ("error", "r1.py")
    assert "its way down: numeric field overflow" in found.message


def test_what_fails_without_rows_failed(cluster: Cluster) -> None:
    """Rows are no excuse for SQL that runs nowhere."""
    review = measured(cluster, "ALTER TABLE s.item ADD CHECK (missing > 1)")

    assert 'column "missing" does not exist' in (review.revisions[0].error or "")
    assert not list(findings(review))
    assert exit_code(review) == 4


def test_python_that_reads_text_is_excused(shop: Shop, empty: Database) -> None:
    """Its author may answer for production's rows: exit 0 then, 1 until he does."""
    up = """import json
    for row in op.get_bind().exec_driver_sql("SELECT email FROM customers").fetchall():
        json.loads(row[0])
    op.execute("COMMENT ON TABLE products IS 'read'")"""
    shop.add("c9", up, "op.execute('COMMENT ON TABLE products IS NULL')")

    def reviewed() -> tuple[Review, list[Finding]]:
        project = projects.read(shop.ini, span="c9")
        asked = run.Asked(rows=50, dsn=resolve(empty.url), settings={})
        found = run.review(project, run.with_acceptances(asked, None, project))
        return found, [item for item in found.findings if item.rule == "fails-on-rows"]

    found, (item,) = reviewed()
    assert "JSONDecodeError" in item.message
    assert exit_code(found) == 1
    (shop.folder / "review.accept.toml").write_text(EXCUSE, encoding="utf-8")
    assert [one.accepted for one in reviewed()[1]] == ["all of it is JSON"]
