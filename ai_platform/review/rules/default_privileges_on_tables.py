"""Tables are born with rights for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast, enums

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    if not isinstance(tree, ast.AlterDefaultPrivilegesStmt):
        return
    action = tree.action
    if action.is_grant and action.objtype == enums.ObjectType.OBJECT_TABLE:
        roles = ", ".join(item.rolename or "PUBLIC" for item in action.grantees)
        yield Hit(
            roles,
            "gets rights on tables that do not exist yet",
            is_measured=statement.is_measured,
        )


RULE = Rule(
    id="default-privileges-on-tables",
    number=28,
    title="tables are born with rights for others",
    family="security",
    severity="warning",
    hazard=(
        "ALTER DEFAULT PRIVILEGES ... GRANT ... ON TABLES opens each future table "
        "at its birth, partitions too, which have no policies of their own."
    ),
    measured="Read from the text; the catalog records the same.",
    remedy=(
        "Give rights table by table, on parents only, in the revision that makes "
        "the table."
    ),
    statement=check,
)
