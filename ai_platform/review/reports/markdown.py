"""A review as the comment of a pull request: verdict and table open, details folded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_platform.amounts import counted

from ._describe import basis, facts, spent, troubles
from ._github import LONGEST_COMMENT, code, fenced, in_html, length, plain
from ._modes import legend, modes_of
from ._plans import plan_difference
from ._rights import rights_delta
from ._shapes import difference
from ._short import in_short
from ._summary import HEADINGS, Row, by_severity, findings_of, rows
from .verdict import Risk, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ai_platform.review.facts import (
        Finding,
        Review,
        RevisionFacts,
        StatementFacts,
    )

__all__ = ["MARKER", "to_markdown"]

MARKER: Final = "<!-- platform review -->"
"""The first line of the comment: by it a later run finds the comment to update."""

_SIGNS: Final[dict[Risk, str]] = {
    "failed": "🛑",
    "unmeasured": "❔",
    "error": "❌",
    "warning": "⚠️",
    "note": "💬",
    "ok": "✅",
}
_URGENT: Final = ("failed", "unmeasured", "error")
_ROOM_FOR_REMARK: Final = 600
_MOST_VALUES: Final = 12
_LONGEST_ANSWER: Final = 300


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece that is shown whole or left out, the lowest *rank* at last."""

    rank: int
    noun: str
    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class _Section:
    """Parts between two texts, which stand only where one of the parts does."""

    opening: str
    closing: str
    parts: tuple[_Part, ...]
    between: str = "\n"


def to_markdown(review: Review, *, limit: int = LONGEST_COMMENT) -> str:
    """Return *review* as a comment of at most *limit* characters, `MARKER` first.

    What does not fit is left out and counted at the end: first statements without
    findings, then accepted findings, statements with findings, revisions and findings
    that are a note at most, warnings, and what is worse at last.
    """
    head = _head(review)
    sections = tuple(_sections(review))
    room = limit - length(head) - _ROOM_FOR_REMARK
    kept = _fitting(sections, room)
    body = "".join(
        f"\n\n{section.opening}{section.between.join(texts)}{section.closing}"
        for number, section in enumerate(sections)
        if (texts := _texts(section, number, kept))
    )
    return f"{head}{body}{_remark(sections, kept, limit)}\n"


def _fitting(sections: Sequence[_Section], room: int) -> set[tuple[int, int]]:
    """Return section and place of the parts that *room* is enough for."""
    places = [
        (part.rank, number, place)
        for number, section in enumerate(sections)
        for place, part in enumerate(section.parts)
    ]
    kept: set[tuple[int, int]] = set()
    begun: set[int] = set()
    for _, number, place in sorted(places):
        section = sections[number]
        cost = length(section.parts[place].text + section.between)
        if number not in begun:
            cost += length(section.opening + section.closing) + 2
        if cost <= room:
            room -= cost
            kept.add((number, place))
            begun.add(number)
    return kept


def _texts(section: _Section, number: int, kept: set[tuple[int, int]]) -> list[str]:
    parts = enumerate(section.parts)
    return [part.text for place, part in parts if (number, place) in kept]


def _remark(
    sections: Sequence[_Section], kept: set[tuple[int, int]], limit: int
) -> str:
    left = Counter(
        (part.noun, part.kind)
        for number, section in enumerate(sections)
        for place, part in enumerate(section.parts)
        if (number, place) not in kept
    )
    if not left:
        return ""
    told = ", ".join(
        counted(number, noun) + kind for (noun, kind), number in sorted(left.items())
    )
    return (
        f"\n\n> Left out to fit {limit:,} characters: {told}. "
        "The page shows everything (`--out review.html`)."
    )


def _head(review: Review) -> str:
    verdict = judge(review)
    base = code(review.base) if review.base else "the empty database"
    how = f", measured on PostgreSQL {plain(review.server_version, at_most=80)}"
    rows_of = f" with up to {review.rows:,} rows in touched tables"
    short = "".join(
        f"\n- **{question}:** {plain(answer, at_most=_LONGEST_ANSWER)}"
        for question, answer in in_short(review)
    )
    short = f"\n{short}" if short else ""
    return (
        f"{MARKER}\n### {_SIGNS[verdict.risk]} {verdict.headline}\n\n"
        f"{base} to {code(review.head)}: {verdict.scope}"
        f"{how + rows_of if review.is_measured else ''}."
        f"{short}"
    )


def _sections(review: Review) -> Iterator[_Section]:
    yield _table(review)
    kinds = by_severity(review.findings)
    troubled = [
        _Part(0, "failure", f"- {_SIGNS['failed']} {code(one.revision)} {plain(line)}")
        for one in review.revisions
        for line in troubles(one, review)
    ]
    still = [item for item in kinds if item.accepted is None]
    found = [_finding(item) for item in still if item.severity != "note"]
    yield _Section("#### Findings\n\n", "", (*troubled, *found))
    notes = tuple(_finding(item) for item in still if item.severity == "note")
    yield _folded(counted(len(notes), "note"), notes)
    agreed = tuple(_finding(item) for item in kinds if item.accepted is not None)
    yield _folded(counted(len(agreed), "accepted finding"), agreed)
    for one in review.revisions:
        name = f"<code>{in_html(one.revision)}</code> {in_html(one.title)}"
        title = f"{name}: {counted(len(one.up), 'statement')}"
        parts = (*_changed(one), *_statements(one, review))
        yield _folded(title, parts, between="\n\n")
    modes = tuple(
        _Part(4, "lock mode", f"- **{mode}** {name}: {waiting}")
        for mode, name, waiting in legend(modes_of(review))
    )
    yield _folded("What the lock modes mean", modes)


def _changed(one: RevisionFacts) -> Iterator[_Part]:
    """Yield what limits the measurement, rights, tables and plans of *one*."""
    for noun, lines in (
        ("limit", tuple(dict.fromkeys(one.notes))),
        ("change of rights", rights_delta(one)),
    ):
        if lines:
            title = "Not all is known" if noun == "limit" else "Rights"
            yield _Part(3, noun, f"**{title}:** {_values(lines)}")
    for table in one.tables:
        yield _Part(3, "table", fenced(difference(table), language="diff"))
    for plan in one.plans:
        yield _Part(3, "plan", fenced(plan_difference(plan), language="diff"))


def _folded(summary: str, parts: tuple[_Part, ...], *, between: str = "\n") -> _Section:
    opening = f"<details><summary>{summary}</summary>\n\n"
    return _Section(opening, "\n\n</details>", parts, between)


def _table(review: Review) -> _Section:
    heads = " | ".join(HEADINGS.values())
    rule = "|".join("---" for _ in HEADINGS)
    return _Section(f"| {heads} |\n|{rule}|\n", "", tuple(map(_line, rows(review))))


def _line(row: Row) -> _Part:
    risk = f"{_SIGNS[row.risk]} {row.risk}"
    name = f"{code(row.revision)} {plain(row.title, at_most=80)}"
    lock = "-" if row.lock == "-" else code(row.lock)
    rewrite = "-" if row.rewrite == "-" else code(row.rewrite)
    rest = (row.scanned, row.hold, row.reversible, row.repeatable)
    cells = (name, risk, lock, rewrite, *map(plain, rest))
    return _Part(_rank(row.risk), "revision", f"| {' | '.join(cells)} |")


def _rank(risk: Risk) -> int:
    if risk in _URGENT:
        return 0
    return 1 if risk == "warning" else 2


def _finding(item: Finding) -> _Part:
    place = "" if item.statement is None else f", statement {item.statement}"
    told = basis(item)
    how = f" ({plain(told)})" if told else ""
    sign = f"- {_SIGNS[item.severity]} **{plain(item.rule, at_most=80)}**"
    lines = [
        f"{sign} {code(item.object)} in {code(item.revision)}{place}{how}",
        plain(item.message, at_most=1000),
        f"*Do:* {plain(item.remedy, at_most=1000)}",
    ]
    if item.accepted is not None:
        lines.append(f"*Accepted:* {plain(item.accepted)}")
    # one line: text after a line break could begin a list or a heading of its own
    text = "<br>".join(lines)
    if item.accepted is not None:
        return _Part(4, "finding", text, " accepted")
    return _Part(_rank(item.severity), item.severity, text)


def _statements(one: RevisionFacts, review: Review) -> Iterator[_Part]:
    for item in one.up:
        found = [
            finding
            for finding in findings_of(review, one.revision, item.number)
            if finding.accepted is None
        ]
        if found or item.error:
            yield _Part(3, "statement", _statement(item, found), " with findings")
        else:
            yield _Part(5, "statement", _statement(item, found), " without findings")


def _statement(item: StatementFacts, found: Iterable[Finding]) -> str:
    signs = "".join(f" {_SIGNS[one.severity]} {code(one.rule)}" for one in found)
    where = f", line {item.line}" if item.line else ""
    way = "" if item.in_transaction else ", commits by itself"
    lines = [
        f"**{item.number}. {plain(item.tag, at_most=60)}**{where}{way}{signs}\n",
        f"{fenced(item.sql)}\n",
        f"- {plain(spent(item))}",
        *(f"- {label}: {_values(values)}" for label, values in facts(item)),
    ]
    return "\n".join(lines)


def _values(values: Sequence[str]) -> str:
    shown = ", ".join(code(value, at_most=200) for value in values[:_MOST_VALUES])
    rest = len(values) - _MOST_VALUES
    return f"{shown} and {rest} more" if rest > 0 else shown
