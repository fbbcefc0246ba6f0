"""Revisions of Python that nobody could listen to: never judged milder than SQL."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from ai_platform.errors import BadValue
from ai_platform.review import unread
from ai_platform.review.measure import measure
from ai_platform.review.reports.verdict import RISKS
from ai_platform.review.rules import Evidence, Rule, all_rules
from ai_platform.review.rules._examples import example_tables, examples
from ai_platform.review.rules.engine import judge
from ai_platform.review.sources import RevisionSource
from ai_platform.review.statements import split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ai_platform.review.facts import Finding
    from ai_platform.review.rules._examples import Example
    from tests.support.cluster import Cluster
    from tests.support.rule_proofs import Proofs

# the gate and `make torture` run them
pytestmark = pytest.mark.slow


def worst(findings: Iterable[Finding]) -> int:
    """Return how bad the worst of *findings* is; larger is milder."""
    return min((RISKS.index(item.severity) for item in findings), default=sys.maxsize)


def python_of(example: Example) -> Callable[[str, str, bool], None]:
    """Return what runs *example* as a driver does, and tells nobody its statements."""

    def online(_: str, url: str, is_down: bool) -> None:  # noqa: FBT001 - the contract
        if is_down:
            return
        inside = example.in_transaction
        with psycopg.connect(url, autocommit=not inside) as connection:
            try:
                for item in split(example.sql, in_transaction=inside):
                    connection.execute(item.sql.encode())
            except psycopg.Error as error:
                raise BadValue(str(error)) from None

    return online


@pytest.mark.parametrize("rule", [pytest.param(r, id=r.id) for r in all_rules()])
def test_unheard_python_is_not_milder(
    rule: Rule, proofs: Proofs, cluster: Cluster
) -> None:
    """What breaks a rule as SQL is as bad as Python, or fails in both."""
    bad, _ = examples(rule)
    plain = proofs.run(bad)
    before = RevisionSource("b", None, "b", "b.py", example_tables() + bad.setup, None)
    source = replace(
        before, revision=bad.revision, up_sql="", phase=bad.phase, offline_error="reads"
    )
    evidence: dict[str, Evidence] = {}
    review = measure(
        [source],
        before=[before],
        dsn=cluster.target,
        insist="postgres",
        rows=3000,
        settings={"lock_timeout": "4s"},
        online=python_of(bad),
        look=lambda name, *catalogs: evidence.update(
            {name: Evidence(source, *catalogs, python=bad.python)}
        ),
    )
    found = [*judge(review, evidence), *unread.findings(review)]

    assert worst(found) <= worst(plain.findings) or review.revisions[0].error
    assert bool(review.revisions[0].error) == bool(plain.way.error)
