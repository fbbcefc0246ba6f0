"""A step outside any transaction cannot be run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast

from ai_platform.amounts import in_seconds

from ._rule import Hit, Rule
from ._tree import dotted, is_concurrent, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_FINALIZE: Final = (
    "Where it was stopped: ALTER TABLE {table} DETACH PARTITION {part} FINALIZE, by "
    "hand, and alembic stamp for the revision, if that is all it does."
)
_LEFTOVERS: Final = (
    "Where it was stopped: look for indexes that are not indisvalid, named as before "
    "with _ccnew at the end (_ccold: the new one is in place), DROP INDEX CONCURRENTLY "
    "them, and run it again."
)


def check(statement: StatementContext) -> Iterator[Hit]:
    if statement.transaction is not None or statement.revision.facts.is_repeatable:
        return
    tree = statement.tree
    if isinstance(tree, ast.IndexStmt) and tree.concurrent:
        if not _is_cleared(statement, tree.idxname):
            yield _hit(statement, tree.idxname or "index")
    elif isinstance(tree, ast.DropStmt) and tree.concurrent and not tree.missing_ok:
        yield _hit(statement, dotted(tree.objects[0]))
    elif statement.revision.facts.is_repeatable is False and is_concurrent(tree):
        yield from _leftovers(tree)


def _leftovers(tree: ast.Node | None) -> Iterator[Hit]:
    """Yield what is left to somebody: no better way to write it is known."""
    if isinstance(tree, ast.AlterTableStmt):
        table, part = dotted(tree.relation), dotted(tree.cmds[0].def_.name)
        yield Hit(
            part,
            "stopped half way, it stays half detached, and a second run is refused",
            is_measured=True,
            severity="note",
            remedy=_FINALIZE.format(table=table, part=part),
        )
    elif isinstance(tree, ast.ReindexStmt):
        yield Hit(
            dotted(tree.relation) if tree.relation else tree.name or "REINDEX",
            "stopped half way, it leaves an INVALID index, which every write fills",
            is_measured=True,
            severity="note",
            remedy=_LEFTOVERS,
        )


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
        "INVALID index in silence. DETACH CONCURRENTLY leaves a partition that is "
        "half detached."
    ),
    measured=(
        "Whether a second run after a stop in the middle ends at the same "
        "catalog. Where that was not tried: no DROP INDEX CONCURRENTLY IF EXISTS, "
        "REINDEX or DO block of the same name before the build; a concurrent drop "
        "without IF EXISTS. DETACH and REINDEX CONCURRENTLY, which cannot be written "
        "in another way, are notes."
    ),
    remedy=(
        "Before the build drop what an earlier try left: DROP INDEX CONCURRENTLY "
        "IF EXISTS, or a DO block that drops it when it is INVALID; then CREATE "
        "INDEX CONCURRENTLY IF NOT EXISTS. Drop with IF EXISTS."
    ),
    statement=check,
)
