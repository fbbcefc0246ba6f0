"""A policy holds nobody back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pglast import ast, enums
from pglast.visitors import Visitor

from ._rule import Hit, Rule
from ._tree import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._context import RevisionContext

__all__ = ["RULE"]

_WRITES: Final = {"ALL", "INSERT", "UPDATE", "DELETE"}


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        return
    for item in revision.objects("policy"):
        now, known = item.properties, revision.before("policy", item.key.identity)
        if now.get("restrictive") or known == now:
            continue
        # another rule compares a policy with what it was
        told = _openness(now, is_new=known is None)
        if told:
            yield Hit(item.key.identity, told, is_measured=True)


def _openness(policy: Mapping[str, Any], *, is_new: bool) -> str | None:
    """Return why a permissive policy lets through what it should not; else None."""
    conditions = [policy.get("using"), policy.get("with check")]
    everybody = is_new and "PUBLIC" in (policy.get("roles") or ())
    if everybody and policy.get("command") in _WRITES and "true" in conditions:
        return f"lets everybody {policy['command']} every row"
    for condition in conditions:
        if condition and _is_null_open(str(condition)):
            return "lets everything through where the setting that it asks is NULL"
    return None


def _is_null_open(condition: str) -> bool:
    """Return whether an alternative at the top asks only whether a setting is NULL."""
    tree = parsed(f"SELECT {condition}")
    if not isinstance(tree, ast.SelectStmt):
        return False
    top = tree.targetList[0].val
    if not isinstance(top, ast.BoolExpr) or top.boolop != enums.BoolExprType.OR_EXPR:
        return False
    return any(
        isinstance(part, ast.NullTest)
        and part.nulltesttype == enums.NullTestType.IS_NULL
        and not _names_column(part)
        for part in top.args
    )


class _Columns(Visitor):
    """Tells whether an expression names a column."""

    found = False

    def visit_ColumnRef(self, *_: object) -> None:  # noqa: N802
        self.found = True


def _names_column(node: ast.Node) -> bool:
    columns = _Columns()
    columns(node)
    return columns.found


RULE = Rule(
    id="policy-open",
    number=28,
    title="a policy holds nobody back",
    family="security",
    severity="warning",
    hazard=(
        "A permissive policy for PUBLIC with the condition true opens every row, "
        "whatever other policies say. One that begins with setting IS NULL OR ... "
        "opens them to each session that has not set it."
    ),
    measured=(
        "The catalog after the revision: new permissive policies for writing whose "
        "condition is true for PUBLIC; new or changed ones with an alternative that "
        "asks only whether something that is not a column IS NULL."
    ),
    remedy=(
        "Say in the condition whose rows they are; name the role in TO where one role "
        "may do all; leave the IS NULL alternative out."
    ),
    revision=check,
)
