"""Facts of statements made by hand, and what the rules say to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ai_platform.review.facts import (
    Finding,
    Lock,
    Review,
    RevisionFacts,
    Scan,
    StatementFacts,
)
from ai_platform.review.rules import Evidence
from ai_platform.review.rules.engine import judge
from ai_platform.review.statements import split

__all__ = ["INDEX", "judged", "locking", "names", "revision", "statement", "unmeasured"]

INDEX = "CREATE INDEX ON public.people (age)"


def statement(sql: str, number: int = 1, **facts: Any) -> StatementFacts:
    """Return the facts of *sql*: measured, with a limit, and nothing seen."""
    found = StatementFacts(
        number=number,
        sql=sql,
        tag=split(sql)[0].tag,
        in_transaction=True,
        lock_timeout_ms=4000,
    )
    return replace(found, **facts)


def locking(sql: str, mode: str = "AX", rows: int = 0, **facts: Any) -> StatementFacts:
    """Return the facts of *sql*, which locked public.people and read *rows* of it."""
    scans = (Scan("public.people", rows),) if rows else ()
    locks = (Lock("public.people", "table", mode),)  # type: ignore[arg-type]
    return statement(sql, **{"locks": locks, "scanned": scans, **facts})


def unmeasured(sql: str, number: int = 1) -> StatementFacts:
    """Return the facts of *sql* where nothing was measured."""
    return statement(sql, number, is_measured=False, lock_timeout_ms=0)


def revision(*up: StatementFacts, name: str = "r1", **facts: Any) -> RevisionFacts:
    """Return a revision of the statements *up*, numbered as they come."""
    numbered = tuple(replace(item, number=n) for n, item in enumerate(up, start=1))
    found = RevisionFacts(name, None, "A revision", "r1.py", numbered)
    return replace(found, **facts)


def judged(
    *up: StatementFacts, rows: int = 1000, evidence: Evidence | None = None
) -> tuple[Finding, ...]:
    """Return the findings of one revision of the statements *up*."""
    review = Review("base", "r1", "18", rows, (revision(*up),))
    return judge(review, {"r1": evidence or Evidence()})


def names(findings: tuple[Finding, ...]) -> list[str]:
    """Return the rules of *findings*."""
    return [item.rule for item in findings]
