"""A table comes or goes that refers to a busy one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast, enums

from ._partitions import partitioned_parents
from ._rule import Hit, Rule
from ._tree import constraints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    if isinstance(tree, ast.DropStmt):
        if tree.removeType != enums.ObjectType.OBJECT_TABLE:
            return
        gone = {statement.name(item) for item in tree.objects}
        others = set(statement.locked()) - gone - partitioned_parents(statement)
        who = "reads and writes"
    elif isinstance(tree, ast.CreateStmt) and not tree.partbound:
        others = _referenced(statement, tree)
        who = "writes"
    else:
        return
    for table in sorted(others):
        if statement.weigh(table, "note"):
            yield Hit(
                table,
                f"{who} of it wait until the commit",
                is_measured=statement.is_measured,
            )


def _referenced(statement: StatementContext, tree: ast.CreateStmt) -> set[str]:
    if statement.is_measured:
        return set(statement.locked())
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
    severity="note",
    hazard=(
        "CREATE TABLE with a foreign key takes SHARE ROW EXCLUSIVE on the table "
        "it refers to: writes there wait until the commit. DROP TABLE takes "
        "ACCESS EXCLUSIVE: reads wait too."
    ),
    measured=(
        "The lock on another table, that was there before. Without a measurement: "
        "a foreign key in CREATE TABLE to a table that the revision did not make."
    ),
    remedy=(
        "Keep the revision short: nothing after it that takes time, and a "
        "lock_timeout before it. Drop the constraint alone first, then the table."
    ),
    statement=check,
)
