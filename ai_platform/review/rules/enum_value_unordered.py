"""A new enum value goes to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast

from ._rule import Hit, Rule
from ._tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    if not isinstance(tree, ast.AlterEnumStmt) or tree.oldVal:
        return
    if not tree.newValNeighbor:
        told = f"the value {tree.newVal} sorts after all others"
        yield Hit(dotted(tree.typeName), told)


RULE = Rule(
    id="enum-value-unordered",
    number=22,
    title="a new enum value goes to the end",
    family="design",
    severity="note",
    hazard=(
        "ALTER TYPE ... ADD VALUE without BEFORE or AFTER puts the value last, "
        "for ORDER BY and comparisons too; no later statement can move it."
    ),
    measured="Read from the text.",
    remedy="Say where it belongs: ADD VALUE ... AFTER 'other'.",
    statement=check,
)
