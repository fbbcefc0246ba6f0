"""Which tables come first, and how many rows each needs for those that follow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .catalog import Catalog, Table

__all__ = ["Step", "steps"]

_SHRINK: Final = 5
_FEWEST: Final = 20
_FARTHEST: Final = 6


@dataclass(frozen=True, slots=True)
class Step:
    """Give *table* at least *rows* rows."""

    table: Table
    rows: int


def steps(
    catalog: Catalog, targets: Mapping[int, int], rows: int, parents: int
) -> list[Step]:
    """Return every table to fill, parents first.

    *targets* get their rows; tables that they refer to get at most *rows* and
    *parents*, fewer the farther away, but enough for unique constraints made of
    foreign keys.
    """
    depth = _depths(catalog, targets)
    order = _ordered(catalog, depth)
    sizes = {
        oid: targets.get(oid)
        or min(rows, max(_FEWEST, parents // _SHRINK ** max(0, depth[oid] - 1)))
        for oid in order
    }
    for oid in reversed(order):
        for parent, need in _needs(catalog.tables[oid], sizes[oid]).items():
            if parent in sizes and parent != oid:
                sizes[parent] = max(sizes[parent], need)
    return [Step(catalog.tables[oid], sizes[oid]) for oid in order]


def _depths(catalog: Catalog, targets: Mapping[int, int]) -> dict[int, int]:
    """Return how far each table is from those wanted, by the longest of short ways."""
    depth: dict[int, int] = {}
    level, frontier = 0, set(targets)
    while frontier and (level <= _FARTHEST or not frontier <= depth.keys()):
        depth |= dict.fromkeys(sorted(frontier), level)
        frontier = {
            key.parent
            for oid in frontier
            for key in catalog.tables[oid].foreign_keys
            if key.parent in catalog.tables and key.parent != oid
        }
        level += 1
    return depth


def _ordered(catalog: Catalog, tables: Mapping[int, int]) -> list[int]:
    """Return *tables* so that mandatory parents stand first, and others where they can.

    In a cycle of mandatory parents the table that waits for the fewest comes first.
    """
    waiting = {oid: _parents(catalog.tables[oid], tables) for oid in tables}
    done: list[int] = []
    while waiting:
        chosen = min(
            waiting,
            key=lambda oid: tuple(len(part - set(done)) for part in waiting[oid]),
        )
        done.append(chosen)
        del waiting[chosen]
    return done


def _parents(table: Table, among: Mapping[int, int]) -> tuple[set[int], set[int]]:
    """Return the mandatory and the optional parents of *table*."""
    parts: tuple[set[int], set[int]] = (set(), set())
    for key in table.foreign_keys:
        if key.parent in among and key.parent != table.oid:
            parts[not table.is_mandatory(key)].add(key.parent)
    return parts


def _needs(table: Table, rows: int) -> dict[int, int]:
    """Return how many parents there must be where they alone make a row unique."""
    found: dict[int, int] = {}
    owner = {name: key for key in table.foreign_keys for name in key.columns}
    for unique in table.whole_keys:
        if unique and unique <= owner.keys():
            free = [name for name in unique if name not in table.listed]
            parents = {owner[name].name: owner[name].parent for name in free}
            if not parents:
                continue
            many = rows / (
                max(1, len(table.partitions)) if len(free) < len(unique) else 1
            )
            # a tenth more: some pairs do not agree in what they share
            need = math.ceil(1.1 * many ** (1 / len(parents)))
            for parent in parents.values():
                found[parent] = max(found.get(parent, 0), need)
    return found
