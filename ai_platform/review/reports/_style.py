"""What the page of a review needs beyond the style of every page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .verdict import Risk

__all__ = ["TONES", "style_of"]

TONES: Final[dict[Risk, str]] = {
    "failed": "bad",
    "unmeasured": "bad",
    "error": "bad",
    "warning": "warn",
    "note": "calm",
    "ok": "good",
}

_STYLE: Final = """
:root { --word: #2a5bbf; --string: #1d7a56; }
@media (prefers-color-scheme: dark) { :root { --word: #82abf7; --string: #58c79b; } }
h1 { border-left: 7px solid var(--verdict); padding: 4px 0 4px 14px;
  line-height: 1.25; }
h3 { margin: 20px 0 8px; font-size: 14px; }
h2 .tag { margin-left: 8px; }
a { color: inherit; text-decoration-color: var(--calm); text-underline-offset: 3px; }
.soft { color: var(--soft); font-size: 13px; margin: 4px 0; overflow-wrap: anywhere; }
code, pre, .name { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace;
  font-size: 12.5px; }
body { overflow-wrap: anywhere; }
code, .name, .tag, li, figcaption { unicode-bidi: isolate; }
:focus-visible { outline: 2px solid var(--calm); outline-offset: 2px; }
body:has(#only:checked) .quiet-one { display: none; }
label { cursor: pointer; }
.tag, .key { display: inline-block; padding: 0 7px; border: 1px solid var(--line);
  border-radius: 9px; font: 600 12px/18px system-ui, "DejaVu Sans", sans-serif;
  color: var(--text); background: none; overflow-wrap: anywhere; }
.tag.bad, td.bad { background: color-mix(in srgb, var(--bad) 17%, transparent);
  border-color: var(--bad); color: var(--text); }
.tag.warn { background: color-mix(in srgb, var(--warn) 17%, transparent);
  border-color: var(--warn); }
.tag.good { background: color-mix(in srgb, var(--good) 17%, transparent);
  border-color: var(--good); }
.tag.calm { background: color-mix(in srgb, var(--calm) 17%, transparent);
  border-color: var(--calm); }
.wide td { white-space: normal; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
.wide th { text-align: left; }
.wide .tag { white-space: nowrap; }
.wide th:first-child { min-width: 190px; }
.wide th:nth-child(3) { min-width: 200px; }
.matrix { width: auto; min-width: min(100%, 460px); }
.matrix th, .matrix td { text-align: center; white-space: normal; border: 0;
  border-top: 2px solid var(--card); border-left: 2px solid var(--card); }
.matrix td { background: var(--back); border-radius: 5px; }
.matrix td.bad { background: color-mix(in srgb, var(--bad) 22%, transparent); }
.matrix td.warn { background: color-mix(in srgb, var(--warn) 20%, transparent); }
.matrix td:last-child { background: none; font-size: 12.5px; }
.matrix td:first-child { overflow-wrap: anywhere; text-align: left; background: none;
  min-width: 130px; }
.free { color: var(--soft); }
.findings { margin: 0; padding: 0; list-style: none; }
.findings li { padding: 10px 0 10px 12px; border-left: 4px solid var(--quiet);
  margin-bottom: 10px; overflow-wrap: anywhere; }
.findings li.soft { padding: 2px 0 2px 12px; margin-bottom: 3px; }
.findings li.is-bad { border-color: var(--bad); }
.findings li.is-warn { border-color: var(--warn); }
.findings li.is-calm { border-color: var(--calm); }
.findings p { margin: 4px 0 0; }
.more > summary { color: var(--soft); font-size: 13px; }
.more[open] > summary { margin-bottom: 10px; }
details.more { color: var(--text); font-size: inherit; }
.lanes { margin: 0; padding: 0; list-style: none; }
.lanes li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 12px;
  margin-bottom: 8px; }
.lanes .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.lanes .value { font-size: 13px; font-variant-numeric: tabular-nums; }
.lanes svg { grid-column: span 2; display: block; }
.scale { display: block; overflow: visible; }
.edge { margin: 0; padding: 7px 0; border-top: 1px solid var(--line);
  color: var(--soft); font: 600 12px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
.statement { margin: 0; border-top: 1px solid var(--line); padding: 9px 0;
  color: var(--text); }
.statement > summary { font-size: 14px; overflow-wrap: anywhere; }
.statement > summary code { margin-left: 6px; }
.statement[open] > summary code { display: none; }
.statement > summary .soft { margin-left: 6px; }
.statement > summary .tag { margin-left: 4px; }
.sql { margin: 8px 0; padding: 10px 12px; overflow: auto; background: var(--back);
  border-radius: 8px; line-height: 1.5; max-height: 420px; tab-size: 4;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.sql .k { color: var(--word); font-weight: 600; } .sql .s { color: var(--string); }
.sql .c { color: var(--soft); font-style: italic; } .sql .n { color: var(--extra); }
.facts { display: grid; grid-template-columns: 150px minmax(0, 1fr); gap: 4px 14px;
  margin: 8px 0 2px; font-size: 13px; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; overflow-wrap: anywhere; }
.short { font-size: 15px; } .short dd { font-weight: 500; }
.modes { grid-template-columns: 44px minmax(0, 1fr); }
.facts ul { margin: 0; padding: 0; list-style: none; }
.shape { margin: 0 0 14px; max-width: 860px; }
.shape figcaption { font-weight: 600; font-size: 13px; margin-bottom: 6px;
  overflow-wrap: anywhere; }
.pairs { display: grid; gap: 3px 0; align-items: stretch;
  grid-template-columns: minmax(0, 1fr) 26px minmax(0, 1fr); }
.pairs > i { font-style: normal; text-align: center; color: var(--soft);
  align-self: center; }
.pairs > b { color: var(--soft); font-size: 12px; }
.entity { display: grid; gap: 3px; max-width: 417px; }
.column { border: 1px solid var(--line); border-radius: 6px; padding: 4px 9px;
  overflow-wrap: anywhere; border-left: 4px solid var(--line); }
.column small { display: block; color: var(--soft); font-size: 12px; }
.column .key { margin-left: 6px; font-size: 11px; line-height: 15px; }
.column.new { border-left-color: var(--good);
  background: color-mix(in srgb, var(--good) 10%, transparent); }
.column.gone { border-left-color: var(--bad); text-decoration: line-through;
  background: color-mix(in srgb, var(--bad) 10%, transparent); }
.column.changed { border-left-color: var(--warn);
  background: color-mix(in srgb, var(--warn) 10%, transparent); }
.figures { grid-template-columns: repeat(6, minmax(0, 1fr)); }
.matrix td:not(:first-child), .matrix th:not(:first-child) { overflow-wrap: normal; }
@media (max-width: 980px) {
  .wide thead { display: none; }
  .wide tr { display: block; padding: 8px 0; border-bottom: 1px solid var(--line); }
  .wide td { display: flex; gap: 12px; justify-content: space-between;
    border: 0; padding: 2px 0; text-align: right; }
  .wide td:first-child { display: block; text-align: left; }
  .wide td:not(:first-child)::before { content: attr(data-head); color: var(--soft);
    flex: none; }
}
@media (max-width: 720px) {
  h1 { font-size: 20px; }
  .figures { grid-template-columns: 1fr 1fr 1fr; }
  .figures div { padding: 8px 10px; }
  .facts:not(.modes) { grid-template-columns: minmax(0, 1fr); gap: 1px; }
  .facts dd { margin-bottom: 6px; }
  .pairs { grid-template-columns: minmax(0, 1fr) 18px minmax(0, 1fr); }
  .column { padding: 4px 6px; }
  .matrix th, .matrix td { padding: 6px 4px; font-size: 12px; }
}
@media print {
  .sql { max-height: none; border: 1px solid var(--line); }
  .card { break-inside: auto; }
  .statement, .findings li, figure { break-inside: avoid; }
  label { display: none; }
  /* what is folded is printed: paper cannot be unfolded */
  details::details-content { content-visibility: visible; block-size: auto; }
  details { display: block; }
}
"""


def style_of(risk: Risk) -> str:
    """Return CSS for a page whose verdict is *risk*."""
    return f":root {{ --verdict: var(--{TONES[risk]}); }}{_STYLE}"
