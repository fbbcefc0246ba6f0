"""A table is read or written anew while others wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._rule import Hit, Rule
from ._tree import option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.review.facts import Severity

    from ._context import StatementContext

__all__ = ["RULE"]


_REFRESH: Final = (
    "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index over whole "
    "columns of it, and lets readers go on."
)
_COMPACT: Final = (
    "VACUUM without FULL gives the space back to the table itself. To give it back to "
    "the disk, or to put rows in order: pg_repack or pg_squeeze, which copy beside the "
    "traffic, or a time without any."
)
_DOMAIN: Final = (
    "ADD CONSTRAINT ... NOT VALID: it holds for new values at once, and reads nothing. "
    "VALIDATE CONSTRAINT of a domain keeps writers waiting as well; a CHECK of the "
    "table, NOT VALID and validated later, does not."
)
_COPY: Final = (
    "Make a table as it is to be, fill it in batches while a trigger keeps it "
    "current, and swap the names; or a time without traffic."
)
_EXPRESSION: Final = (
    "Add a column with the new expression in its place, VIRTUAL from PostgreSQL 18 on, "
    "which copies nothing; let the code change over, and drop this one."
)

_COPIES: Final = {
    enums.AlterTableType.AT_SetLogged,
    enums.AlterTableType.AT_SetUnLogged,
    enums.AlterTableType.AT_SetAccessMethod,
    enums.AlterTableType.AT_SetTableSpace,
}


def check(statement: StatementContext) -> Iterator[Hit]:
    if not statement.is_measured:
        yield from _read(statement)
    for table, mode in sorted(statement.locked(passing=True).items()):
        costs = statement.bytes_rewritten(table) or statement.rows_scanned(table)
        severity = statement.weigh(table, "error")
        # EXCLUSIVE is what a concurrent refresh holds: readers go on
        if costs and severity and mode != "X":
            yield _hit(statement, table, severity)


def _hit(statement: StatementContext, table: str, severity: Severity) -> Hit:
    """Return what was seen; of Python nobody knows whether the lock came first."""
    told = statement.cost()
    if statement.facts.tag == "PYTHON":
        told = f"{told}, or before it: the order within Python is not known"
    return Hit(
        table, told, is_measured=True, severity=severity, remedy=_remedy(statement)
    )


def _remedy(statement: StatementContext) -> str | None:
    """Return what to do instead, where the statement itself says which."""
    tree = statement.tree
    if isinstance(tree, ast.RefreshMatViewStmt):
        return _REFRESH
    if isinstance(tree, ast.VacuumStmt | ast.ClusterStmt):
        return _COMPACT
    if isinstance(tree, ast.AlterDomainStmt):
        return _DOMAIN
    parts = {command.subtype for _, command in statement.commands()}
    if parts & _COPIES:
        return _COPY
    return _EXPRESSION if enums.AlterTableType.AT_SetExpression in parts else None


def _read(statement: StatementContext) -> Iterator[Hit]:
    """Yield what the text alone says is copied as a whole."""
    for name in _copied(statement):
        severity = statement.weigh(name, "error")
        if severity and statement.exists(name):
            yield Hit(name, "is copied as a whole while others wait", severity=severity)


def _copied(statement: StatementContext) -> Iterator[str]:
    tree = statement.tree
    if isinstance(tree, ast.RefreshMatViewStmt) and not tree.concurrent:
        yield statement.name(tree.relation)
    elif isinstance(tree, ast.VacuumStmt) and any(option(tree.options, "full")):
        for item in tree.rels or ():
            yield statement.name(item.relation)
    elif isinstance(tree, ast.ClusterStmt) and tree.relation:
        yield statement.name(tree.relation)
    for table, _ in statement.commands(*_COPIES):
        yield table


RULE = Rule(
    id="table-busy",
    number=31,
    title="a table is read or written anew while others wait",
    family="lock",
    severity="error",
    hazard=(
        "Whatever the statement, and be it dynamic SQL in a DO block: what reads "
        "or copies a whole table under a lock that blocks reads or writes keeps "
        "everybody waiting for as long as the table is large."
    ),
    measured=(
        "Rows read, or a new file with rows in it, of a table that was there before, "
        "under such a lock, where no other rule names the cause. Without measuring: "
        "SET LOGGED and UNLOGGED, SET TABLESPACE, SET ACCESS METHOD, CLUSTER, VACUUM "
        "FULL, REFRESH without CONCURRENTLY."
    ),
    remedy=(
        "See in the statement's facts what is done to which table; do it in "
        "batches, concurrently, or in a time without traffic."
    ),
    statement=check,
    is_residual=True,
)
