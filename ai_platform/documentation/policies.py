"""Partition policies: rows, not catalog, so they are read by a query of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ai_platform import names

if TYPE_CHECKING:
    import psycopg

__all__ = ["PartitionPolicy", "partition_policies"]

_POLICIES = """
    SELECT parent_table, granularity, precreate, retention::text, is_unlogged
      FROM {table} WHERE is_enabled ORDER BY parent_table COLLATE "C"
"""


@dataclass(frozen=True, slots=True)
class PartitionPolicy:
    """How the partitions of *parent* come and go; *retention* None keeps them all."""

    parent: str
    granularity: str
    precreate: int
    retention: str | None
    unlogged: bool

    def __str__(self) -> str:
        kept = f"kept {self.retention}" if self.retention else "kept for ever"
        form = "unlogged (empty after a crash)" if self.unlogged else "logged"
        return (
            f"one partition per {self.granularity}, {self.precreate} made ahead, "
            f"{kept}, {form}"
        )


def partition_policies(connection: psycopg.Connection[Any]) -> list[PartitionPolicy]:
    """Return the enabled policies of this database, by name of the parent."""
    with connection.transaction():
        connection.execute("SET LOCAL intervalstyle = postgres")
        query = _POLICIES.format(table=names.PARTITION_POLICIES)
        return [PartitionPolicy(*row) for row in connection.execute(query.encode())]
