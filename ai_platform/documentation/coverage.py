"""How much of a database carries a comment, and what does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_platform.catalog import CatalogObject, Snapshot

__all__ = ["Coverage", "coverage"]

_KINDS = {
    "schema": "schemas",
    "table": "tables",
    "view": "views",
    "materialized view": "views",
    "function": "functions",
    "procedure": "functions",
    "aggregate": "functions",
    "enum": "types",
    "domain": "types",
    "range": "types",
    "composite type": "types",
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of *total* objects of one sort, those whose identities lack a comment."""

    sort: str
    total: int
    missing: Sequence[str]

    @property
    def commented(self) -> int:
        """Return how many carry a comment."""
        return self.total - len(self.missing)

    @property
    def percent(self) -> int:
        """Return the share in whole percent, rounded down: 100 means all."""
        return 100 * self.commented // self.total if self.total else 100


def coverage(snapshot: Snapshot) -> list[Coverage]:
    """Return the coverage per sort of object, in the order of the documentation.

    Partitions do not count, nor their columns: what is true of them stands at their
    parent. Sorts that do not occur are left out.
    """
    sorts: dict[str, list[CatalogObject]] = {}
    for sort, item in _counted(snapshot):
        sorts.setdefault(sort, []).append(item)
    order = [*dict.fromkeys(_KINDS.values())]
    order[3:3] = ["columns of tables", "columns of views"]
    return [
        Coverage(sort, len(sorts[sort]), [str(i.key) for i in sorts[sort] if _bare(i)])
        for sort in order
        if sort in sorts
    ]


def _bare(item: CatalogObject) -> bool:
    return not str(item.properties.get("comment", "")).strip()


def _counted(snapshot: Snapshot) -> Iterator[tuple[str, CatalogObject]]:
    partitions = {
        str(item.key)
        for item in snapshot
        if item.key.kind == "table" and "partition bound" in item.properties
    }
    for item in snapshot:
        kind = item.key.kind
        if kind == "column" and item.parent not in partitions:
            of_table = (item.parent or "").startswith("table ")
            yield f"columns of {'tables' if of_table else 'views'}", item
        elif kind in _KINDS and str(item.key) not in partitions:
            yield _KINDS[kind], item
