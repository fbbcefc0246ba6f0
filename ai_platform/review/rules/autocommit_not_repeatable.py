"""A step outside any transaction cannot be run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast

from ai_platform.amounts import in_seconds

from ._rule import Hit, Rule
from ._tree import dotted, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    if statement.transaction is not None or statement.revision.facts.is_repeatable:
        return
    tree = statement.tree
    if isinstance(tree, ast.IndexStmt) and tree.concurrent:
        if not _is_cleared(statement, tree.idxname):
            yield _hit(statement, tree.idxname or "index")
    elif isinstance(tree, ast.DropStmt) and tree.concurrent and not tree.missing_ok:
        yield _hit(statement, dotted(tree.objects[0]))


def _is_cleared(statement: StatementContext, name: str | None) -> bool:
    """Return whether something before removes or repairs what an earlier try left."""
    for other in statement.earlier:
        tree = other.tree
        if isinstance(tree, ast.DropStmt):
            found = any(same(dotted(item), name or "") for item in tree.objects)
        else:
            repairs = isinstance(tree, ast.DoStmt | ast.ReindexStmt)
            found = repairs and (name or " ") in other.facts.sql
        if found:
            return True
    return False


def _hit(statement: StatementContext, name: str) -> Hit:
    message = "stopped half way, this step fails or is skipped when it is run again"
    limit_ms = statement.facts.lock_timeout_ms
    if statement.facts.outwaits and limit_ms:
        message += (
            "; it waits for every transaction that is older, and the lock_timeout of "
            f"{in_seconds(limit_ms / 1000)} stops it there"
        )
    return Hit(
        name,
        message,
        is_measured=statement.revision.facts.is_repeatable is False,
    )


RULE = Rule(
    id="autocommit-not-repeatable",
    number=4,
    title="a step outside any transaction cannot be run again",
    family="repeat",
    severity="warning",
    hazard=(
        "A concurrent build that is stopped leaves an INVALID index. Run again, "
        "CREATE fails because the name is taken, and IF NOT EXISTS accepts the "
        "INVALID index in silence."
    ),
    measured=(
        "Whether a second run after a stop in the middle ends at the same "
        "catalog. Where that was not tried: no DROP INDEX CONCURRENTLY IF EXISTS, "
        "REINDEX or DO block of the same name before the build; a concurrent drop "
        "without IF EXISTS."
    ),
    remedy=(
        "Before the build drop what an earlier try left: DROP INDEX CONCURRENTLY "
        "IF EXISTS, or a DO block that drops it when it is INVALID; then CREATE "
        "INDEX CONCURRENTLY IF NOT EXISTS. Drop with IF EXISTS."
    ),
    statement=check,
)
