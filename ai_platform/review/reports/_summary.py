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
        Mode,
        Review,
        RevisionFacts,
        Rewrite,
        StatementFacts,
    )

__all__ = [
    "HEADINGS",
    "Hold",
    "Row",
    "Wait",
    "by_severity",
    "findings_of",
    "has_rows",
    "is_strong",
    "rows",
    "touched",
    "waits",
]

HEADINGS: Final = {
    "revision": "Revision",
    "risk": "Risk",
    "lock": "Strongest lock",
    "rewrite": "Rewrite",
    "scanned": "Rows scanned",
    "hold": "Held for",
    "reversible": "Reversible",
    "repeatable": "Repeatable",
}
"""The columns of the table of revisions, in order."""


@dataclass(frozen=True, slots=True)
class Hold:
    """How long a lock is held; *production_s* is None without its statistics."""

    here_s: float
    production_s: float | None

    @property
    def longest_s(self) -> float:
        """Return the seconds in production where they are estimated, else here."""
        return self.here_s if self.production_s is None else self.production_s

    @property
    def told(self) -> str:
        """Return what was measured, and what is estimated where that is known."""
        here = f"{in_seconds(self.here_s)} here"
        if self.production_s is None:
            return here
        return f"{here}, ~{in_seconds(self.production_s)} in production"


@dataclass(frozen=True, slots=True)
class Wait:
    """Who waits for *relation* at some moment, and how long at most."""

    relation: str
    reads: bool
    writes: bool
    ddl: bool
    hold: Hold


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one revision, each as text a person reads; `-` is none.

    *hold* is how long its strong locks are held, measured on the scratch server and,
    with statistics of production, estimated for its sizes.
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


def touched(statements: Iterable[StatementFacts]) -> set[str]:
    """Return the relations that *statements* read in full or write anew."""
    steps = list(statements)
    written = {item.relation for one in steps for item in one.rewritten}
    return written | {item.relation for one in steps for item in one.scanned}


def waits(statements: Sequence[StatementFacts]) -> tuple[Wait, ...]:
    """Return who waits for each relation, and for how long at most, by its name."""
    found: dict[str, Wait] = {}
    for step in _transactions(statements):
        seen = (item for one in step for item in _blocked(one) if item.letters)
        names = dict.fromkeys(item.relation for item in seen)
        for name in names:
            new = _wait(name, step)
            found[name] = _joined(found.get(name, new), new)
    return tuple(found[name] for name in sorted(found))


def _joined(one: Wait, other: Wait) -> Wait:
    return Wait(
        one.relation,
        reads=one.reads or other.reads,
        writes=one.writes or other.writes,
        ddl=one.ddl or other.ddl,
        hold=max(one.hold, other.hold, key=lambda hold: hold.longest_s),
    )


def _blocked(one: StatementFacts) -> tuple[Blocked, ...]:
    """Return who waits for *one*: as probed, or by what it locked while it worked.

    A step outside any transaction is over before anybody could be probed.
    """
    if one.in_transaction or one.blocked:
        return one.blocked
    worked_on = touched([one])
    found: dict[str, set[Mode]] = {}
    for lock in one.locks:
        if is_strong(lock) and lock.relation in worked_on:
            found.setdefault(lock.relation, set()).add(lock.mode)
    return tuple(
        Blocked(relation, reads="AX" in modes, writes=True, ddl=True)
        for relation, modes in sorted(found.items())
    )


def _wait(relation: str, step: Sequence[StatementFacts]) -> Wait:
    """Return who waits for *relation* from where it is locked to the commit."""
    seen = [
        next((item for item in _blocked(one) if item.relation == relation), None)
        for one in step
    ]
    known = [item for item in seen if item is not None]
    first = next(place for place, item in enumerate(seen) if item and item.letters)
    return Wait(
        relation,
        reads=any(item.reads for item in known),
        writes=any(item.writes for item in known),
        ddl=any(item.ddl for item in known),
        hold=_held(step[first:]),
    )


def _row(revision: RevisionFacts, review: Review) -> Row:
    up = revision.up
    return Row(
        revision=revision.revision,
        title=revision.title,
        risk=risk_of(revision, review),
        lock=_strongest(up),
        rewrite=_rewrite([item for one in up for item in one.rewritten]),
        scanned=_some(sum(item.rows for one in up for item in one.scanned)),
        hold=_hold(up) if has_rows(revision) else "not known",
        reversible=_reversible(revision),
        repeatable=_known(revision.is_repeatable),
    )


def _reversible(revision: RevisionFacts) -> str:
    """Return whether *revision* can be taken back, and its data with it."""
    if revision.is_reversible and revision.lost:
        return "not its data"
    return _known(revision.is_reversible)


def has_rows(revision: RevisionFacts) -> bool:
    """Return whether *revision* was measured as it was meant to be, with rows."""
    return revision.refusal is None or not revision.refusal.is_empty


def _strongest(statements: Sequence[StatementFacts]) -> str:
    locks = [lock for item in statements for lock in item.locks if lock.is_new]
    if not locks:
        return "-"
    rewritten = {item.relation for one in statements for item in one.rewritten}
    worked_on = touched(statements)
    # of equally strong ones the table that is worked on says more
    worst = max(
        locks,
        key=lambda lock: (
            strength(lock),
            lock.kind != "index",
            lock.relation in rewritten,
            lock.relation in worked_on,
        ),
    )
    same = {
        lock.relation
        for lock in locks
        if lock.mode == worst.mode and (lock.kind == "index") == (worst.kind == "index")
    }
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
    hold = max(_holds(statements), key=lambda one: one.longest_s, default=None)
    return "-" if hold is None else hold.told


def _holds(statements: Sequence[StatementFacts]) -> Iterator[Hold]:
    """Yield per transaction what runs from its first strong lock to its end."""
    for step in _transactions(statements):
        taken = [any(map(is_strong, item.locks)) for item in step]
        if any(taken):
            yield _held(step[taken.index(True) :])


def _transactions(
    statements: Iterable[StatementFacts],
) -> Iterator[Sequence[StatementFacts]]:
    """Yield what commits together."""
    for together, group in groupby(statements, key=lambda item: item.in_transaction):
        members = list(group)
        yield from [members] if together else [[item] for item in members]


def _held(statements: Sequence[StatementFacts]) -> Hold:
    timings = [item.timing for item in statements]
    ends = (item.start_s + max(item.duration_s, item.held_s) for item in timings)
    # the commit itself takes time, too
    here_s = max(
        sum(item.duration_s for item in timings), max(ends) - timings[0].start_s
    )
    if all(item.estimated_s is None for item in timings):
        return Hold(here_s, None)
    production_s = sum(
        item.duration_s if item.estimated_s is None else item.estimated_s
        for item in timings
    )
    return Hold(here_s, production_s)


def _some(number: int) -> str:
    return f"{number:,}" if number else "-"


def _known(value: bool | None) -> str:  # noqa: FBT001 - private
    return {True: "yes", False: "NO", None: "not tried"}[value]
