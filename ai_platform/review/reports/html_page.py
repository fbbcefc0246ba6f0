"""A review as one HTML page that needs nothing else: no network and no script."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from ai_platform.amounts import counted, in_seconds
from ai_platform.page import page, text_of

from ._describe import WAITING, basis, facts, in_words, spent, troubles
from ._instead import instead
from ._modes import legend, modes_of
from ._plans import plans
from ._rights import is_of_rights, rights_delta
from ._shapes import shapes
from ._short import in_short
from ._sql_html import highlighted
from ._style import TONES, style_of
from ._summary import (
    HEADINGS,
    by_severity,
    findings_of,
    is_strong,
    rows,
    waits,
)
from ._timeline import timeline
from .verdict import judge, risk_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ai_platform.review.facts import (
        Finding,
        Review,
        RevisionFacts,
        StatementFacts,
    )

    from .verdict import Risk

__all__ = ["to_html"]

_LETTERS: Final = tuple(WAITING)
_MANY: Final = 3
_WHO: Final = "Who waits while it runs"
_OPEN: Final = ' open=""'
_CALM: Final = frozenset({"ok", "note"})
_LONGEST_LIST: Final = 8
_LONGEST_FACT: Final = 24
_LONGEST_GIST: Final = 72
_MOST_VALUES: Final = 200


def to_html(review: Review) -> str:
    """Return *review* as a page, well-formed as XML too; any text may be hostile."""
    verdict = judge(review)
    base = review.base or "the empty database"
    how = (
        f"measured on PostgreSQL {review.server_version} with up to "
        f"{review.rows:,} rows in "
        "touched tables"
        if review.is_measured
        else "read only, not measured"
    )
    return page(
        verdict.headline,
        _cards(review),
        subtitle=f"{base} → {review.head}, {how}",
        figures={
            "Revisions": f"{verdict.revisions:,}",
            "Statements": f"{verdict.statements:,}",
            "Errors": f"{verdict.errors:,}",
            "Warnings": f"{verdict.warnings:,}",
            "Notes": f"{verdict.notes:,}",
            "Accepted": f"{verdict.accepted:,}",
        },
        footer="Locks, waits, rewrites and scans as the scratch server showed them; "
        "estimates follow its rates on the sizes of production.",
        style=style_of(verdict.risk),
    )


def _cards(review: Review) -> Iterator[str]:
    if short := in_short(review):
        answers = "".join(_fact(question, [answer]) for question, answer in short)
        yield _card("In short", f'<dl class="facts short">{answers}</dl>')
    if review.revisions:
        yield _table(review)
    if review.findings:
        yield _card("Findings", _findings(review))
    for number, one in enumerate(review.revisions):
        yield _revision(one, number, review)


def _findings(review: Review) -> str:
    """Return what must be read openly, and notes and what was accepted folded."""
    places = {one.revision: n for n, one in enumerate(review.revisions)}
    groups: dict[str, list[str]] = {"": [], "note": [], "accepted finding": []}
    for item in by_severity(review.findings):
        kind = "note" if item.severity == "note" else ""
        if item.accepted is not None:
            kind = "accepted finding"
        groups[kind].append(_finding(item, places.get(item.revision)))
    return "".join(
        _folded(counted(len(items), kind), body) if kind else body
        for kind, items in groups.items()
        if (body := f'<ol class="findings">{"".join(items)}</ol>') and items
    )


def _folded(summary: str, body: str) -> str:
    return f'<details class="more"><summary>{summary}</summary>{body}</details>'


def _quiet(risk: Risk) -> str:
    return ' class="quiet-one"' if risk in _CALM else ""


def _card(title: str, body: str, *, anchor: str = "", risk: Risk = "error") -> str:
    """Return a section; *title* and *body* are HTML."""
    mark = f' id="{anchor}"' if anchor else ""
    calm = " quiet-one" if risk in _CALM else ""
    return f'<section class="card{calm}"{mark}><h2>{title}</h2>{body}</section>'


def _table(review: Review) -> str:
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADINGS.values())
    body = []
    for number, row in enumerate(rows(review)):
        first = (
            f'<td><a href="#r{number}"><code>{text_of(row.revision)}</code></a> '
            f"{text_of(row.title)}</td>"
        )
        risk = f'<td data-head="Risk">{_tag(row.risk, TONES[row.risk])}</td>'
        rest = zip(list(HEADINGS.values())[2:], row.cells()[2:], strict=True)
        cells = "".join(
            f'<td data-head="{head}"><span>{text_of(cell)}</span></td>'
            for head, cell in rest
        )
        body.append(f"<tr{_quiet(row.risk)}>{first}{risk}{cells}</tr>")
    return _card(
        "Revisions",
        f'{_filter(review)}<table class="wide"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table>{_modes(review)}",
        anchor="revisions",
    )


def _filter(review: Review) -> str:
    """Return a box that hides what is fine; the style obeys it, without a script."""
    if len(review.revisions) <= _MANY:
        return ""
    return (
        '<p class="soft"><label><input type="checkbox" id="only"/> '
        "only revisions that need a look</label></p>"
    )


def _modes(review: Review) -> str:
    lines = "".join(
        _fact(mode, [f"{name}: {waiting}"])
        for mode, name, waiting in legend(modes_of(review))
    )
    body = f'<dl class="facts modes">{lines}</dl>'
    return _folded("What the lock modes mean", body) if lines else ""


def _tag(text: str, tone: str = "") -> str:
    return f'<span class="tag {tone}">{text_of(text)}</span>'


def _finding(item: Finding, revision: int | None) -> str:
    accepted = item.accepted is not None
    tone = "quiet" if accepted else TONES[item.severity]
    told = basis(item)
    how = f" ({told})" if told else ""
    head = f"{_tag(item.severity, '' if accepted else tone)} "
    head += f"<b>{text_of(item.rule)}</b> <code>{text_of(item.object)}</code> "
    head += f'<span class="soft">in {_place(item, revision)}{text_of(how)}</span>'
    lines = [
        head,
        f"<p>{text_of(item.message)}</p>",
        f'<p><span class="soft">Do:</span> {text_of(item.remedy)}</p>',
    ]
    if not accepted and (good := instead(item.rule)):
        lines.append(_folded("For example, on other tables", highlighted(good)))
    if accepted:
        reason = f'<span class="soft">Accepted:</span> {text_of(item.accepted)}'
        lines.append(f"<p>{reason}</p>")
    return f'<li class="is-{tone}">{"".join(lines)}</li>'


def _place(item: Finding, revision: int | None) -> str:
    name = text_of(item.revision)
    if item.statement is not None:
        name += f", statement {item.statement}"
    if revision is None:
        return name
    part = "" if item.statement is None else f"-{item.statement}"
    return f'<a href="#r{revision}{part}">{name}</a>'


def _revision(one: RevisionFacts, number: int, review: Review) -> str:
    risk = risk_of(one, review)
    title = (
        f"<code>{text_of(one.revision)}</code> {text_of(one.title)}"
        f"{_tag(risk, TONES[risk])}"
    )
    after = one.down_revision or "nothing"
    others = (in_words(change) for change in one.changes if not is_of_rights(change))
    parts = [
        f'<p class="soft">{text_of(one.file)}, after {text_of(after)}</p>',
        f'<p class="soft">{text_of(line)}</p>' if (line := _filled(one)) else "",
        _list("What went wrong", troubles(one, review), tone="is-bad"),
        _list("What limits the measurement", one.notes, tone="is-warn"),
        _section("Strong locks over time", timeline(one.up)),
        _section(_WHO, _matrix(one.up)),
        _section("Touched tables", shapes(one.tables)),
        _section("Plans of the application's statements", plans(one.plans)),
        _list("Rights and row security", rights_delta(one)),
        _list("Other changes of the catalog", others),
        _section("Statements", _statements(one, f"r{number}", review)),
        _section("Way down", _way_down(one, review)),
    ]
    body = "".join(parts)
    if len(review.revisions) > _MANY:
        body += '<p class="soft"><a href="#revisions">All revisions</a></p>'
        if risk in _CALM:
            body = _folded(f"{counted(len(one.up), 'statement')}, locks, tables", body)
    return _card(title, body, anchor=f"r{number}", risk=risk)


def _filled(one: RevisionFacts) -> str:
    """Return how many rows were in the tables while it was measured."""
    told = [f"{item.relation} {item.rows:,}" for item in one.filled]
    return f"Rows while it was measured: {', '.join(told)}" if told else ""


def _way_down(one: RevisionFacts, review: Review) -> str:
    known = {True: "leads back", False: "does not lead back", None: "was not tried"}
    told = f'<p class="soft">It {known[one.is_reversible]}.</p>'
    steps = _steps(one.down, lambda item: _statement(item, ()))
    return told + steps if review.is_measured or steps else ""


def _section(title: str, body: str) -> str:
    return f"<h3>{title}</h3>{body}" if body else ""


def _list(title: str, lines: Iterable[str], *, tone: str = "soft") -> str:
    items = [f'<li class="{tone}">{text_of(line)}</li>' for line in lines]
    shown = "".join(items[:_LONGEST_LIST])
    body = f'<ul class="findings">{shown}</ul>' if items else ""
    if rest := items[_LONGEST_LIST:]:
        body += _folded(
            f"{len(rest):,} more", f'<ul class="findings">{"".join(rest)}</ul>'
        )
    return _section(title, body)


def _matrix(statements: Sequence[StatementFacts]) -> str:
    found = waits(statements)
    if not found:
        return ""
    names = ("table", *(WAITING[letter] for letter in _LETTERS), "for how long")
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    body = "".join(
        f"<tr><td><code>{text_of(item.relation)}</code></td>"
        + _waits(item.reads)
        + _waits(item.writes)
        + _waits(item.ddl, tone="warn")
        + f"<td>{text_of(item.hold.told)}</td></tr>"
        for item in found
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{_WHO}">'
        f'<table class="matrix"><thead><tr>{heads}'
        f"</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _waits(waits: bool, *, tone: str = "bad") -> str:  # noqa: FBT001 - private
    word = "waits" if waits else "free"
    return f'<td class="{tone if waits else word}">{word}</td>'


def _statements(one: RevisionFacts, anchor: str, review: Review) -> str:
    return _steps(
        one.up,
        lambda item: _statement(
            item,
            findings_of(review, one.revision, item.number),
            anchor=f' id="{anchor}-{item.number}"',
        ),
    )


def _steps(
    statements: Sequence[StatementFacts], shown: Callable[[StatementFacts], str]
) -> str:
    """Return *statements* as they run, with the edges of their transactions."""
    parts: list[str] = []
    for together, group in groupby(statements, key=lambda item: item.in_transaction):
        body = "".join(map(shown, group))
        edges = ("BEGIN", "COMMIT") if together else ("outside any transaction", "")
        first, last = (f'<p class="edge">{edge}</p>' if edge else "" for edge in edges)
        parts.append(f"{first}{body}{last}")
    return "".join(parts)


def _statement(
    item: StatementFacts, found: Sequence[Finding], *, anchor: str = ""
) -> str:
    """Return a statement folded, but open where somebody has to look."""
    open_ones = [one for one in found if one.accepted is None]
    hot = item.error or any(one.severity != "note" for one in open_ones)
    marks = "".join(_marks(item, found))
    where = f", line {item.line}" if item.line else ""
    way = "" if item.in_transaction else ", commits by itself"
    limits = (
        f"waits {_limit(item.lock_timeout_ms)} for a lock, "
        f"runs {_limit(item.statement_timeout_ms)}"
    )
    groups = (
        *((one.rule, [one.message, f"Do: {one.remedy}"]) for one in open_ones),
        ("Cost", [spent(item)]),
        *facts(item),
        *((("Limits", [limits]),) if item.is_measured else ()),
    )
    lines = "".join(_fact(label, values) for label, values in groups)
    return (
        f'<details class="statement"{anchor}{_OPEN if hot else ""}><summary>'
        f"<b>{item.number}. {text_of(item.tag)}</b>{_gist(item)}{marks}"
        f'<span class="soft">{where.removeprefix(", ")}{way}</span></summary>'
        f'{highlighted(item.sql)}<dl class="facts">{lines}</dl></details>'
    )


def _gist(item: StatementFacts) -> str:
    """Return how its SQL begins, after the words that its tag says already."""
    text = " ".join(item.sql.split())
    rest = text[len(item.tag) :] if text.upper().startswith(item.tag) else text
    gist = rest.strip()
    if len(gist) > _LONGEST_GIST:
        gist = f"{gist[:_LONGEST_GIST]}…"
    return f"<code>{text_of(gist)}</code>" if gist else ""


def _fact(label: str, values: Sequence[str]) -> str:
    """Return a label and its values, many of them folded, and too many counted."""
    items = [f"<li>{text_of(value)}</li>" for value in values[:_MOST_VALUES]]
    shown, rest = items[:_LONGEST_FACT], items[_LONGEST_FACT:]
    body = f"<ul>{''.join(shown)}</ul>"
    if rest:
        left = len(values) - _MOST_VALUES
        more = f"<li>and {left:,} more, which the JSON has</li>" if left > 0 else ""
        names = f"<ul>{''.join(rest)}{more}</ul>"
        body += _folded(f"{len(values) - len(shown):,} more", names)
    return f"<dt>{text_of(label)}</dt><dd>{body}</dd>"


def _limit(milliseconds: int) -> str:
    if not milliseconds:
        return "without limit"
    return f"at most {in_seconds(milliseconds / 1000)}"


def _marks(item: StatementFacts, found: Sequence[Finding]) -> Iterator[str]:
    """Yield the few words by which a reader chooses what to unfold."""
    if item.error:
        yield _tag("failed", "bad")
    elif not item.is_measured:
        yield _tag("not measured", "bad")
    strongest = item.strongest
    if strongest is not None:
        yield _tag(strongest.mode, "bad" if is_strong(strongest) else "")
    if item.rewritten:
        yield _tag("rewrite", "bad")
    for one in found:
        if one.accepted is None:
            yield _tag(one.rule, TONES[one.severity])
