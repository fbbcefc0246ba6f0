"""A concurrent step is refused on a partitioned table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast, enums

from ._partitions import is_partitioned
from ._rule import Hit, Rule
from ._tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    refused = "partitioned" in (statement.facts.error or "")
    for table, told in _partitioned(statement, tree):
        if refused or not statement.is_measured:
            yield Hit(table, told, is_measured=refused)


def _partitioned(statement: StatementContext, tree: Any) -> Iterator[tuple[str, str]]:
    """Yield the partitioned tables that a concurrent step is for, and what it is."""
    if isinstance(tree, ast.IndexStmt) and tree.concurrent and tree.relation.inh:
        table = statement.name(tree.relation)
        if is_partitioned(statement, table):
            yield table, "is partitioned: CREATE INDEX CONCURRENTLY is refused"
    is_drop = isinstance(tree, ast.DropStmt) and tree.concurrent
    if is_drop and tree.removeType == enums.ObjectType.OBJECT_INDEX:
        for item in tree.objects:
            index = statement.revision.before("index", dotted(item)) or {}
            table = str(index.get("table"))
            if index and is_partitioned(statement, table):
                yield table, "is partitioned: DROP INDEX CONCURRENTLY is refused"


RULE = Rule(
    id="concurrently-partitioned",
    number=2,
    title="a concurrent step is refused on a partitioned table",
    family="repeat",
    severity="error",
    hazard=(
        "PostgreSQL has neither CREATE INDEX CONCURRENTLY nor DROP INDEX CONCURRENTLY "
        "for a partitioned table: the upgrade fails."
    ),
    measured=(
        "The server's refusal. Without a measurement: the catalog shows a partitioned "
        "table."
    ),
    remedy=(
        "CREATE INDEX ... ON ONLY the parent, CREATE INDEX CONCURRENTLY on each "
        "partition, then ALTER INDEX ... ATTACH PARTITION for each. DROP INDEX goes "
        "without CONCURRENTLY only: short, alone, with a lock_timeout."
    ),
    statement=check,
)
