"""A policy calls a function for every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast
from pglast.visitors import Skip, Visitor

from ._rule import Hit, Rule
from ._tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


class _Bare(Visitor):
    """Collects calls that do not depend on a column, outside sub-selects."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_SubLink(self, _: object, __: ast.SubLink) -> type[Skip]:  # noqa: N802
        return Skip

    def visit_FuncCall(self, _: object, node: ast.FuncCall) -> None:  # noqa: N802
        columns = _Columns()
        columns(node)
        if not columns.found:
            self.found.append(dotted(node.funcname))


class _Columns(Visitor):
    """Tells whether an expression names a column."""

    def __init__(self) -> None:
        self.found = False

    def visit_ColumnRef(self, *_: object) -> None:  # noqa: N802
        self.found = True


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    if not isinstance(tree, ast.CreatePolicyStmt | ast.AlterPolicyStmt):
        return
    calls = _Bare()
    for part in (tree.qual, tree.with_check):
        if part is not None:
            calls(part)
    if calls.found:
        names = ", ".join(f"{name}()" for name in dict.fromkeys(calls.found))
        yield Hit(
            f"{tree.policy_name} on {statement.name(tree.table)}",
            f"{names} is called once per row",
        )


RULE = Rule(
    id="policy-call-per-row",
    number=27,
    title="a policy calls a function for every row",
    family="design",
    severity="warning",
    hazard=(
        "A function that does not depend on the row is called again for each of "
        "them: a query that reads a million rows makes a million calls."
    ),
    measured=(
        "Read from the text of the policy: a call without a column among its "
        "arguments that does not stand in a sub-select."
    ),
    remedy=(
        "Put it in a sub-select, which is evaluated once: USING (owner = (SELECT "
        "app.user_id()))."
    ),
    statement=check,
)
