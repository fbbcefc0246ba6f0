"""Many rows are changed in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast

from ai_platform.amounts import counted
from ai_platform.review.statements import is_version_row

from ._rule import Hit, Rule
from ._work import BATCH, changes_written, commits_inside, rows_changed

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_CHANGES: Final = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)
_MOST: Final = 3


def check(statement: StatementContext) -> Iterator[Hit]:
    is_refresh = isinstance(statement.tree, ast.RefreshMatViewStmt)
    if is_refresh or is_version_row(statement.facts.sql):
        return
    holder = _ddl(statement)
    beside = f" beside the DDL of statement {holder.number}" if holder else ""
    if statement.shows_cost:
        found = _changed(statement)
    else:
        found = dict.fromkeys(_unbounded(statement, beside_ddl=bool(holder)), "rows")
    for table, many in found.items():
        severity = statement.weigh(table, "error")
        if severity:
            loud = holder is not None and statement.shows_cost
            yield Hit(
                table,
                f"{many} are changed in one transaction{beside}",
                is_measured=statement.shows_cost,
                severity=severity if loud else "warning",
            )


def _changed(statement: StatementContext) -> dict[str, str]:
    """Return the table that was to be changed, with the rows of each that was.

    Whatever did it: a function, a DO block and a trigger count like an UPDATE.
    """
    if commits_inside(statement):
        return {}
    rows = rows_changed(statement)
    if rows.total() < BATCH:
        return {}
    named = isinstance(statement.tree, _CHANGES)
    table = (
        statement.name(statement.tree.relation) if named else rows.most_common(1)[0][0]
    )
    return {table: _told(rows, table)}


def _told(rows: Counter[str], table: str) -> str:
    """Return how many rows of which tables were changed, those of *table* first."""
    found = sorted(rows.items(), key=lambda item: (item[0] != table, -item[1]))
    if len(found) == 1:
        return counted(found[0][1], "row")
    parts = [f"{counted(many, 'row')} of {name}" for name, many in found[:_MOST]]
    others = len(found) - _MOST
    if others > 0:
        left = sum(many for _, many in found[_MOST:])
        parts.append(f"{left:,} of {counted(others, 'other table')}")
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _unbounded(statement: StatementContext, *, beside_ddl: bool) -> Iterator[str]:
    """Yield the tables of which the text alone says that too many rows may change."""
    for tree in changes_written(statement.tree):
        bounded = getattr(tree, "whereClause", None) is not None and not beside_ddl
        name = statement.name(tree.relation)
        if not bounded and statement.exists(name):
            yield name


def _ddl(statement: StatementContext) -> StatementContext | None:
    """Return a statement of the same transaction that locks an existing table."""
    for other in (*statement.earlier, *statement.later):
        if not statement.shares_transaction(other):
            continue
        if other.locked() or (not other.is_measured and any(other.commands())):
            return other
    return None


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
        "The rows changed in tables that were there before, 1,000 or more, be it by "
        "UPDATE, MERGE, a function or a DO block, and the locks held meanwhile. "
        "Without a measurement: UPDATE, DELETE or MERGE beside DDL, or without WHERE."
    ),
    remedy=(
        "Change the rows in batches of some thousand, each in a transaction of "
        "its own, in a revision or a job of its own."
    ),
    statement=check,
)
