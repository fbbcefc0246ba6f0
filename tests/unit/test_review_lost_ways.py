"""What is said of a way down that is none, or does not lead back."""

from __future__ import annotations

import pytest

from ai_platform.review.facts import Change
from ai_platform.review.lost_ways import findings
from ai_platform.review.reports._summary import rows
from ai_platform.review.reports.verdict import exit_code
from tests.support import reviews

STEP = reviews.statement(1, "SELECT 1", "SELECT")


def test_no_way_down_is_told() -> None:
    """It is a note: teams that only go forward know it, and hear nothing else of it."""
    one = reviews.revision("a1", STEP, is_reversible=False)

    (found,) = findings(reviews.review(one))
    assert (found.rule, found.severity) == ("no-way-back", "note")
    assert exit_code(reviews.review(one, findings=(found,)), "note") == 1


@pytest.mark.parametrize(
    "rest",
    [
        {"is_reversible": True},
        {"is_reversible": None},
        {"is_reversible": False, "down": (STEP,)},
        {"is_reversible": False, "error": "statement 1: no"},
    ],
)
def test_a_way_down_is_not_missed(rest: dict[str, object]) -> None:
    """One that works, was not tried, or failed is there."""
    one = reviews.revision("a1", STEP, **rest)

    assert [item.rule for item in findings(reviews.review(one))] == []


@pytest.mark.parametrize(
    ("kind", "name", "prop", "before", "remedy"),
    [
        ("constraint", "c on s.t", "object", None, "ALTER TABLE s.t DROP CONSTRAINT c"),
        ("trigger", "g on s.t", "object", None, "DROP TRIGGER g ON s.t"),
        ("enum", "s.e", "values", "['a']", "PostgreSQL drops no value of an enum"),
        ("constraint", "c on s.t", "object", "present", "take back in downgrade()"),
    ],
)
def test_what_is_left_has_a_remedy(
    kind: str, name: str, prop: str, before: str | None, remedy: str
) -> None:
    """Where one statement takes it back, that stands there."""
    left = Change(kind, name, prop, before, None if before else "present")
    one = reviews.revision("a1", STEP, is_reversible=False, left_behind=(left,))

    (found,) = findings(reviews.review(one))
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("lost", "declared"),
    [
        (("s.t.a", 's."T".b'), 'lossy = {"s.t.a", "s.T.b"}'),
        (("s.t",), 'lossy = {"schema.table.column"}'),
    ],
)
def test_lost_data_is_told_and_declared(lost: tuple[str, ...], declared: str) -> None:
    """The table does not call it reversible, and the remedy can be copied."""
    one = reviews.revision("a1", STEP, lost=lost)

    (found,) = findings(reviews.review(one))
    assert found.remedy.endswith(declared)
    assert [row.reversible for row in rows(reviews.review(one))] == ["not its data"]
