"""Revisions that fail on rows that were made up, where production's may be fine."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pglast
from pglast import ast, stream
from pglast.enums import AlterTableType, ConstrType

from ._online import PYTHON
from .facts import Finding, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._promises import Promise
    from .facts import Review, RevisionFacts, StatementFacts

__all__ = [
    "RULE",
    "back_on_tame_rows",
    "findings",
    "is_of_references",
    "is_of_rows",
    "is_of_rows_below",
    "with_fitting_rows",
    "with_lone_rows",
    "with_tame_rows",
    "without_rows",
]

RULE: Final = "fails-on-rows"
"""The rule whose acceptance says that production holds no such rows."""
_MOST: Final = 3
# time, and what other sessions do, are no fault of what the rows hold
_NOT_OF_ROWS: Final = (
    "cancelled: ",
    "canceling statement due to",
    "terminating connection due to",
    "deadlock detected",
    "did not run within",
    "interpreter ended",
)
_EMPTY: Final = (
    "measured without rows in its tables, on which it fails: what its statements cost, "
    "and how long their locks are held, is not known"
)
_TAME: Final = (
    "measured on rows without values at the edges of their types, on which it fails"
)
_TAME_BELOW: Final = (
    "measured on rows without values at the edges of their types, on which its way "
    "down fails"
)
_REFERENCE: Final = re.compile(r"update or delete on table .* foreign key constraint")
_LONE: Final = (
    "measured on rows to which no row of another table refers, for it fails on others"
)
_LET_GO: Final = (
    "look in production whether rows refer to those that it deletes, or whose keys it "
    "changes; delete these or let them refer to others first, in a revision before this"
)
_FITTING: Final = "measured on rows made to satisfy what it demands of them: {held}"
_ASK: Final = (
    "look in production, with a SELECT of the same condition or conversion, whether "
    "such rows are there; clean them in a revision before this one, or convert them "
    "here (USING, UPDATE)"
)
_VALID: Final = (
    "SELECT count(*) FROM {table} WHERE NOT "
    "pg_input_is_valid({column}::text, '{type}') tells it in production "
    "(PostgreSQL 16 or newer); clean such rows in a revision before this one, or let "
    "USING convert them"
)
_REQUIRED: Final = (
    "it fails wherever there is a row: give the column a DEFAULT, or add it without "
    "NOT NULL, fill it, and demand it then"
)


def is_of_rows(facts: RevisionFacts) -> bool:
    """Return whether *facts* are of a way up that may have failed for its rows."""
    error = facts.error or ""
    failed = any(not item.is_measured for item in facts.up) or "COMMIT: " in error
    return bool(error) and failed and not any(told in error for told in _NOT_OF_ROWS)


def is_of_rows_below(facts: RevisionFacts) -> bool:
    """Return whether *facts* are of a way down that may have failed for its rows."""
    error = next((item.error for item in facts.down if item.error), None)
    return (
        facts.error is None
        and error is not None
        and not any(told in error for told in _NOT_OF_ROWS)
    )


def is_of_references(facts: RevisionFacts) -> bool:
    """Return whether rows failed to go, or to change, because others refer to them."""
    error = next((item.error for item in facts.up if item.error), None)
    return _REFERENCE.search(error or facts.error or "") is not None


def with_fitting_rows(
    facts: RevisionFacts, failed: RevisionFacts, wanted: Sequence[Promise]
) -> RevisionFacts:
    """Return *facts*, of rows that hold what is *wanted*, with why others *failed*."""
    ask = "; ".join(one.query for one in wanted[:_MOST])
    told = tuple(f"{one.table}: {one.told}" for one in wanted)
    refusal = replace(
        _refusal(facts, failed),
        # which of them it failed for is not told: a conversion is the worse
        held=told if all(one.is_declared for one in wanted) else (),
        remedy=f"ask production first, which must find none: {ask}",
    )
    return _told(facts, refusal, _FITTING.format(held="; ".join(told)))


def with_lone_rows(facts: RevisionFacts, failed: RevisionFacts) -> RevisionFacts:
    """Return *facts*, of rows that nothing refers to, with why others *failed*."""
    refusal = replace(_refusal(facts, failed), remedy=_LET_GO)
    return _told(facts, refusal, _LONE)


def with_tame_rows(facts: RevisionFacts, failed: RevisionFacts) -> RevisionFacts:
    """Return *facts*, of rows without extreme values, with why others *failed*."""
    return _told(facts, _refusal(facts, failed), _TAME)


def back_on_tame_rows(facts: RevisionFacts, failed: RevisionFacts) -> RevisionFacts:
    """Return *facts*, of rows without extreme values, with why others did not go down.

    The way down of *failed* ran on those that stood there before the way up.
    """
    error = next((item.error for item in failed.down if item.error), "")
    refusal = Refusal(None, failed.file, f"its way down: {error}", _ASK)
    return _told(facts, refusal, _TAME_BELOW)


def without_rows(facts: RevisionFacts, failed: RevisionFacts) -> RevisionFacts:
    """Return *facts*, measured without rows, with why it *failed* on some."""
    refusal = replace(_refusal(facts, failed), is_empty=True)
    # a plan for an empty table says nothing of another
    return _told(replace(facts, plans=()), refusal, _EMPTY)


def _told(facts: RevisionFacts, refusal: Refusal, note: str) -> RevisionFacts:
    return replace(facts, refusal=refusal, notes=(note, *facts.notes))


def _refusal(facts: RevisionFacts, failed: RevisionFacts) -> Refusal:
    """Return which statement of *failed* ended it, and what to do."""
    first = next((item for item in failed.up if not item.is_measured), None)
    if first is None or first.tag == PYTHON:
        return Refusal(None, failed.file, failed.error or "", _ASK)
    locked = {lock.relation for item in facts.up for lock in item.locks}
    table, remedy = _advice(first, sorted(locked))
    return Refusal(first.number, table or failed.file, failed.error or "", remedy)


def _advice(statement: StatementFacts, known: Sequence[str]) -> tuple[str | None, str]:
    """Return the table that *statement* is about, and how to learn of its rows.

    It is one of those *known*, where its schema is not written.
    """
    tree = pglast.parse_sql(statement.sql)[0].stmt
    relation = getattr(tree, "relation", None)
    if not isinstance(relation, ast.RangeVar):
        return None, _ASK
    table = stream.RawStream()(relation).removeprefix("ONLY ")
    table = next((one for one in known if one.endswith(f".{table}")), table)
    for command in getattr(tree, "cmds", None) or ():
        column = command.def_
        if command.subtype == AlterTableType.AT_AlterColumnType:
            kind = stream.RawStream()(column.typeName).replace("'", "''")
            name = stream.maybe_double_quote_name(command.name)
            return table, _VALID.format(table=table, column=name, type=kind)
        if command.subtype == AlterTableType.AT_AddColumn and _is_required(column):
            return table, _REQUIRED
    return table, _ASK


def _is_required(column: ast.ColumnDef) -> bool:
    kinds = {one.contype for one in column.constraints or ()}
    return ConstrType.CONSTR_NOTNULL in kinds and ConstrType.CONSTR_DEFAULT not in kinds


def findings(review: Review) -> Iterator[Finding]:
    """Yield what each revision that failed on some rows may meet in production.

    A note where it was measured on rows that hold the constraints that it adds, else
    an error.
    """
    for one in review.revisions:
        refusal = one.refusal
        if refusal is None:
            continue
        yield Finding(
            rule=RULE,
            severity="note" if refusal.held else "error",
            revision=one.revision,
            statement=refusal.statement,
            object=refusal.object,
            message=f"fails on rows that were made up: {refusal.error}; it fails in "
            "production if that holds such rows, which cannot be known here",
            remedy=refusal.remedy,
            is_measured=True,
        )
