"""One HTML page that needs nothing else: no network, no script, light and dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from .text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["page", "table", "text_of"]

# whatever hostile text came into the page, the browser loads and runs nothing
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
# what XML forbids and `printable` leaves alone
_NO_XML: Final = dict.fromkeys((0xFFFE, 0xFFFF), "\ufffd")
_STYLE: Final = """
:root { color-scheme: light dark;
  --back: #f6f7f9; --card: #fff; --text: #1b1f27; --soft: #5d6675; --line: #dde1e8;
  --calm: #3a6fd8; --good: #2f9e73; --warn: #d98a00; --bad: #d0383f;
  --quiet: #98a1b0; --extra: #8a56c9; }
@media (prefers-color-scheme: dark) { :root {
  --back: #12151b; --card: #1b2029; --text: #e7eaf0; --soft: #9aa4b5; --line: #313947;
  --calm: #6d9cf5; --good: #46bd8e; --warn: #eda93a; --bad: #f0666c;
  --quiet: #727d8f; --extra: #b48af0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 28px 20px 48px; max-width: 1160px;
  background: var(--back); color: var(--text);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { margin: 0; font-size: 25px; letter-spacing: -0.01em; }
h2 { margin: 0 0 10px; font-size: 16px; }
h2 small { color: var(--soft); font-weight: normal; }
.subtitle { margin: 4px 0 20px; color: var(--soft); }
.figures { display: grid; gap: 12px; margin: 0 0 16px;
  grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); }
.figures div, .card { background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; }
.figures div { padding: 12px 14px; }
.figures dt { color: var(--soft); font-size: 13px; }
.figures dd { margin: 2px 0 0; font-size: 23px; font-weight: 600;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.cards { display: grid; gap: 16px; grid-template-columns: repeat(12, 1fr); }
.card { grid-column: span 12; min-width: 0; padding: 16px 18px; }
.card:has(.ranking), .card.half { grid-column: span 6; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 0 0 8px; padding: 0;
  list-style: none; color: var(--soft); font-size: 13px; }
.legend i { display: inline-block; width: 10px; height: 10px; margin-right: 6px;
  border-radius: 3px; }
.plot { display: flex; }
.plot svg { display: block; overflow: visible; flex: none; }
.plot .area { flex: 1; min-width: 0; width: 0; }
svg text { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); stroke-width: 1; shape-rendering: crispEdges; }
.rail { fill: var(--line); opacity: 0.55; }
.calm { fill: var(--calm); stroke: var(--calm); background: var(--calm); }
.good { fill: var(--good); stroke: var(--good); background: var(--good); }
.warn { fill: var(--warn); stroke: var(--warn); background: var(--warn); }
.bad { fill: var(--bad); stroke: var(--bad); background: var(--bad); }
.quiet { fill: var(--quiet); stroke: var(--quiet); background: var(--quiet); }
.extra { fill: var(--extra); stroke: var(--extra); background: var(--extra); }
rect { stroke: none; }
.plot polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round;
  vector-effect: non-scaling-stroke; }
.tip { fill: transparent; }
.tip:hover { fill: var(--text); fill-opacity: 0.09; }
.ranking { margin: 0; padding: 0; list-style: none; }
.ranking li { display: grid; grid-template-columns: 1fr auto; gap: 3px 12px;
  margin-bottom: 11px; font-size: 14px; }
.ranking .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; font-size: 13px; }
.ranking .value, td { font-variant-numeric: tabular-nums; }
.ranking svg { grid-column: span 2; display: block; }
details { margin-top: 8px; color: var(--soft); font-size: 13px; }
summary { cursor: pointer; }
.scroll { max-height: 320px; overflow: auto; }
table { width: 100%; border-collapse: collapse; font-size: 13px; }
th, td { padding: 5px 10px; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th { color: var(--soft); font-weight: 600; }
th:first-child, td:first-child { padding-left: 0; text-align: left; }
.card > .scroll td:first-child { max-width: 420px; overflow: hidden;
  text-overflow: ellipsis; }
footer { margin-top: 20px; color: var(--soft); font-size: 13px; }
@media (max-width: 720px) {
  body { padding: 18px 12px 32px; }
  .card:has(.ranking), .card.half { grid-column: span 12; }
  .card { padding: 14px 12px; }
  .figures { grid-template-columns: 1fr 1fr; gap: 8px; }
  .rare { display: none; }
}
@media print { body { max-width: none; } .card { break-inside: avoid; }
  .scroll { max-height: none; } }
"""


def text_of(value: object) -> str:
    """Return *value* as text that is safe in HTML and in XML, whatever it holds."""
    return escape(printable(str(value)).translate(_NO_XML))


def page(  # noqa: PLR0913 - a page has these parts
    title: str,
    cards: Iterable[str],
    *,
    subtitle: str = "",
    figures: Mapping[str, str] | None = None,
    footer: str = "",
    style: str = "",
) -> str:
    """Return a whole HTML document, well-formed as XML too.

    *cards* are sections such as `table` makes them, and *style* more CSS: both are
    taken as they are; every other text may hold anything and is escaped. *figures*
    are the few numbers on top: what it is, and its value as text.
    """
    numbers = "".join(
        f"<div><dt>{text_of(name)}</dt><dd>{text_of(value)}</dd></div>"
        for name, value in (figures or {}).items()
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>{text_of(title)}</title><style>{_STYLE}{style}</style></head>\n<body>"
        f'<h1>{text_of(title)}</h1><p class="subtitle">{text_of(subtitle)}</p>\n'
        f'<dl class="figures">{numbers}</dl>\n'
        f'<main class="cards">\n{_lines(cards)}\n</main>'
        f"<footer>{text_of(footer)}</footer></body></html>\n"
    )


def table(
    title: str, rows: Sequence[Mapping[str, Any]], *, headings: Mapping[str, str]
) -> str:
    """Return a section with *rows*; *headings* maps the keys to show to their heads.

    None is shown as a dash; numbers get thousands separators.
    """
    heads = "".join(f"<th>{text_of(head)}</th>" for head in headings.values())
    body = "".join(
        "<tr>"
        + "".join(f"<td>{_cell(row.get(key))}</td>" for key in headings)
        + "</tr>"
        for row in rows
    )
    return (
        f'<section class="card"><h2>{text_of(title)}</h2><div class="scroll"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _lines(cards: Iterable[str]) -> str:
    return "\n".join(cards)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}"
    return text_of(value)
