"""Two permissive policies hold for the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["RULE"]


def check(revision: RevisionContext) -> Iterator[Hit]:
    policies = list(_policies(revision))
    for number, (table, name, command, roles, is_new) in enumerate(policies):
        for other in policies[:number]:
            both = table == other[0] and (is_new or other[4])
            if both and _meet(command, other[2], "ALL") and _share(roles, other[3]):
                yield Hit(
                    table,
                    f"policies {other[1]} and {name} are both asked",
                    is_measured=revision.evidence.after is not None,
                )


def _meet(left: str, right: str, every: str) -> bool:
    return left == right or every in {left, right}


def _share(left: set[str], right: set[str]) -> bool:
    return bool(left & right) or "PUBLIC" in left | right


def _policies(
    revision: RevisionContext,
) -> Iterator[tuple[str, str, str, set[str], bool]]:
    """Yield table, name, command, roles and newness of each permissive policy."""
    if revision.evidence.after is not None:
        new = {item.key for item in revision.objects("policy", new=True)}
        for item in revision.objects("policy"):
            name, _, table = item.key.identity.partition(" on ")
            if not item.properties.get("restrictive"):
                roles = set(item.properties.get("roles") or ())
                command = str(item.properties["command"])
                yield table, name, command, roles, item.key in new
        return
    for statement in revision.statements:
        tree = statement.tree
        if isinstance(tree, ast.CreatePolicyStmt) and tree.permissive:
            roles = {role.rolename or "PUBLIC" for role in tree.roles}
            table = statement.name(tree.table)
            yield table, tree.policy_name, tree.cmd_name.upper(), roles, True


RULE = Rule(
    id="permissive-policies-overlap",
    number=27,
    title="two permissive policies hold for the same rows",
    family="design",
    severity="note",
    hazard=(
        "Permissive policies are alternatives: PostgreSQL evaluates each for "
        "every row, and each opens what another closes."
    ),
    measured=(
        "The catalog after the revision: two permissive policies of a table for "
        "the same command and role. Without a measurement: two such statements in "
        "the revision."
    ),
    remedy="Write one policy with OR, or make the narrower one AS RESTRICTIVE.",
    revision=check,
)
