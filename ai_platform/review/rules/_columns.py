"""Which part of an ALTER TABLE gives every row a new shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pglast import ast

from ._rule import Hit
from ._tree import default_of, dotted, is_generated, same, type_name, unsteady_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["rewriting_columns"]

Cause = Literal["default", "generated", "domain"]


def rewriting_columns(
    statement: StatementContext, cause: Cause, told: str
) -> Iterator[Hit]:
    """Yield a hit for each added column that rewrites its table because of *cause*.

    Where the statement ran, only if the table got a new file; empty tables do too.
    """
    if statement.is_measured and not statement.is_rewritten():
        return
    for table, column in statement.columns_added():
        severity = statement.weigh(table, "error")
        if severity and _cause(statement, column) == cause:
            does = f"; {statement.cost()}" if statement.is_measured else ""
            yield Hit(
                f"{table}.{column.colname}",
                f"{told}{does}",
                is_measured=statement.is_measured,
                severity=severity,
            )


def _cause(statement: StatementContext, column: ast.ColumnDef) -> Cause | None:
    if is_generated(column):
        return "generated"
    if _is_domain(statement, column.typeName):
        return "domain"
    return "default" if unsteady_calls(default_of(column)) else None


def _is_domain(statement: StatementContext, node: ast.TypeName) -> bool:
    name = type_name(node)
    made = (
        dotted(item.tree.domainname)
        for item in statement.earlier
        if isinstance(item.tree, ast.CreateDomainStmt)
    )
    known = statement.revision.before("domain", name) is not None
    return known or any(same(name, other) for other in made)
