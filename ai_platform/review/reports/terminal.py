"""A review as lines and cells; who prints them knows about colour and width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._describe import basis, troubles
from ._short import UNKNOWN, in_short
from ._summary import HEADINGS, by_severity, rows
from .verdict import Risk, judge, risk_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.review.facts import Finding, Review

__all__ = ["Block", "TerminalReport", "to_terminal"]


@dataclass(frozen=True, slots=True)
class Block:
    """A finding: *head* on one line, *lines* below it."""

    risk: Risk
    head: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TerminalReport:
    """What a terminal shows, in this order.

    *risk* colours *headline*; *short* is questions and answers; *rows* are cells by
    the keys of *headings*. Texts may hold anything: who prints them escapes control
    characters.
    """

    risk: Risk
    headline: str
    scope: str
    short: tuple[tuple[str, str], ...]
    headings: dict[str, str]
    rows: tuple[dict[str, str], ...]
    blocks: tuple[Block, ...]


def to_terminal(review: Review) -> TerminalReport:
    """Return *review* for a terminal: verdict, table of revisions, findings."""
    verdict = judge(review)
    return TerminalReport(
        risk=verdict.risk,
        headline=verdict.headline,
        scope=_scope(review, verdict.scope),
        # what is not known stands below in full
        short=tuple(pair for pair in in_short(review) if pair[0] != UNKNOWN),
        headings=dict(HEADINGS),
        rows=tuple(
            dict(zip(HEADINGS, row.cells(), strict=True)) for row in rows(review)
        ),
        blocks=(
            *_troubles(review),
            *map(_block, by_severity(review.findings)),
            *_limits(review),
        ),
    )


def _scope(review: Review, seen: str) -> str:
    """Return from where to where it goes, and on what it was measured."""
    if not review.revisions:
        return seen
    scope = f"{review.base or 'the empty database'} to {review.head}: {seen}"
    if not review.is_measured:
        return scope
    return (
        f"{scope}; measured on PostgreSQL {review.server_version}"
        f" with up to {review.rows:,} rows in touched tables"
    )


def _troubles(review: Review) -> Iterator[Block]:
    for one in review.revisions:
        lines = tuple(troubles(one, review))
        if lines:
            yield Block(risk_of(one, review), f"{one.revision} {one.title}", lines)


def _limits(review: Review) -> Iterator[Block]:
    """Yield what limits the measurement, such as a table that could get no rows."""
    for one in review.revisions:
        if one.notes:
            lines = tuple(dict.fromkeys(one.notes))
            yield Block(
                "note", f"not all is known of {one.revision} {one.title}", lines
            )


def _block(item: Finding) -> Block:
    place = "" if item.statement is None else f" statement {item.statement}"
    lines = [item.message, f"do: {item.remedy}"]
    if (told := basis(item)) is not None:
        lines.append(told)
    if item.accepted is not None:
        lines.append(f"accepted: {item.accepted}")
    return Block(
        risk="ok" if item.accepted is not None else item.severity,
        head=f"{item.severity}  {item.rule}  {item.object}  ({item.revision}{place})",
        lines=tuple(lines),
    )
