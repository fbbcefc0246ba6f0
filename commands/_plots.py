"""Plots as inline SVG that stay readable at any width, without script or network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_platform.page import text_of

from ._axis import short, steps, time_marks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

__all__ = ["TONES", "Series", "line_plot", "ranking", "stacked_plot"]

TONES: Final = ("good", "calm", "warn", "bad", "quiet", "extra")
"""Colours by meaning; the page gives each a light and a dark form."""

_HEIGHT: Final = 200
_LEFT: Final = 46
_WIDE: Final = 1000


@dataclass(frozen=True, slots=True)
class Series:
    """A name, its values at the times of the plot (None: a hole), and a tone."""

    name: str
    values: Sequence[float | None]
    tone: str = "calm"


def stacked_plot(
    title: str, times: Sequence[datetime], series: Sequence[Series], *, unit: str = ""
) -> str:
    """Return columns over time, the first of *series* at the bottom of each.

    *times* are UTC and evenly apart; a hole counts as 0.
    """
    sums = [sum(filter(None, values)) for values in _across(series, times)]
    grid = steps(max(sums, default=0.0))
    wide = 100 / max(1, len(times))
    drawn = []
    for place, values in enumerate(_across(series, times)):
        below = 0.0
        for one, value in zip(series, values, strict=True):
            if value:
                drawn.append(_column(place, wide, below, value, grid[-1], one.tone))
                below += value
    return _figure(title, times, series, grid, drawn, unit)


def line_plot(
    title: str, times: Sequence[datetime], series: Sequence[Series], *, unit: str = ""
) -> str:
    """Return one line over time for each of *series*; a hole breaks it."""
    known = [value for one in series for value in one.values if value is not None]
    grid = steps(max(known, default=0.0))
    lines, dots = [], []
    for one in series:
        for stretch in _stretches(one.values):
            ends = [_at(place, value, len(times), grid[-1]) for place, value in stretch]
            if len(ends) == 1:
                x, y = ends[0]
                dots.append(
                    f'<circle cx="{x:.3f}%" cy="{y:.1f}" r="2.5" class="{one.tone}"/>'
                )
            else:
                way = " ".join(f"{x * _WIDE / 100:.1f},{y:.1f}" for x, y in ends)
                lines.append(f'<polyline points="{way}" class="{one.tone}"/>')
    stretched = (
        f'<svg viewBox="0 0 {_WIDE} {_HEIGHT}" preserveAspectRatio="none" '
        f'width="100%" height="{_HEIGHT}">{"".join(lines)}</svg>'
    )
    return _figure(title, times, series, grid, [stretched, *dots], unit)


def ranking(
    title: str, rows: Sequence[tuple[str, float]], *, unit: str = "", tone: str = "calm"
) -> str:
    """Return a bar per row under its label, the longest being the widest."""
    highest = max((value for _, value in rows), default=0.0) or 1.0
    drawn = [
        f'<li><span class="name">{text_of(label)}</span>'
        f'<span class="value">{short(value)}{_unit(unit)}</span>'
        f'<svg width="100%" height="8" role="img" aria-label="{short(value)}">'
        f'<rect width="100%" height="8" rx="2" class="rail"/>'
        f'<rect width="{max(0.3, 100 * value / highest):.2f}%" height="8" rx="2" '
        f'class="{tone}"><title>{text_of(label)}: {value:g}{_unit(unit)}</title>'
        f"</rect></svg></li>"
        for label, value in rows
    ]
    body = "".join(drawn) or "<li>no values</li>"
    return (
        f'<section class="card"><h2>{text_of(title)}</h2>'
        f'<ol class="ranking">{body}</ol></section>'
    )


def _unit(unit: str) -> str:
    return f" {text_of(unit)}" if unit else ""


def _across(
    series: Sequence[Series], times: Sequence[datetime]
) -> Iterable[tuple[float | None, ...]]:
    columns = [one.values for one in series]
    return zip(*columns, strict=True) if columns else [()] * len(times)


def _stretches(
    values: Sequence[float | None],
) -> Iterable[list[tuple[int, float]]]:
    """Yield the runs of *values* between holes, each value with its place."""
    run: list[tuple[int, float]] = []
    for place, value in enumerate(values):
        if value is not None:
            run.append((place, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _at(place: int, value: float, count: int, top: float) -> tuple[float, float]:
    """Return percent from the left (the middle of the bucket), pixels from above."""
    return (place + 0.5) * 100 / count, _HEIGHT * (1 - value / top)


def _column(
    place: int, wide: float, below: float, value: float, top: float, tone: str
) -> str:
    # little is not nothing: half a pixel can still be seen
    height = max(0.5, _HEIGHT * value / top)
    y = _HEIGHT * (1 - below / top) - height
    return (
        f'<rect x="{place * wide + wide * 0.06:.3f}%" width="{wide * 0.88:.3f}%" '
        f'y="{y:.1f}" height="{height:.1f}" class="{tone}"/>'
    )


def _figure(
    title: str,
    times: Sequence[datetime],
    series: Sequence[Series],
    grid: Sequence[float],
    drawn: Iterable[str],
    unit: str,
) -> str:
    """Return a section: heading, legend, axes with *drawn* between them, values."""
    legend = "".join(
        f'<li><i class="{one.tone}"></i>{text_of(one.name)}</li>' for one in series
    )
    scale = f" ({text_of(unit)})" if unit else ""
    return (
        f'<section class="card"><h2>{text_of(title)}<small>{scale}</small></h2>'
        f'<ul class="legend">{legend}</ul><div class="plot">'
        f"{_left_axis(grid)}"
        f'<svg class="area" width="100%" height="{_HEIGHT + 34}" role="img" '
        f'aria-label="{text_of(title)}"><svg y="8" overflow="visible">'
        f"{_grid_lines(grid)}{''.join(drawn)}{_moments(times)}"
        f"{_tips(times, series, unit)}</svg></svg></div>"
        f"{_values(times, series)}</section>"
    )


def _left_axis(grid: Sequence[float]) -> str:
    labels = "".join(
        f'<text x="{_LEFT - 8}" y="{_HEIGHT * (1 - value / grid[-1]) + 12:.1f}" '
        f'text-anchor="end">{short(value)}</text>'
        for value in grid
    )
    return (
        f'<svg class="axis" width="{_LEFT}" height="{_HEIGHT + 34}" '
        f'aria-hidden="true">{labels}</svg>'
    )


def _grid_lines(grid: Sequence[float]) -> str:
    return "".join(
        f'<line x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
        for y in (_HEIGHT * (1 - value / grid[-1]) for value in grid)
    )


def _moments(times: Sequence[datetime]) -> str:
    """Return the marks of time below; every second one only where there is room."""
    marks = time_marks(times, at_most=9)
    # midnight, which is said as a day, is among those that stay
    days = [number for number, (_, mark) in enumerate(marks) if ":" not in mark]
    stays = days[0] % 2 if days else 0
    drawn = []
    for number, (place, mark) in enumerate(marks):
        anchor = "start" if place < 0.08 else "end" if place > 0.92 else "middle"  # noqa: PLR2004 - near the edges
        rare = ' class="rare"' if number % 2 != stays else ""
        drawn.append(
            f'<line x1="{place:.3%}" x2="{place:.3%}" y1="{_HEIGHT}" '
            f'y2="{_HEIGHT + 5}" class="grid"/>'
            f'<text x="{place:.3%}" y="{_HEIGHT + 20}" text-anchor="{anchor}"{rare}>'
            f"{mark}</text>"
        )
    return "".join(drawn)


def _tips(times: Sequence[datetime], series: Sequence[Series], unit: str) -> str:
    """Return a bar per moment that is seen under the pointer, with all its values."""
    wide = 100 / max(1, len(times))
    drawn = []
    for place, (at, values) in enumerate(
        zip(times, _across(series, times), strict=True)
    ):
        said = "\n".join(
            f"{text_of(one.name)}: {_figure_of(value)}{_unit(unit)}"
            for one, value in zip(series, values, strict=True)
        )
        drawn.append(
            f'<rect x="{place * wide:.3f}%" width="{wide:.3f}%" y="0" '
            f'height="{_HEIGHT}" class="tip"><title>{at:%Y-%m-%d %H:%M:%S} UTC\n'
            f"{said}</title></rect>"
        )
    return "".join(drawn)


def _figure_of(value: float | None) -> str:
    return "-" if value is None else f"{value:,.10g}"


def _values(times: Sequence[datetime], series: Sequence[Series]) -> str:
    """Return the same values as a table, for a reader without a pointer."""
    heads = "".join(f"<th>{text_of(one.name)}</th>" for one in series)
    rows = "".join(
        f"<tr><td>{at:%Y-%m-%d %H:%M:%S}</td>"
        + "".join(f"<td>{_figure_of(value)}</td>" for value in values)
        + "</tr>"
        for at, values in zip(times, _across(series, times), strict=True)
    )
    return (
        "<details><summary>Values</summary><div class='scroll'><table><thead><tr>"
        f"<th>UTC</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )
