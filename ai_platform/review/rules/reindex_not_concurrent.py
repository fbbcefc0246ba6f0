"""An index is rebuilt while nobody may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._rule import Hit, Rule
from ._tree import is_concurrent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_ALONE: Final = "alone in a revision outside any transaction."
_KINDS: Final = {
    enums.ReindexObjectType.REINDEX_OBJECT_INDEX: "INDEX",
    enums.ReindexObjectType.REINDEX_OBJECT_TABLE: "TABLE",
    enums.ReindexObjectType.REINDEX_OBJECT_SCHEMA: "SCHEMA",
    enums.ReindexObjectType.REINDEX_OBJECT_DATABASE: "DATABASE",
}


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    if not isinstance(tree, ast.ReindexStmt) or is_concurrent(tree):
        return
    target = _target(statement, tree)
    severity = statement.weigh(target, "error")
    # PostgreSQL's own catalogs are not among what is counted
    sees = statement.shows_cost and tree.kind in _KINDS
    costs = statement.rows_scanned() > 0 if sees else True
    if severity and costs and (not tree.relation or statement.exists(target)):
        told = statement.cost() if sees else "the table is read"
        yield Hit(
            target,
            f"{told}; writes wait until the commit",
            is_measured=sees,
            severity=severity,
            remedy=_remedy(tree),
        )


def _target(statement: StatementContext, tree: ast.ReindexStmt) -> str:
    if tree.relation:
        return statement.name(tree.relation)
    return tree.name or "this database"


def _remedy(tree: ast.ReindexStmt) -> str:
    """Return what does the same CONCURRENTLY, as far as PostgreSQL has it."""
    kind = _KINDS.get(tree.kind)
    if kind is None:
        return (
            "PostgreSQL rebuilds the indexes of its own catalogs only in this way: "
            "plan a time without traffic."
        )
    return f"Use REINDEX {kind} CONCURRENTLY, {_ALONE}"


RULE = Rule(
    id="reindex-not-concurrent",
    number=6,
    title="an index is rebuilt while nobody may use it",
    family="lock",
    severity="error",
    hazard=(
        "REINDEX takes ACCESS EXCLUSIVE on the index and SHARE on the table for "
        "the whole build: writes wait, and so does every query whose plan looks "
        "at the index."
    ),
    measured=(
        "The lock on a table that was there before, and the rows read under it. "
        "Without a measurement: REINDEX without CONCURRENTLY."
    ),
    remedy=(
        f"Use REINDEX INDEX CONCURRENTLY, or REINDEX TABLE CONCURRENTLY, {_ALONE} A "
        "partitioned table's indexes too are rebuilt that way, one after another."
    ),
    statement=check,
)
