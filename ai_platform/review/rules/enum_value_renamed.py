"""Running code does not know the new enum value."""

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
    renames = isinstance(tree, ast.AlterEnumStmt) and tree.oldVal
    if renames and statement.revision.phase != "contract":
        yield Hit(
            dotted(tree.typeName),
            f"{tree.oldVal} becomes {tree.newVal}: code that says the old name fails",
            is_measured=statement.is_measured,
        )


RULE = Rule(
    id="enum-value-renamed",
    number=22,
    title="running code does not know the new enum value",
    family="code",
    severity="error",
    hazard="Code that writes or compares the old value fails from the commit on.",
    measured=(
        "Read from the text; the value was there before, or the statement would "
        "have failed."
    ),
    remedy=(
        "Add the new value, let the code understand both, change the rows, and "
        "leave the old value unused; or rename in a revision that says Phase: "
        "contract."
    ),
    statement=check,
)
