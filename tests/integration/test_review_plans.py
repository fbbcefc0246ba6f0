"""Whether a change makes the server run the application's statements otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.review.compatibility import Statement
from ai_platform.review.plans import compared, findings, query_plans
from tests.support.reviews import revision

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_platform.review.facts import PlanChange
    from tests.support.database import Database

TABLES = """
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE TABLE people (id int PRIMARY KEY, name text, mood mood);
    CREATE INDEX people_name ON people (name);
    INSERT INTO people SELECT n, n::text, 'sad' FROM generate_series(1, 5000) n;
    VACUUM ANALYZE people
"""
QUERIES = (
    Statement("by name", "SELECT id FROM people WHERE name = $1"),
    Statement("by id", "SELECT name FROM people WHERE id = $1 AND mood = $2", ("int",)),
    Statement("gone", "SELECT 1 FROM nowhere"),
    Statement("rename", "UPDATE people SET name = $1 WHERE name = $2", ("text", "")),
)


@pytest.fixture
def changed(empty: Database) -> Callable[[str], tuple[PlanChange, ...]]:
    """Run a change on a table of people and return whose plan it changed."""
    connection = empty.connect()
    for statement in TABLES.split(";"):
        connection.execute(statement.encode())

    def run(change: str) -> tuple[PlanChange, ...]:
        before = query_plans(connection, QUERIES)
        connection.execute(change.encode())
        return compared(before, query_plans(connection, QUERIES))

    return run


def test_a_dropped_index_makes_plans_worse(
    changed: Callable[[str], tuple[PlanChange, ...]],
) -> None:
    """A query that must read the whole table from now on is a warning."""
    plans = changed("DROP INDEX people_name")

    assert [(item.statement, item.is_worse) for item in plans] == [
        ("by name", True),
        ("rename", True),
    ]
    first, _ = findings(revision("a1", plans=plans))
    assert first.severity == "warning"
    assert "Seq Scan on public.people" in first.message


def test_a_better_plan_is_only_told(
    changed: Callable[[str], tuple[PlanChange, ...]],
) -> None:
    """A new index that a query will use is good news, an unused one none."""
    plans = changed("CREATE INDEX people_covered ON people (name) INCLUDE (id)")

    assert "by name" in {item.statement for item in plans}
    assert not any(item.is_worse for item in plans)
    told = {
        (item.rule, item.severity) for item in findings(revision("a1", plans=plans))
    }
    assert told == {("plan-changed", "note")}
    assert changed("CREATE INDEX people_mood ON people (mood)") == ()
