"""Each rule on a live server: its bad example breaks it, its good one breaks none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from ai_platform.connection import Target
from ai_platform.review.rules import Rule, all_rules
from ai_platform.review.rules._examples import examples
from ai_platform.review.scratch import Scratch, scratch
from benchmarks.review_rules import ORACLE, ground, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.rule_proofs import Proofs

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

# one of each kind of evidence; the others are slow
DEFAULT = {
    "index-not-concurrent",
    "concurrently-in-transaction",
    "volatile-default",
    "set-not-null-scan",
    "foreign-key-without-not-valid",
    "table-busy",
}
RULES = [
    pytest.param(
        rule,
        id=rule.id,
        marks=[] if rule.id in DEFAULT else [pytest.mark.slow],
    )
    for rule in all_rules()
]


@pytest.mark.parametrize("rule", RULES)
def test_a_bad_example_breaks_its_rule(rule: Rule, proofs: Proofs) -> None:
    """A rule sees what it is for, as claimed, and no other rule reports it again."""
    bad, _ = examples(rule)

    proof = proofs.run(bad)

    assert {rule.id} == {item.rule for item in proof.findings}
    if proofs.major >= bad.since:
        assert set(bad.claims) - proof.facts() == set()


@pytest.mark.parametrize("rule", RULES)
def test_a_good_example_breaks_no_rule(rule: Rule, proofs: Proofs) -> None:
    """What a rule advises is possible, and safe in the eyes of all rules."""
    _, good = examples(rule)

    proof = proofs.run(good)

    assert proof.way.error is None
    assert proof.broken() == set()
    assert rule.id not in {item.rule for item in proof.findings}
    # DETACH knows no IF EXISTS; a second run is refused, and says why
    assert proof.again is None or "is not a partition" in proof.again


@pytest.fixture(scope="module")
def oracle() -> Iterator[Scratch]:
    """Give a server with the tables of the oracle."""
    url = os.environ.get("TEST_DATABASE_URL")
    with scratch(Target(url, "tests") if url else None, insist="postgres") as server:
        ground(server)
        yield server


@pytest.mark.torture
@pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: case["case"])
def test_a_verdict_is_what_was_measured(oracle: Scratch, case: dict[str, Any]) -> None:
    """A statement that keeps others waiting is found, and no other is."""
    with psycopg.connect(oracle.place.url) as connection:
        if connection.info.server_version // 10000 < case.get("since", 0):
            pytest.skip(f"needs PostgreSQL {case['since']}")
    found = verdicts(oracle, case)

    assert bool(found.ours) == bool(found.truth), found
