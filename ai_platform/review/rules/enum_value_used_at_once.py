"""A new enum value is used before it is committed."""

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
    if not isinstance(tree, ast.AlterEnumStmt) or not tree.newVal or tree.oldVal:
        return
    for other in statement.later:
        if not statement.shares_transaction(other):
            continue
        refused = "unsafe use of new value" in (other.facts.error or "")
        guessed = not other.is_measured and f"'{tree.newVal}'" in other.facts.sql
        if refused or guessed:
            yield Hit(
                dotted(tree.typeName),
                f"{tree.newVal} is used in statement {other.number}, before the commit",
                is_measured=refused,
            )
            return


RULE = Rule(
    id="enum-value-used-at-once",
    number=22,
    title="a new enum value is used before it is committed",
    family="repeat",
    severity="error",
    hazard=(
        "PostgreSQL refuses to use an enum value in the transaction that added "
        "it: the upgrade fails."
    ),
    measured=(
        "The server's refusal. Without a measurement: the value as a literal in a "
        "later statement of the same transaction."
    ),
    remedy="Use the value in the next revision.",
    statement=check,
)
