"""Whose partition it is that a statement drops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast, enums

from ._tree import same

if TYPE_CHECKING:
    from ._context import StatementContext

__all__ = ["is_partitioned", "partitioned_parents"]


def is_partitioned(statement: StatementContext, table: str) -> bool:
    """Return whether *table*, which was there before, is partitioned."""
    if any(
        lock.kind == "partitioned table" and same(lock.relation, table)
        for lock in statement.facts.locks
    ):
        return True
    known = statement.revision.before("table", table) or {}
    return known.get("form") == "partitioned"


def partitioned_parents(statement: StatementContext) -> set[str]:
    """Return the existing parents of the partitions that a DROP TABLE removes.

    By its locks where it ran, for a partition that comes and goes with the clock is
    in no catalog of ours; by the catalog otherwise.
    """
    tree = statement.tree
    if (
        not isinstance(tree, ast.DropStmt)
        or tree.removeType != enums.ObjectType.OBJECT_TABLE
    ):
        return set()
    gone = [statement.name(item) for item in tree.objects]
    if statement.is_measured:
        locked = statement.locked()
        return {
            lock.relation
            for lock in statement.facts.locks
            if lock.kind == "partitioned table"
            and lock.relation in locked
            and not any(same(lock.relation, name) for name in gone)
        }
    found: set[str] = set()
    for name in gone:
        known = statement.revision.before("table", name) or {}
        if known.get("partition bound"):
            found.update(filter(statement.exists, known.get("inherits") or ()))
    return found
