"""Work is done while a lock blocks everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast, enums

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext, StatementContext

__all__ = ["RULE"]


def check(revision: RevisionContext) -> Iterator[Hit]:
    for statement in revision.statements:
        holder = _holder(statement) if _works(statement) else None
        if holder is None:
            continue
        table = _target(holder)
        severity = statement.weigh(table, "error")
        if severity:
            rows = statement.rows_scanned()
            told = f"{rows} rows are read" if statement.shows_cost else "work is done"
            yield Hit(
                table,
                f"{told} while statement {holder.number} blocks its readers",
                is_measured=statement.shows_cost,
                severity=severity,
                statement=statement.number,
            )


def _holder(statement: StatementContext) -> StatementContext | None:
    """Return the earlier statement whose ACCESS EXCLUSIVE lock is still held."""
    for other in statement.earlier:
        if statement.shares_transaction(other) and _target(other):
            return other
    return None


def _target(statement: StatementContext) -> str:
    """Return the table whose readers a statement blocks; empty for none."""
    if statement.is_measured:
        locked = statement.locked()
        return next((table for table in sorted(locked) if locked[table] == "AX"), "")
    validate = enums.AlterTableType.AT_ValidateConstraint
    for table, command in statement.commands():
        if command.subtype != validate:
            return table
    return ""


def _works(statement: StatementContext) -> bool:
    """Return whether it takes time for a reason that no other rule names."""
    if isinstance(statement.tree, ast.InsertStmt | ast.UpdateStmt | ast.DeleteStmt):
        return False
    if statement.shows_cost:
        return statement.rows_scanned() > 0 and not statement.locked()
    return any(statement.commands(enums.AlterTableType.AT_ValidateConstraint))


RULE = Rule(
    id="lock-held-during-work",
    number=19,
    title="work is done while a lock blocks everybody",
    family="lock",
    severity="error",
    hazard=(
        "A lock is held until the commit. What takes time after it in the same "
        "transaction, such as VALIDATE CONSTRAINT, keeps everybody waiting, "
        "although it would block nobody by itself."
    ),
    measured=(
        "Rows of existing tables read by a statement while an earlier one of its "
        "transaction holds ACCESS EXCLUSIVE. Without a measurement: VALIDATE "
        "CONSTRAINT after another ALTER TABLE."
    ),
    remedy="Do the work in a revision of its own, which commits by itself.",
    revision=check,
)
