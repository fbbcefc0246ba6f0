"""Many rows are changed in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

BATCH: Final = 1000
"""So many rows in one transaction are no batch any more."""


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    if not isinstance(tree, ast.UpdateStmt | ast.DeleteStmt | ast.InsertStmt):
        return
    table = statement.name(tree.relation)
    severity = statement.weigh(table, "error")
    if not severity or _is_bookkeeping(statement):
        return
    holder = _ddl(statement)
    beside = f" beside the DDL of statement {holder.number}" if holder else ""
    if statement.shows_cost:
        rows = _rows_changed(statement)
        if rows >= BATCH:
            yield Hit(
                table,
                f"{rows} rows are changed in one transaction{beside}",
                is_measured=True,
                severity=severity if holder else "warning",
            )
    elif _is_unbounded(tree, beside_ddl=bool(holder)) and statement.exists(table):
        told = f"rows are changed in one transaction{beside}"
        yield Hit(table, told, severity="warning")


def _is_unbounded(tree: ast.Node, *, beside_ddl: bool) -> bool:
    """Return whether the text alone says that too many rows may be changed."""
    if isinstance(tree, ast.InsertStmt):
        return False
    return beside_ddl or tree.whereClause is None


def _rows_changed(statement: StatementContext) -> int:
    facts = statement.facts
    return sum(
        item.rows
        for item in (*facts.updated, *facts.deleted, *facts.inserted)
        if statement.exists(item.relation)
    )


def _ddl(statement: StatementContext) -> StatementContext | None:
    """Return a statement of the same transaction that locks an existing table."""
    for other in (*statement.earlier, *statement.later):
        if not statement.shares_transaction(other):
            continue
        if other.locked() or (not other.is_measured and any(other.commands())):
            return other
    return None


def _is_bookkeeping(statement: StatementContext) -> bool:
    """Return whether this is Alembic's own row."""
    return "version_num" in statement.facts.sql


RULE = Rule(
    id="backfill-in-one-go",
    number=20,
    title="many rows are changed in one transaction",
    family="lock",
    severity="error",
    hazard=(
        "An UPDATE of a whole table locks every row until the commit, writes the "
        "table once more, and delays VACUUM and replicas. In the transaction of a "
        "DDL statement it also keeps that one's lock."
    ),
    measured=(
        "The rows changed in tables that were there before, 1000 or more, and the "
        "locks held meanwhile. Without a measurement: UPDATE or DELETE beside "
        "DDL, or without WHERE."
    ),
    remedy=(
        "Change the rows in batches of some thousand, each in a transaction of "
        "its own, in a revision or a job of its own."
    ),
    statement=check,
)
