"""The rules on our own history: silent, or somebody answers for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from ai_platform.review.acceptances import FILE, accept, read
from ai_platform.review.measure import measure
from ai_platform.review.projects import read as read_project
from ai_platform.review.rules import Evidence, all_rules
from ai_platform.review.rules.engine import judge
from ai_platform.review.run import Asked, review
from ai_platform.settings import CHECKOUT

if TYPE_CHECKING:
    from ai_platform.catalog import Snapshot
    from ai_platform.review.facts import Finding
    from ai_platform.review.projects import Project

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

# entries of the file are dated; what it accepts here must not depend on the day
TODAY = date(2026, 12, 1)


def told(findings: tuple[Finding, ...]) -> list[Finding]:
    """Return what counts: no notes, nothing accepted."""
    return [
        item for item in findings if item.accepted is None and item.severity != "note"
    ]


@pytest.fixture(scope="module")
def history() -> Project:
    """Give all revisions of this project."""
    return read_project(CHECKOUT / "alembic.ini", span="base..head")


def test_our_text_breaks_no_rule(history: Project) -> None:
    """What a rule says without a server is no false alarm on our revisions."""
    found = review(history, Asked(is_measured=False, today=TODAY))

    assert told(found.findings) == []


@pytest.mark.torture
def test_our_history_is_answered_for(history: Project) -> None:
    """Measured as a whole and one by one, our revisions break what is accepted."""
    catalogs: dict[str, tuple[Snapshot, Snapshot]] = {}
    found = measure(
        history.revisions,
        rows=300,
        look=lambda name, before, after: catalogs.update({name: (before, after)}),
    )
    evidence = {
        source.revision: Evidence(
            source, *catalogs[source.revision], (CHECKOUT / source.file).read_text()
        )
        for source in history.revisions
    }
    entries = read(CHECKOUT / FILE, rules=[rule.id for rule in all_rules()])
    names = [item.revision for item in found.revisions]
    single = [replace(found, revisions=(item,)) for item in found.revisions]

    for findings in (
        judge(found, evidence),
        tuple(item for one in single for item in judge(one, evidence)),
    ):
        judged = accept(findings, entries, today=TODAY, reviewed=names, known=names)
        assert told(judged) == []
