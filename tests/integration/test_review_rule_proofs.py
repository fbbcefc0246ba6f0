"""Each rule on a live server: its bad example breaks it, its good one breaks none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.review.rules import Rule, all_rules
from ai_platform.review.rules._examples import examples

if TYPE_CHECKING:
    from tests.support.rule_proofs import Proofs

RULES = [pytest.param(rule, id=rule.id) for rule in all_rules()]


@pytest.mark.parametrize("rule", RULES)
def test_a_bad_example_breaks_its_rule(rule: Rule, proofs: Proofs) -> None:
    """A rule sees what it is for, as claimed, and no other rule reports it again."""
    bad, _ = examples(rule)

    proof = proofs.run(bad)

    assert {rule.id} == {item.rule for item in proof.findings}
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
