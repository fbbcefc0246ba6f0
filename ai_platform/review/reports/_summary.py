"""One line per revision: the figures that every report shows first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from ai_platform.amounts import in_bytes, in_seconds
from ai_platform.review.facts import STRONG, Blocked, Lock, strength

from .verdict import RISKS, Risk, risk_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ai_platform.review.facts import (
        Finding,
        Review,
        RevisionFacts,
        Rewrite,
        StatementFacts,
    )

__all__ = [
    "HEADINGS",
    "Row",
    "blocked_by",
    "by_severity",
    "findings_of",
    "is_strong",
    "rows",
]

HEADINGS: Final = {
    "revision": "Revision",
    "risk": "Risk",
    "lock": "Strongest lock",
    "rewrite": "Rewrite",
    "scanned": "Rows scanned",
    "hold": "Estimated hold",
    "reversible": "Reversible",
    "repeatable": "Repeatable",
}
"""The columns of the table of revisions, in order."""


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one revision, each as text a person reads; `-` is none.

    *hold* is how long its strong locks are held on production's sizes, or, without
    statistics of production, as measured on the scratch server.
    """

    revision: str
    title: str
    risk: Risk
    lock: str
    rewrite: str
    scanned: str
    hold: str
    reversible: str
    repeatable: str

    def cells(self) -> tuple[str, ...]:
        """Return the texts in the order of `HEADINGS`."""
        return tuple(getattr(self, key) for key in HEADINGS)


def rows(review: Review) -> tuple[Row, ...]:
    """Return a line per revision of *review*, in the order they run."""
    return tuple(_row(one, review) for one in review.revisions)


def findings_of(
    review: Review, revision: str, statement: int | None = None
) -> tuple[Finding, ...]:
    """Return what was found in a statement, or with None about the whole revision."""
    found = (item for item in review.findings if item.revision == revision)
    return tuple(by_severity(item for item in found if item.statement == statement))


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Return *findings*, the worst first and what was accepted last."""
    return sorted(
        findings,
        key=lambda item: (item.accepted is not None, RISKS.index(item.severity)),
    )


def is_strong(lock: Lock) -> bool:
    """Return whether ordinary writes wait for *lock*."""
    return lock.mode in STRONG


def blocked_by(statements: Iterable[StatementFacts]) -> tuple[Blocked, ...]:
    """Return who waited for each relation at any moment of *statements*."""
    found: dict[str, Blocked] = {}
    for statement in statements:
        for item in statement.blocked:
            old = found.get(item.relation, Blocked(item.relation, False, False, False))  # noqa: FBT003 - R, W, D
            found[item.relation] = Blocked(
                item.relation,
                old.reads or item.reads,
                old.writes or item.writes,
                old.ddl or item.ddl,
            )
    return tuple(item for _, item in sorted(found.items()) if item.letters)


def _row(revision: RevisionFacts, review: Review) -> Row:
    up = revision.up
    return Row(
        revision=revision.revision,
        title=revision.title,
        risk=risk_of(revision, review),
        lock=_strongest(up),
        rewrite=_rewrite([item for one in up for item in one.rewritten]),
        scanned=_some(sum(item.rows for one in up for item in one.scanned)),
        hold=_hold(up),
        reversible=_known(revision.is_reversible),
        repeatable=_known(revision.is_repeatable),
    )


def _strongest(statements: Sequence[StatementFacts]) -> str:
    taken = [item.strongest for item in statements]
    locks = [lock for lock in taken if lock is not None]
    if not locks:
        return "-"
    worst = max(locks, key=strength)
    same = {lock.relation for lock in locks if lock.mode == worst.mode}
    more = f" +{len(same) - 1}" if len(same) > 1 else ""
    return f"{worst.mode} {worst.relation}{more}"


def _rewrite(found: Sequence[Rewrite]) -> str:
    if not found:
        return "-"
    names = sorted({item.relation for item in found})
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return f"{names[0]}{more} ({in_bytes(sum(item.size for item in found))})"


def _hold(statements: Sequence[StatementFacts]) -> str:
    """Return the longest hold of a strong lock by any transaction."""
    estimated = any(item.timing.estimated_s is not None for item in statements)
    holds = list(_holds(statements))
    if not holds:
        return "-"
    return f"{'~' if estimated else 'measured '}{in_seconds(max(holds))}"


def _holds(statements: Sequence[StatementFacts]) -> Iterator[float]:
    """Yield per transaction the seconds from its first strong lock to its end."""
    for together, group in groupby(statements, key=lambda item: item.in_transaction):
        members = list(group)
        steps = [members] if together else [[item] for item in members]
        for step in steps:
            first = next(
                (
                    number
                    for number, item in enumerate(step)
                    if any(map(is_strong, item.locks))
                ),
                None,
            )
            if first is not None:
                yield sum(map(_duration, step[first:]))


def _duration(statement: StatementFacts) -> float:
    timing = statement.timing
    return timing.duration_s if timing.estimated_s is None else timing.estimated_s


def _some(number: int) -> str:
    return f"{number:,}" if number else "-"


def _known(value: bool | None) -> str:  # noqa: FBT001 - private
    return {True: "yes", False: "NO", None: "not tried"}[value]
