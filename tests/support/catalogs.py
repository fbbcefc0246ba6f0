"""Compare catalogs in one line, with a difference a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.catalog import diff, render, snapshot

if TYPE_CHECKING:
    from ai_platform.catalog import Snapshot

    from .database import Database

__all__ = ["assert_same_catalog", "catalog_of"]


def catalog_of(database: Database) -> Snapshot:
    """Return the whole catalog of *database*."""
    return snapshot(database.connect())


def assert_same_catalog(expected: Snapshot, actual: Snapshot) -> None:
    """Fail with the list of differences, if there are any."""
    differences = diff(expected, actual)
    if differences:
        pytest.fail(render(differences), pytrace=False)
