"""A role gets what no policy holds back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pglast import ast

from ._rule import Hit, Rule
from ._tree import option, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_POWERS: Final = {
    "superuser": "SUPERUSER: it may do everything",
    "bypassrls": "BYPASSRLS: no policy holds for it",
}
_IN_TEXT: Final = re.compile(
    r"\b(?:CREATE|ALTER)\s+(?:ROLE|USER)\b[^;]*\b(SUPERUSER|BYPASSRLS)\b", re.IGNORECASE
)


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    if isinstance(tree, ast.CreateRoleStmt | ast.AlterRoleStmt):
        name = tree.role if isinstance(tree, ast.CreateRoleStmt) else None
        yield from _powers(statement, quoted(name) if name else _named(tree.role))
    elif isinstance(tree, ast.GrantRoleStmt) and tree.is_grant:
        yield from _members(statement, tree)
    elif isinstance(tree, ast.DoStmt) and (
        found := _IN_TEXT.search(statement.facts.sql)
    ):
        told = f"a role gets {_POWERS[found[1].lower()]}"
        yield Hit("DO", told, is_measured=statement.is_measured)


def _powers(statement: StatementContext, name: str) -> Iterator[Hit]:
    for power, told in _POWERS.items():
        for value in option(statement.tree.options, power):
            if value is True or getattr(value, "boolval", False):
                yield Hit(name, f"gets {told}", is_measured=statement.is_measured)


def _members(statement: StatementContext, tree: ast.GrantRoleStmt) -> Iterator[Hit]:
    """Yield a hit for each role that was there before and joins another."""
    made = {
        item.tree.role
        for item in statement.earlier
        if isinstance(item.tree, ast.CreateRoleStmt)
    }
    groups = [item.priv_name for item in tree.granted_roles]
    if made.issuperset(groups):
        return
    for role in tree.grantee_roles:
        if role.rolename not in made:
            yield Hit(
                _named(role),
                f"becomes a member of {', '.join(map(quoted, groups))}: it may do what "
                "that may, and passes by the policies that let that in",
                is_measured=statement.is_measured,
                severity="note",
            )


def _named(role: ast.RoleSpec) -> str:
    return quoted(role.rolename) if role.rolename else "CURRENT_USER"


RULE = Rule(
    id="role-past-policies",
    number=28,
    title="a role gets what no policy holds back",
    family="security",
    severity="error",
    hazard=(
        "A role with BYPASSRLS or SUPERUSER sees every row of every tenant, and so "
        "does whoever gets hold of its login. A member of another role has its rights, "
        "and what policies grant to it."
    ),
    measured=(
        "The statement itself, for roles are in no catalog of one database: CREATE or "
        "ALTER ROLE with one of the two, also inside of DO. GRANT of a role to one "
        "that was there before is a note."
    ),
    remedy=(
        "Give the role a policy of its own on the tables that it needs, TO that role. "
        "Where it must pass by all, for a backup, let a person answer for it in "
        "review.accept.toml."
    ),
    statement=check,
)
