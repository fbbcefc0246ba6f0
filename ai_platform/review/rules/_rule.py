"""What a rule is: a hazard, how it is seen, and what to do instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from ai_platform.review.facts import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ai_platform.review.facts import Severity

    from ._context import RevisionContext, StatementContext

__all__ = ["DOCUMENT", "Family", "Hit", "Rule"]

DOCUMENT: Final = "docs/review-rules.md"
"""Where the rules are written down, one section each."""

Family = Literal["lock", "repeat", "code", "security", "design"]
"""What is at risk: waiting sessions, a second run, running code, rights, upkeep."""


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule saw: *object* is what to look at, *message* why.

    *severity* and *remedy* differ from the rule's own only where they are given;
    *statement* is filled in for rules that look at one statement at a time.
    """

    object: str
    message: str
    is_measured: bool = False
    severity: Severity | None = None
    remedy: str | None = None
    statement: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; *id* is its stable name, *number* its place in the list of hazards.

    *hazard* says what goes wrong, *measured* what is seen on the scratch server and
    what is read from the text instead, *remedy* what to do. Either *statement* or
    *revision* does the work.
    """

    id: str
    number: int
    title: str
    family: Family
    severity: Severity
    hazard: str
    measured: str
    remedy: str
    statement: Callable[[StatementContext], Iterator[Hit]] | None = None
    revision: Callable[[RevisionContext], Iterator[Hit]] | None = None
    is_residual: bool = False
    """It speaks only where no other rule of its family does."""

    @property
    def anchor(self) -> str:
        """Return where the rule is explained, from the head of the project."""
        return f"{DOCUMENT}#{self.id}"

    def check(self, context: RevisionContext) -> Iterator[Finding]:
        """Yield a finding for each place of the revision where the rule is broken."""
        if self.revision is not None:
            for hit in self.revision(context):
                yield self._finding(context, hit, hit.statement)
        if self.statement is not None:
            for statement in context.statements:
                for hit in self.statement(statement):
                    found = self._finding(context, hit, statement.number)
                    is_empty = self.family == "lock" and not hit.is_measured
                    yield replace(found, unseen=statement.unseen if is_empty else None)

    def _finding(
        self, context: RevisionContext, hit: Hit, statement: int | None
    ) -> Finding:
        return Finding(
            rule=self.id,
            severity=hit.severity or self.severity,
            revision=context.revision,
            statement=statement,
            object=hit.object,
            message=hit.message,
            remedy=hit.remedy or self.remedy,
            is_measured=hit.is_measured,
        )
