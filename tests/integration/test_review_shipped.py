"""The shipped revisions, measured: each can be taken back, and none goes unmeasured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.review.measure import measure
from ai_platform.review.sources import RevisionSource
from ai_platform.runner import offline

if TYPE_CHECKING:
    from tests.support.cluster import Cluster


def shipped() -> list[RevisionSource]:
    """Return the shipped revisions with the SQL that is committed for DBAs."""
    texts = dict(offline.review_files())
    return [
        RevisionSource(
            revision.id,
            revision.parent,
            revision.subject,
            str(revision.script.path),
            texts[f"{revision.id}.up.sql"],
            texts[f"{revision.id}.down.sql"],
        )
        for revision in offline.revisions()
    ]


@pytest.mark.parametrize(
    "count", [1, pytest.param(None, marks=pytest.mark.torture)], ids=["newest", "all"]
)
@pytest.mark.slow
def test_shipped_revisions_are_measured(cluster: Cluster, count: int | None) -> None:
    """Every statement runs on tables with rows, up, down and up again, losing none."""
    sources = shipped()
    first = len(sources) - (count or len(sources))

    review = measure(
        sources[first:],
        before=sources[:first],
        dsn=cluster.target,
        insist="postgres",
        rows=1_000,
    )

    assert review.is_measured
    assert [item.revision for item in review.revisions if item.left_behind] == []
    assert all(item.is_reversible and item.is_repeatable for item in review.revisions)
