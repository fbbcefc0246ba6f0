"""Work is done while a lock makes others wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._context import QUICK_S
from ._rule import Hit, Rule
from ._work import BATCH, rows_changed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.review.facts import Mode

    from ._context import RevisionContext, StatementContext

__all__ = ["RULE"]

_CHANGES: Final = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


def check(revision: RevisionContext) -> Iterator[Hit]:
    for statement in revision.statements:
        held = _held(statement) if _works(statement) else None
        if held is None:
            continue
        number, table, mode = held
        severity = statement.weigh(table, "error")
        if severity:
            who = "readers and writers" if mode == "AX" else "writers"
            yield Hit(
                table,
                f"{_told(statement)} while statement {number} blocks its {who}",
                is_measured=statement.shows_cost,
                severity=severity,
                statement=statement.number,
            )


def _held(statement: StatementContext) -> tuple[int, str, str] | None:
    """Return the strongest lock that earlier statements still hold: who, on what, how.

    Of two equal ones the first.
    """
    found = [
        (other.number, table, mode)
        for other in statement.earlier
        if statement.shares_transaction(other)
        for table, mode in sorted(_blocked(other).items())
    ]
    return max(found, key=lambda item: item[2] == "AX", default=None)


def _blocked(statement: StatementContext) -> dict[str, Mode]:
    """Return the tables that a statement blocks until the commit, and how."""
    if statement.is_measured:
        return statement.locked()
    validate = enums.AlterTableType.AT_ValidateConstraint
    return {
        table: "AX"
        for table, command in statement.commands()
        if command.subtype != validate
    }


def _works(statement: StatementContext) -> bool:
    """Return whether it takes time for a reason that no other rule names."""
    if not statement.shows_cost:
        return any(statement.commands(enums.AlterTableType.AT_ValidateConstraint))
    if isinstance(statement.tree, _CHANGES):
        # many rows changed in an existing table are a backfill, which has a rule
        busy = max(statement.rows_scanned(), rows_changed(statement, new=True).total())
        return rows_changed(statement).total() < BATCH <= busy
    return (
        statement.rows_scanned() > 0 or _idles(statement)
    ) and not statement.locked()


def _idles(statement: StatementContext) -> bool:
    """Return whether time passes without work on rows: it sleeps, or waits."""
    facts = statement.facts
    works = facts.scanned or facts.rewritten or facts.inserted or facts.updated
    return not works and facts.timing.duration_s >= QUICK_S


def _told(statement: StatementContext) -> str:
    if not statement.shows_cost:
        return "work is done"
    read = statement.rows_scanned()
    written = rows_changed(statement, new=True).total()
    if not (read or written):
        return "a second and more passes without work on rows"
    return f"{read:,} rows are read" if read else f"{written:,} rows are written"


RULE = Rule(
    id="lock-held-during-work",
    number=19,
    title="work is done while a lock makes others wait",
    family="lock",
    severity="error",
    hazard=(
        "A lock is held until the commit. What takes time after it in the same "
        "transaction, such as VALIDATE CONSTRAINT, makes others wait, although it "
        "would block nobody by itself: everybody where the lock is ACCESS EXCLUSIVE, "
        "writers where it is SHARE or SHARE ROW EXCLUSIVE, as a new foreign key or "
        "trigger holds it."
    ),
    measured=(
        "Rows of existing tables read, 1,000 and more written, or a second and more "
        "spent without rows, as by pg_sleep(), by a statement while an earlier one of "
        "its transaction holds such a lock. Without a measurement: VALIDATE "
        "CONSTRAINT after another ALTER TABLE."
    ),
    remedy="Do the work in a revision of its own, which commits by itself.",
    revision=check,
)
