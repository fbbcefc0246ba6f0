"""Every revision up, down and up again: the way back leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.catalog import Snapshot, diff, render
from ai_platform.runner import command, offline
from tests.support.catalogs import assert_same_catalog, catalog_of

if TYPE_CHECKING:
    from tests.support.database import Database


def leftovers(label: str, expected: Snapshot, actual: Snapshot) -> list[str]:
    """Return the differences of two catalogs, each with *label* before it."""
    lines = render(diff(expected, actual)).splitlines()
    return [f"{label}: {line}" for line in lines]


# flights may be walked at the same time, each in a database of its own
FLIGHTS = 4


@pytest.mark.parametrize("flight", range(FLIGHTS))
def test_every_step_can_be_taken_back(empty: Database, flight: int) -> None:
    """For each revision: up, down to the very same catalog, up to the very same."""
    revisions = offline.revisions()
    first = len(revisions) * flight // FLIGHTS
    last = len(revisions) * (flight + 1) // FLIGHTS
    if first:
        command("upgrade", revisions[first - 1].id, target=empty.target)
    found: list[str] = []
    before = catalog_of(empty)
    for revision in revisions[first:last]:
        command("upgrade", revision.id, target=empty.target)
        above = catalog_of(empty)
        command("downgrade", "-1", target=empty.target)
        found += leftovers(f"{revision.id} down", before, catalog_of(empty))
        command("upgrade", revision.id, target=empty.target)
        before = catalog_of(empty)
        found += leftovers(f"{revision.id} up again", above, before)

    assert found == []


def test_the_whole_way_down_leaves_nothing(database: Database, empty: Database) -> None:
    """From head to base the catalog is that of a database nobody touched."""
    command("downgrade", "base", target=database.target)

    assert_same_catalog(catalog_of(empty), catalog_of(database))
