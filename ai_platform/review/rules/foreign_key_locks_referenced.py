"""A table comes or goes that refers to a busy one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._partitions import partitioned_parents
from ._rule import Hit, Rule
from ._tree import constraints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.review.facts import Severity

    from ._context import StatementContext

__all__ = ["RULE"]


_PARTS: Final = {
    enums.AlterTableType.AT_DropConstraint,
    enums.AlterTableType.AT_DropColumn,
}
_ADD_LATER: Final = (
    "Keep the transaction short and under a lock_timeout; where it does more, create "
    "the table without the foreign key and add that in a revision of its own: the "
    "table is still empty, so nothing is read."
)
_ALONE: Final = (
    "Drop it in a short revision of its own with a lock_timeout, and try again when "
    "that ends the wait."
)
_FIRST: Final = (
    "First drop the foreign key, in a short revision of its own with a lock_timeout "
    "that is tried again when that ends the wait; then the table, which locks nobody "
    "else any more."
)


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    severity: Severity = "warning"
    who, remedy = "reads and writes", _FIRST
    if isinstance(tree, ast.DropStmt):
        if tree.removeType != enums.ObjectType.OBJECT_TABLE:
            return
        gone = {statement.name(item) for item in tree.objects}
        others = _read_blocked(statement) - gone - partitioned_parents(statement)
    elif isinstance(tree, ast.AlterTableStmt):
        if not any(item.subtype in _PARTS for item in tree.cmds):
            return
        others = _read_blocked(statement) - {statement.name(tree.relation)}
        remedy = _ALONE
    elif isinstance(tree, ast.CreateStmt) and not tree.partbound:
        others = _referenced(statement, tree)
        severity, who, remedy = "note", "writes", _ADD_LATER
    else:
        return
    for table in sorted(others):
        if statement.weigh(table, severity):
            yield Hit(
                table,
                f"{who} of it wait until the commit",
                is_measured=statement.is_measured,
                severity=severity,
                remedy=remedy,
            )


def _read_blocked(statement: StatementContext) -> set[str]:
    """Return the tables that nobody can read, without the parts of others."""
    return {
        table
        for table, mode in statement.locked().items()
        if mode == "AX" and not _parents(statement, table)
    }


def _parents(statement: StatementContext, table: str) -> list[str]:
    """Return what *table* is a partition or child of."""
    return list((statement.revision.before("table", table) or {}).get("inherits") or ())


def _referenced(statement: StatementContext, tree: ast.CreateStmt) -> set[str]:
    if statement.is_measured:
        # its parent speaks for a partition
        return {name for name in statement.locked() if not _parents(statement, name)}
    foreign = enums.ConstrType.CONSTR_FOREIGN
    found = [item for item in tree.tableElts or () if isinstance(item, ast.Constraint)]
    for item in tree.tableElts or ():
        if isinstance(item, ast.ColumnDef):
            found += constraints(item, foreign)
    names = {statement.name(item.pktable) for item in found if item.contype == foreign}
    return {name for name in names if statement.exists(name)}


RULE = Rule(
    id="foreign-key-locks-referenced",
    number=14,
    title="a table comes or goes that refers to a busy one",
    family="lock",
    severity="warning",
    hazard=(
        "Dropping a foreign key, its column or its table takes ACCESS EXCLUSIVE on the "
        "table that it refers to: reads and writes there wait until the commit. CREATE "
        "TABLE with a foreign key takes SHARE ROW EXCLUSIVE, and only writes wait: a "
        "note."
    ),
    measured=(
        "The lock on another table, that was there before. Without a measurement: "
        "a foreign key in CREATE TABLE to a table that the revision did not make."
    ),
    remedy=(
        "Drop the foreign key in a short revision of its own with a lock_timeout, try "
        "again when that ends the wait, and drop the table after that. Of a new table, "
        "add the foreign key in a short transaction: it reads nothing."
    ),
    statement=check,
)
