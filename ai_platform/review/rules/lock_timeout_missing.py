"""A lock is waited for without a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ai_platform.amounts import in_seconds

from ._rule import Hit, Rule
from ._tree import is_concurrent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext, StatementContext

__all__ = ["RULE"]

_LOCKING: Final = (
    ast.AlterTableStmt,
    ast.RenameStmt,
    ast.IndexStmt,
    ast.CreateTrigStmt,
    ast.CreatePolicyStmt,
    ast.DropStmt,
)

_DROPPED: Final = {
    enums.ObjectType.OBJECT_TABLE,
    enums.ObjectType.OBJECT_INDEX,
    enums.ObjectType.OBJECT_MATVIEW,
}
_LONG_MS: Final = 60_000
"""A table that nobody can use for longer than this is out of service."""
_WEAK: Final = {
    enums.AlterTableType.AT_ValidateConstraint,
    enums.AlterTableType.AT_SetStatistics,
    enums.AlterTableType.AT_SetRelOptions,
    enums.AlterTableType.AT_ResetRelOptions,
    enums.AlterTableType.AT_SetOptions,
    enums.AlterTableType.AT_AttachPartition,
}
"""Parts of ALTER TABLE that let writers go on."""


def check(revision: RevisionContext) -> Iterator[Hit]:
    for statement in revision.statements:
        table = _queues(statement)
        if table is not None and statement.facts.lock_timeout_ms > _LONG_MS:
            limit = in_seconds(statement.facts.lock_timeout_ms / 1000)
            yield Hit(
                table,
                f"waits for its lock for up to {limit}, and everybody behind it",
                is_measured=statement.is_measured,
                severity="warning",
                statement=statement.number,
            )
            return
        # what was refused, or came after, is not known to be without a limit
        if (
            table is not None
            and not statement.facts.error
            and not _is_limited(statement)
        ):
            yield Hit(
                table,
                "waits for its lock without a limit, and everybody behind it",
                is_measured=statement.is_measured,
                severity="error" if statement.is_measured else "warning",
                statement=statement.number,
            )
            return


def _queues(statement: StatementContext) -> str | None:
    """Return the first existing table that others would wait for."""
    if statement.is_measured:
        return next(iter(sorted(statement.locked())), None)
    tree = statement.tree
    if is_concurrent(tree) or not isinstance(tree, _LOCKING):
        return None
    if isinstance(tree, ast.AlterTableStmt) and not _is_strong(tree):
        return None
    node = getattr(tree, "relation", None) or getattr(tree, "table", None)
    if isinstance(tree, ast.DropStmt) and tree.removeType in _DROPPED:
        node = tree.objects[0]
    name = statement.name(node) if node is not None else None
    return name if name and statement.exists(name) else None


def _is_strong(tree: ast.AlterTableStmt) -> bool:
    return any(command.subtype not in _WEAK for command in tree.cmds)


def _is_limited(statement: StatementContext) -> bool:
    if statement.is_measured:
        return statement.facts.lock_timeout_ms > 0
    if statement.revision.evidence.lock_timeout_ms is not None:
        return statement.revision.evidence.lock_timeout_ms > 0
    return any(
        isinstance(item.tree, ast.VariableSetStmt) and item.tree.name == "lock_timeout"
        for item in statement.earlier
    )


RULE = Rule(
    id="lock-timeout-missing",
    number=18,
    title="a lock is waited for without a limit",
    family="lock",
    severity="error",
    hazard=(
        "While a statement waits for SHARE, SHARE ROW EXCLUSIVE, EXCLUSIVE or ACCESS "
        "EXCLUSIVE, everybody who comes after it and conflicts with it waits behind "
        "it: one long reader, and the table is out of service."
    ),
    measured=(
        "The lock_timeout that holds when a lock that blocks writes is taken on a "
        "table that was there before; over a minute is a warning. Without a "
        "measurement: no SET lock_timeout before the first ALTER, DROP or CREATE on "
        "such a table."
    ),
    remedy=(
        "SET LOCAL lock_timeout = '4s' first, and try again when it ends the wait."
    ),
    revision=check,
)
