"""Row security is off and the policies are idle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._rule import Hit, Rule
from ._switches import row_security_switched
from ._tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["RULE"]

_DISABLE: Final = enums.AlterTableType.AT_DisableRowSecurity


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        yield from _read(revision)
        return
    touched = {item.key for item in revision.objects("policy", new=True)}
    for item in revision.objects("policy"):
        table = item.key.identity.partition(" on ")[2]
        now = revision.evidence.after[("table", table)].properties
        before = revision.before("table", table) or {}
        switched = before.get("row security") and not now.get("row security")
        if not now.get("row security") and (switched or item.key in touched):
            yield Hit(table, "has policies, and row security is off", is_measured=True)
            return


def _read(revision: RevisionContext) -> Iterator[Hit]:
    for statement in revision.statements:
        for table, _ in statement.commands(_DISABLE):
            yield Hit(table, "row security is switched off", statement=statement.number)
    on = set(row_security_switched(revision, enums.AlterTableType.AT_EnableRowSecurity))
    for statement in revision.statements:
        tree = statement.tree
        if isinstance(tree, ast.CreatePolicyStmt):
            table = dotted(tree.table)
            if not statement.exists(table) and table not in on:
                yield Hit(
                    table,
                    "has policies, and row security is off",
                    statement=statement.number,
                )


RULE = Rule(
    id="row-security-off",
    number=28,
    title="row security is off and the policies are idle",
    family="security",
    severity="error",
    hazard=(
        "Policies do nothing while row security is off: everybody with SELECT "
        "reads every row."
    ),
    measured=(
        "The catalog after the revision: a table with policies and without row "
        "security. Without a measurement: DISABLE ROW LEVEL SECURITY, or CREATE "
        "POLICY on a table that the revision makes and does not enable."
    ),
    remedy=(
        "ALTER TABLE ... ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY "
        "before the first policy."
    ),
    revision=check,
)
