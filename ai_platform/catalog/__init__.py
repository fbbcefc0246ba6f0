"""The whole catalog of a database as values, and what distinguishes two of them."""

from ._objects import CatalogObject, Key, Snapshot
from .difference import Difference, diff, render
from .snapshot import snapshot

__all__ = [
    "CatalogObject",
    "Difference",
    "Key",
    "Snapshot",
    "diff",
    "render",
    "snapshot",
]
