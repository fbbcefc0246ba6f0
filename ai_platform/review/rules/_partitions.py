"""What is partitioned: what to do instead, and whose partition is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ai_platform.catalog.difference import WHOLE

from ._tree import same

if TYPE_CHECKING:
    from ._context import StatementContext

__all__ = ["is_partitioned", "parents_left", "partitioned_parents", "remedy_for"]

_BOUND: Final = "partition bound"
_OPAQUE: Final = {"PYTHON", "DO", "CALL", "SELECT"}


def is_partitioned(statement: StatementContext, table: str) -> bool:
    """Return whether *table*, which was there before, is partitioned."""
    if any(
        lock.kind == "partitioned table" and same(lock.relation, table)
        for lock in statement.facts.locks
    ):
        return True
    known = statement.revision.before("table", table) or {}
    return known.get("form") == "partitioned"


def remedy_for(
    statement: StatementContext, table: str, plain: str, by_partition: str
) -> str | None:
    """Return the remedy for *table* as it is; None where nobody knows what it is."""
    if is_partitioned(statement, table):
        return by_partition
    is_known = statement.is_measured or statement.revision.before("table", table)
    return plain if is_known else None


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
        if known.get(_BOUND):
            found.update(filter(statement.exists, known.get("inherits") or ()))
    return found


def parents_left(statement: StatementContext) -> set[str]:
    """Return the existing parents that lost a partition by SQL made as it ran.

    Of a DO block, a function or Python, by the catalog and the lock on the parent.
    """
    facts = statement.facts
    if facts.tag not in _OPAQUE:
        return set()
    # the catalog is not compared around a SELECT, nor inside Python
    whole = () if facts.tag in {"DO", "CALL"} else statement.revision.facts.changes
    locked = statement.locked(passing=True)
    parents: set[str] = set()
    for change in (*facts.changes, *whole):
        if change.kind != "table" or change.property not in {WHOLE, _BOUND}:
            continue
        known = statement.revision.before("table", change.identity) or {}
        if change.after is None and known.get(_BOUND):
            parents.update(known.get("inherits") or ())
    return {name for name in parents if locked.get(name) == "AX"}
