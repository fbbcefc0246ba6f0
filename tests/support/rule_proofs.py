"""Run the example of a rule on a server and judge what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ai_platform.review._commits import BUSY
from ai_platform.review.bench import Bench, Way
from ai_platform.review.facts import Finding, Review, RevisionFacts, StatementFacts
from ai_platform.review.rules import Evidence
from ai_platform.review.rules._examples import Example, example_tables
from ai_platform.review.rules.engine import judge
from ai_platform.review.sources import RevisionSource
from ai_platform.review.statements import split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.connection import Target

    from .cluster import Cluster

__all__ = ["Proof", "Proofs"]

ROWS = 3000
_SETTINGS = {"lock_timeout": "4s"}


@dataclass(frozen=True, slots=True)
class Proof:
    """What an example did, and what the rules say to it."""

    way: Way
    findings: tuple[Finding, ...]
    again: str | None
    """The error of a second run; None where it went through."""

    def broken(self) -> set[str]:
        """Return the rules that were broken, except for mere notes."""
        return {item.rule for item in self.findings if item.severity != "note"}

    def facts(self) -> set[str]:
        """Return what was seen, in the words in which examples claim it."""
        seen: set[str] = set()
        for item in self.way.statements:
            seen.update(_seen(item))
        if self.way.error:
            seen.add("refused")
        if self.again:
            seen.add("fails again")
        return seen


def _seen(facts: StatementFacts) -> Iterator[str]:
    for lock in facts.locks:
        yield f"{lock.mode} {lock.relation}"
    for blocked in facts.blocked:
        yield f"blocks {blocked.letters.replace('D', '')} {blocked.relation}"
    for rewrite in facts.rewritten:
        yield f"rewrite {rewrite.relation}"
    for scan in facts.scanned:
        yield f"scan {scan.relation}"
    for update in facts.updated:
        yield f"updates {update.relation}"
    if any("truncated" in notice for notice in facts.notices):
        yield "notice truncated"


class Proofs:
    """A template with the tables of the examples; each example gets a clone.

    *major* is the version of the server.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._template = cluster.create(label="_rules")
        with cluster.connect(self._template) as connection:
            self.major = connection.info.server_version // 10000
            connection.execute(example_tables().encode())
            connection.execute("VACUUM ANALYZE")

    def close(self) -> None:
        """Drop the template."""
        self._cluster.drop(self._template)

    def run(self, example: Example) -> Proof:
        """Run *example* in a clone, statement by statement, and judge it.

        Once more where a look at its locks came too late, as is told.
        """
        for _ in range(20):
            proof = self._in_clone(example)
            if BUSY not in proof.way.notes:
                break
        return proof

    def _in_clone(self, example: Example) -> Proof:
        name = self._cluster.create(self._template)
        try:
            with self._cluster.connect(name) as connection:
                if example.setup:
                    connection.execute(example.setup.encode())
            return self._measured(example, self._cluster.target.with_database(name))
        finally:
            self._cluster.drop(name)

    def _measured(self, example: Example, place: Target) -> Proof:
        statements = split(example.sql, in_transaction=example.in_transaction)
        with Bench(place, self._cluster.target, _SETTINGS) as bench:
            before = bench.catalog()
            way = bench.measure(statements)
            after = bench.catalog()
            repeats = not example.in_transaction and way.error is None
            again = bench.measure(statements).error if repeats else None
        evidence = Evidence(
            source=_source(example), before=before, after=after, python=example.python
        )
        findings = judge(_review(example, way), {example.revision: evidence})
        return Proof(way, findings, again)


def _source(example: Example) -> RevisionSource:
    return RevisionSource(
        revision=example.revision,
        down_revision=None,
        title="Example",
        file="example.py",
        up_sql=example.sql,
        down_sql=None,
        up_in_transaction=example.in_transaction,
        phase=example.phase,
    )


def _review(example: Example, way: Way) -> Review:
    facts = RevisionFacts(
        revision=example.revision,
        down_revision=None,
        title="Example",
        file="example.py",
        up=way.statements,
        error=way.error,
    )
    return Review("base", example.revision, "18", ROWS, (facts,))


@pytest.fixture(scope="session")
def proofs(cluster: Cluster) -> Iterator[Proofs]:
    """Give the runner of examples."""
    runner = Proofs(cluster)
    yield runner
    runner.close()
