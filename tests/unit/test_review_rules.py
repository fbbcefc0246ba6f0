"""Rules on facts made by hand: what is seen, what is read, what is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ai_platform.errors import BadValue
from ai_platform.review.acceptances import parse
from ai_platform.review.facts import (
    Change,
    Refusal,
    Review,
    Timing,
)
from ai_platform.review.rules import Evidence, RevisionContext, Rule, all_rules, rule
from ai_platform.review.rules._rule import DOCUMENT
from ai_platform.review.rules.engine import CRASH, judge
from ai_platform.review.rules.reference import reference
from ai_platform.review.sources import RevisionSource
from ai_platform.settings import CHECKOUT
from tests.support.rule_facts import (
    INDEX,
    judged,
    locking,
    names,
    revision,
    statement,
    unmeasured,
)


def test_what_was_seen_is_measured() -> None:
    """A finding says whether a server showed it."""
    found = judged(locking(INDEX, "S", rows=1000))

    assert [(item.rule, item.is_measured) for item in found] == [
        ("index-not-concurrent", True)
    ]
    assert "1,000 rows of public.people are read under SHARE" in found[0].message


def test_what_was_not_seen_is_no_finding() -> None:
    """The server knows better than the text, which looks like a long build."""
    assert judged(locking(INDEX, "S")) == ()


def test_the_text_serves_where_nothing_ran() -> None:
    """Without a measurement a rule reads the statement, and says so."""
    found = judged(unmeasured(INDEX), evidence=Evidence(lock_timeout_ms=4000))

    assert [(item.rule, item.is_measured) for item in found] == [
        ("index-not-concurrent", False)
    ]


def test_empty_tables_prove_nothing() -> None:
    """No rows read from a table without rows does not acquit a scan."""
    sql = "ALTER TABLE public.people ALTER age SET NOT NULL"

    (found,) = judged(locking(sql), rows=0)
    assert (found.rule, found.is_measured) == ("set-not-null-scan", False)
    assert found.unseen == "tables have no rows, as asked for by --rows 0"
    assert judged(locking(sql), rows=1000) == ()


def test_an_unfilled_table_is_named() -> None:
    """Why a table stayed empty is said where its statement could not show a scan."""
    sql = "ALTER TABLE public.people ALTER age SET NOT NULL"
    note = "public.people has no rows: people_check cannot be met"
    facts = revision(locking(sql), notes=(note,))

    (found,) = judge(Review("base", "r1", "18", 1000, (facts,)))
    assert found.unseen == note
    (text,) = judged(unmeasured(sql), evidence=Evidence(lock_timeout_ms=4000))
    assert text.unseen is None


def test_a_run_without_rows_acquits_nothing() -> None:
    """What failed on rows, and ran without any, has shown no cost."""
    sql = "ALTER TABLE public.people ALTER age SET NOT NULL"
    refusal = Refusal(1, "public.people", "contains null values", "look", is_empty=True)
    facts = revision(locking(sql), refusal=refusal)

    (found,) = judge(Review("base", "r1", "18", 1000, (facts,)))
    assert found.rule == "set-not-null-scan"
    assert found.unseen == "its tables had no rows, on which it fails"


@pytest.mark.parametrize("make", ["public.people", "people"])
def test_new_tables_are_left_alone(make: str) -> None:
    """A table of the same revision has no readers, however its name is written."""
    made = statement(f"CREATE TABLE {make} (age int)")

    assert judged(made, locking(INDEX, "S", rows=1000)) == ()


def test_tables_of_the_review_are_new() -> None:
    """Production stands at the base: what an earlier revision made is empty there."""
    first = revision(statement("CREATE TABLE public.people (age int)"))
    second = revision(locking(INDEX, "S", rows=1000), name="r2")

    assert judge(Review("base", "r2", "18", 1000, (first, second))) == ()


def test_tables_of_dynamic_sql_are_new() -> None:
    """The catalog shows a table that the text does not."""
    made = (Change("table", "public.people", "object", None, "present"),)
    facts = revision(locking(INDEX, "S", rows=1000), changes=made)

    assert judge(Review("base", "r1", "18", 1000, (facts,))) == ()


@pytest.mark.parametrize(
    ("estimate_s", "severity"), [(0.4, None), (3.0, "warning"), (60.0, "error")]
)
def test_estimates_weigh_a_lock(estimate_s: float, severity: str | None) -> None:
    """A lock of under a second on production's sizes is nobody's concern."""
    timing = Timing(estimated_s=estimate_s)
    found = judged(locking(INDEX, "S", rows=1000, timing=timing))

    assert [item.severity for item in found] == ([severity] if severity else [])


def test_small_tables_of_production_are_quiet() -> None:
    """Forty rows are read before anybody notices; a large table stays an error."""
    fact = locking(INDEX, "S", rows=1000)
    small = Evidence(production={"public.people": 40})
    large = Evidence(production={"public.people": 4_000_000})

    assert judged(fact, evidence=small) == ()
    assert names(judged(fact, evidence=large)) == ["index-not-concurrent"]


def test_contract_may_drop() -> None:
    """The phase that a revision names is what makes a drop deliberate."""
    sql = "ALTER TABLE public.people DROP COLUMN age"
    source = RevisionSource("r1", None, "A revision", "r1.py", f"{sql};", None)
    contract = Evidence(source=replace(source, phase="contract"))
    expand = Evidence(source=replace(source, phase="expand"))

    assert judged(locking(sql), evidence=contract) == ()
    assert names(judged(locking(sql), evidence=expand)) == ["drop-breaks-code"]


def test_commits_between_free_the_lock() -> None:
    """A lock of an earlier transaction of the revision is not held any more."""
    alter = "ALTER TABLE public.people ADD CHECK (age > 0) NOT VALID"
    work = "ALTER TABLE public.people VALIDATE CONSTRAINT people_age_check"
    facts = (locking(alter), locking(work, "SUX", rows=1000))
    text = f"{alter};\nCOMMIT;\nBEGIN;\n{work};"
    source = RevisionSource("r1", None, "A revision", "r1.py", text, None)

    apart = names(judged(*facts, evidence=Evidence(source=source)))
    assert "lock-held-during-work" not in apart
    assert names(judged(*facts)) == ["lock-held-during-work"]


def test_existing_tables_are_not_made_again() -> None:
    """CREATE TABLE IF NOT EXISTS of a table in use does not make it new."""
    sql = "CREATE TABLE IF NOT EXISTS public.people (age int)"
    skipped = ('NOTICE: relation "people" already exists, skipping',)
    index = locking(INDEX, "S", rows=1000)

    assert judged(statement(sql), index) == ()
    found = judged(statement(sql, notices=skipped), index)
    assert names(found) == ["index-not-concurrent"]


def test_a_rule_that_crashes_is_an_error() -> None:
    """A verdict that is missing must not read as an acquittal."""

    def check(_: RevisionContext) -> Any:
        raise ZeroDivisionError("by zero")

    broken = replace(rule("table-busy"), statement=None, revision=check)
    review = Review("base", "r1", "18", 1000, (revision(statement("SELECT 1")),))
    found = judge(review, rules=[broken])

    assert [(item.rule, item.severity, item.object) for item in found] == [
        (CRASH, "error", "table-busy")
    ]
    assert "ZeroDivisionError: by zero" in found[0].message


def test_findings_come_in_one_order() -> None:
    """Two reviews of one change are equal, whatever the order of the rules."""
    facts = revision(
        locking("ALTER TABLE public.people RENAME age TO years", lock_timeout_ms=0),
        locking(INDEX, "S", rows=1000, lock_timeout_ms=0),
    )
    review = Review("base", "r1", "18", 1000, (facts,))

    assert names(judge(review)) == names(judge(review, rules=all_rules()))
    assert [item.statement for item in judge(review)] == [1, 1, 2]


def test_statements_without_a_tree_are_left_alone() -> None:
    """What the grammar does not know cannot crash a rule."""
    fact = replace(statement("SELECT 1"), sql="SELECT FROM FROM")

    assert judged(fact) == ()


def test_rules_have_stable_names() -> None:
    """Acceptances and dashboards hold on to a rule by its name."""
    found = [item.id for item in all_rules()]

    assert len(found) == len(set(found)) == 77
    assert [name for name in found if not name.replace("-", "").isalpha()] == []
    assert {item.number for item in all_rules()} == set(range(1, 51))


def test_unknown_rules_are_refused() -> None:
    """A name with a typing error is told so."""
    with pytest.raises(BadValue, match="no such rule: got 'indx'"):
        rule("indx")


@pytest.mark.parametrize("item", [pytest.param(r, id=r.id) for r in all_rules()])
def test_every_rule_says_what_to_do(item: Rule) -> None:
    """Hazard, evidence and remedy are sentences; the anchor is in the page."""
    for text in (item.hazard, item.measured, item.remedy):
        assert text[0].isupper()
        assert text.endswith(".")
    assert item.anchor == f"docs/review-rules.md#{item.id}"
    assert (item.statement is None) != (item.revision is None)


def test_the_page_of_the_rules_is_current() -> None:
    """docs/review-rules.md is what `platform docs build` writes."""
    written = (CHECKOUT / DOCUMENT).read_text(encoding="utf-8")

    assert written == reference()
    assert [r.id for r in all_rules() if f"\n### {r.id}\n" not in written] == []


def test_the_accepting_example_is_valid() -> None:
    """What the page says to write into the file can be read."""
    block = reference().partition("```toml\n")[2].partition("```")[0]

    (entry,) = parse(block, rules={item.id for item in all_rules()})
    assert entry.object == "public.orders_person"
