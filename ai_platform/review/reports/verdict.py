"""Judge a whole review and each of its revisions by what was found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from ai_platform.amounts import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ai_platform.review.facts import (
        Finding,
        Review,
        RevisionFacts,
        Severity,
        StatementFacts,
    )

__all__ = [
    "LEAK",
    "LOSS",
    "RISKS",
    "Risk",
    "Verdict",
    "exit_code",
    "exit_meaning",
    "has_no_way_back",
    "judge",
    "leaks",
    "open_findings",
    "risk_of",
    "unmeasured",
]

LEAK: Final = "downgrade-leak"
"""The rule whose acceptance excuses what a way down did not restore."""
LOSS: Final = "data-loss"
"""The rule whose acceptance excuses data that did not survive down and up."""

Risk = Literal["failed", "unmeasured", "error", "warning", "note", "ok"]
RISKS: Final[tuple[Risk, ...]] = (
    *("failed", "unmeasured", "error", "warning"),
    *("note", "ok"),
)
"""From the worst to the best."""

_FAIL: Final[dict[Severity, frozenset[Risk]]] = {
    "error": frozenset({"error"}),
    "warning": frozenset({"error", "warning"}),
    "note": frozenset({"error", "warning", "note"}),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a DBA reads first: *risk* of the worst revision, and what it rests on.

    *errors*, *warnings* and *notes* count findings nobody accepted, *accepted* the
    others; *failed* are the revisions that did not run, *leaking* those whose way down
    does not lead back, *unmeasured* counts statements.
    """

    risk: Risk
    revisions: int
    statements: int
    errors: int
    warnings: int
    notes: int
    accepted: int
    unmeasured: int
    failed: tuple[str, ...]
    leaking: tuple[str, ...]
    is_measured: bool

    @property
    def headline(self) -> str:
        """Return the verdict in one sentence."""
        if not self.revisions and self.risk == "ok":
            return "Nothing to review: no revision in the range"
        is_passed = self.risk in ("ok", "note")
        opening = _OPENING[self.risk] if self.is_measured or not is_passed else _READ
        return f"{opening}: {', '.join(self._reasons())}"

    @property
    def scope(self) -> str:
        """Return how much was looked at, and how."""
        seen = (
            f"{counted(self.revisions, 'revision')}, "
            f"{counted(self.statements, 'statement')}"
        )
        return seen if self.is_measured else f"{seen}, read only: nothing was measured"

    def _reasons(self) -> Iterator[str]:
        if self.failed:
            yield f"{counted(len(self.failed), 'revision')} failed to run"
        if self.unmeasured:
            yield f"{counted(self.unmeasured, 'statement')} not measured"
        if self.leaking:
            yield f"{counted(len(self.leaking), 'downgrade')} not leading back"
        counts = ((self.errors, "error"), (self.warnings, "warning"))
        found = [counted(number, noun) for number, noun in counts if number]
        if self.notes:
            found.append(counted(self.notes, "note"))
        yield from found
        if not (found or self.failed or self.unmeasured or self.leaking):
            yield "nothing found"
        if self.accepted:
            yield f"{self.accepted} accepted"


_OPENING: Final[dict[Risk, str]] = {
    "failed": "Do not run",
    "unmeasured": "Not known",
    "error": "Not safe as it is",
    "warning": "Run with care",
    "note": "Safe to run",
    "ok": "Safe to run",
}
_READ: Final = "Not measured"
"""Instead of the word that it is safe, where it was only read."""


def judge(review: Review) -> Verdict:
    """Return the verdict on *review*."""
    known = Counter(item.severity for item in open_findings(review.findings))
    revisions = review.revisions
    # a finding may belong to no revision, such as an acceptance that nothing needs
    risks: set[Risk] = {*known, *(risk_of(one, review) for one in revisions)}
    return Verdict(
        risk=min(risks, key=RISKS.index, default="ok"),
        revisions=len(revisions),
        statements=sum(len(one.up) for one in revisions),
        errors=known["error"],
        warnings=known["warning"],
        notes=known["note"],
        accepted=sum(item.accepted is not None for item in review.findings),
        unmeasured=sum(len(unmeasured(one, review)) for one in revisions),
        failed=tuple(one.revision for one in revisions if _failed(one)),
        leaking=tuple(one.revision for one in revisions if leaks(one, review)),
        is_measured=review.is_measured,
    )


def risk_of(revision: RevisionFacts, review: Review) -> Risk:
    """Return the risk of one *revision* of *review*; a leak is an error."""
    if _failed(revision):
        return "failed"
    if unmeasured(revision, review):
        return "unmeasured"
    found: set[Risk] = {
        item.severity
        for item in open_findings(review.findings)
        if item.revision == revision.revision
    }
    if leaks(revision, review):
        found.add("error")
    return min(found, key=RISKS.index, default="ok")


def exit_code(review: Review, fail_on: Severity = "error") -> int:
    """Return what the command ends with.

    4 for a revision that failed to run or whose way down does not lead back, 1 for
    findings of *fail_on* or worse and for what was not measured although it should
    have been, else 0.
    """
    verdict = judge(review)
    if verdict.failed or verdict.leaking:
        return 4
    worst = {item.severity for item in open_findings(review.findings)}
    if verdict.unmeasured or worst & _FAIL[fail_on]:
        return 1
    return 0


def exit_meaning(review: Review, fail_on: Severity = "error") -> str:
    """Return why the command ends with what `exit_code` says."""
    code = exit_code(review, fail_on)
    if code == 1 and judge(review).unmeasured:
        told = "something could not be measured"
    else:
        told = {
            0: f"nothing of severity {fail_on} or worse that nobody accepted",
            1: f"findings of severity {fail_on} or worse",
        }.get(code, "a revision failed, or its way down does not lead back")
    return f"exit code {code}: {told}"


def open_findings(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield those of *findings* that nobody accepted."""
    return (item for item in findings if item.accepted is None)


def unmeasured(revision: RevisionFacts, review: Review) -> tuple[StatementFacts, ...]:
    """Return the statements, up and down, that should have been measured."""
    if not review.is_measured:
        return ()
    every = (*revision.up, *revision.down)
    return tuple(item for item in every if not item.is_measured)


def leaks(revision: RevisionFacts, review: Review) -> bool:
    """Return whether the way down left something that nobody accepted."""
    excused = {
        item.rule
        for item in review.findings
        if item.revision == revision.revision and item.accepted is not None
    }
    return bool(
        (revision.left_behind and LEAK not in excused)
        or (revision.lost and LOSS not in excused)
    )


def has_no_way_back(revision: RevisionFacts) -> bool:
    """Return whether *revision* ran and has no way down that could be tried."""
    return (
        revision.is_reversible is False
        and not (revision.down or revision.left_behind or revision.lost)
        and not _failed(revision)
    )


def _failed(revision: RevisionFacts) -> bool:
    every = (*revision.up, *revision.down)
    return bool(revision.error or any(item.error for item in every))
