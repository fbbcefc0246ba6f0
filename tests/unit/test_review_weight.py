"""Which statements cost more on a bigger table, by their text."""

from __future__ import annotations

import pytest

from ai_platform.review._weight import heavy, shaken
from ai_platform.review.statements import split

LIGHT = (
    "COMMENT ON TABLE a.b IS 'x'",
    "GRANT SELECT ON a TO public",
    "CREATE TABLE t (a int REFERENCES b)",
    "CREATE POLICY p ON t",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY, OWNER TO me",
    "ALTER TABLE t ADD CHECK (a > 1) NOT VALID",
    "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES b NOT VALID",
    "INSERT INTO t VALUES (1), (2)",
    "DROP TABLE t",
)
HEAVY = (
    "CREATE INDEX ON t (a)",
    "ALTER TABLE t ADD CHECK (a > 1)",
    "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES t",
    "ALTER TABLE t ADD PRIMARY KEY USING INDEX i",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY, ALTER a TYPE bigint",
    "ALTER TABLE t ADD a uuid DEFAULT gen_random_uuid()",
    "CREATE TABLE p PARTITION OF t FOR VALUES IN (1)",
    "UPDATE t SET a = 1",
    "TRUNCATE t",
    "SELECT count(*) FROM t",
)


@pytest.mark.parametrize("sql", LIGHT)
def test_a_light_statement_needs_few_rows(sql: str) -> None:
    """What takes its lock for as long on any table does not have one filled."""
    assert heavy(split(sql)[0]) == frozenset()


@pytest.mark.parametrize("sql", HEAVY)
def test_a_heavy_statement_needs_all_rows(sql: str) -> None:
    """What scans, rewrites or builds is measured on as many rows as were asked for."""
    assert (None, "t") in heavy(split(sql)[0])


def test_a_query_within_values_is_heavy() -> None:
    """An INSERT of values may still read another table."""
    (statement,) = split("INSERT INTO t VALUES ((SELECT max(a) FROM u))")

    assert heavy(statement) == {(None, "t"), (None, "u")}


@pytest.mark.parametrize(
    ("sql", "verbs"),
    [
        ("DELETE FROM t USING u WHERE t.a = u.a", {("t", "DELETE", ())}),
        ("UPDATE t SET b = 1, a = 2", {("t", "UPDATE", ("a", "b"))}),
        ("WITH x AS (DELETE FROM t) SELECT 1", {("t", "DELETE", ())}),
        ("TRUNCATE t, u CASCADE", {("t", "TRUNCATE", ()), ("u", "TRUNCATE", ())}),
        (
            "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1",
            {("t", "UPDATE", ("b",))},
        ),
        (
            "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE",
            {("t", "DELETE", ())},
        ),
        ("TRUNCATE t", set()),
        ("INSERT INTO t VALUES (1)", set()),
    ],
)
def test_rows_that_others_follow_are_known(
    sql: str, verbs: set[tuple[str, str, tuple[str, ...]]]
) -> None:
    """Whoever takes rows away, or sets columns, may move rows of other tables."""
    assert {one[1:] for one in shaken(split(sql)[0])} == verbs
