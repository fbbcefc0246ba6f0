"""Measure revisions on top of two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_platform.review.measure import measure
from ai_platform.review.sources import RevisionSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_platform.review.facts import Review, RevisionFacts

    from .cluster import Cluster

__all__ = ["ROWS", "SHOP", "source"]

ROWS: Final = 500
SHOP: Final = """
    CREATE TABLE public.shop (id bigint PRIMARY KEY, name varchar(20) NOT NULL, n int);
    CREATE TABLE public.orders (
        shop_id bigint REFERENCES public.shop DEFERRABLE INITIALLY DEFERRED, note text);
"""


def source(
    revision: str, up: str, down: str | None = "", **rest: Any
) -> RevisionSource:
    """Return a revision that goes *up* and *down* by this SQL."""
    return RevisionSource(revision, None, revision, f"{revision}.py", up, down, **rest)


@pytest.fixture
def measured(cluster: Cluster) -> Callable[..., Review]:
    """Measure revisions on top of two tables, on the server of the tests."""

    def run(*sources: RevisionSource, **options: Any) -> Review:
        place = {"dsn": cluster.target, "insist": "postgres"}
        before = [source("base", SHOP)]
        return measure(sources, before=before, rows=ROWS, **{**place, **options})

    return run


@pytest.fixture
def only(measured: Callable[..., Review]) -> Callable[..., RevisionFacts]:
    """Measure one revision and return its facts."""

    def run(up: str, down: str | None = "", **rest: Any) -> RevisionFacts:
        (facts,) = measured(source("one", up, down, **rest)).revisions
        return facts

    return run
