"""Charts for a terminal: blocks where it can show them, ASCII where not, no colour."""

from __future__ import annotations

import math
import shutil
import sys
from typing import TYPE_CHECKING, Final

from ai_platform.text import printable

from ._axis import short, steps, time_marks
from ._text import clip, pad, width

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = ["bars", "columns"]

_RISING: Final = " ▁▂▃▄▅▆▇█"
_RISING_ASCII: Final = " ..::||##"
_GROWING: Final = " ▏▎▍▌▋▊▉█"
_EIGHTHS: Final = 8
_NARROWEST: Final = 40


def columns(
    points: Sequence[tuple[datetime, float | None]],
    *,
    unit: str = "",
    height: int = 8,
    edge: int = 0,
    cells: int | None = None,
) -> list[str]:
    """Return the lines of a column chart of *points* over time, axes included.

    Times are UTC and evenly apart; None leaves a hole. *cells* is the width, that of
    the terminal unless given; *edge* is the least room for the labels on the left,
    so that charts stand below each other. More points than columns: each column is
    its highest.
    """
    if not points:
        return []
    top = steps(max((value or 0.0) for _, value in points), at_most=8)[-1]
    labels = [f"{short(top)} {unit}".rstrip(), *[""] * (height - 2), "0"]
    edge = max(edge, *map(width, labels))
    room = (cells or _terminal()) - edge - 3
    values = _fitted([value for _, value in points], room)
    wide = max(1, room // len(values))
    bar, corner, line = ("┤", "└", "─") if _can_draw() else ("|", "+", "-")
    lines = [
        f"{pad(label, edge)} {bar}"
        + "".join(_cell(v, top, height - row - 1, height) * wide for v in values)
        for row, label in enumerate(labels)
    ]
    axis = " " * edge + f" {corner}" + line * (wide * len(values))
    marks = _under([time for time, _ in points], wide * len(values))
    return [*(text.rstrip() for text in lines), axis, " " * (edge + 2) + marks]


def bars(
    rows: Sequence[tuple[str, float]], *, unit: str = "", cells: int | None = None
) -> list[str]:
    """Return one line per row: label, a bar as long as its value, the value.

    Labels may hold anything; they are made printable, and cut at half the width.
    """
    if not rows:
        return []
    full = cells or _terminal()
    labels = [clip(printable(label), full // 2) for label, _ in rows]
    values = [f"{short(value)} {unit}".rstrip() for _, value in rows]
    edge, tail = max(map(width, labels)), max(map(width, values))
    room = max(4, full - edge - tail - 3)
    highest = max(value for _, value in rows) or 1.0
    return [
        f"{pad(label, edge)}  {text:>{tail}} {_bar(value / highest, room)}".rstrip()
        for label, text, (_, value) in zip(labels, values, rows, strict=True)
    ]


def _terminal() -> int:
    return max(_NARROWEST, shutil.get_terminal_size((80, 24)).columns)


def _can_draw() -> bool:
    try:
        (_RISING + _GROWING).encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _fitted(values: list[float | None], room: int) -> list[float | None]:
    """Return at most *room* values: neighbours become their highest."""
    room = max(1, room)
    together = math.ceil(len(values) / room)
    if together <= 1:
        return values
    groups = [values[n : n + together] for n in range(0, len(values), together)]
    return [
        max((value for value in group if value is not None), default=None)
        for group in groups
    ]


def _cell(value: float | None, top: float, row: int, height: int) -> str:
    """Return what a column of *value* shows in *row*, counted from the bottom."""
    filled = round((value or 0.0) / top * height * _EIGHTHS)
    if value and not filled:
        filled = 1  # little is not nothing
    level = min(_EIGHTHS, max(0, filled - row * _EIGHTHS))
    return (_RISING if _can_draw() else _RISING_ASCII)[level]


def _bar(share: float, room: int) -> str:
    filled = round(max(0.0, share) * room * _EIGHTHS)
    if share > 0:
        filled = max(1, filled)
    whole, rest = divmod(filled, _EIGHTHS)
    if _can_draw():
        return _GROWING[-1] * whole + _GROWING[rest].strip()
    return "#" * max(whole, 1 if filled else 0)


def _under(times: Sequence[datetime], cells: int) -> str:
    """Return the line of moments below a chart *cells* wide."""
    text = ""
    for place, mark in time_marks(times, at_most=max(1, cells // 14)):
        at = round(place * cells)
        if at + len(mark) <= cells + 1 and (not text or at > len(text)):
            text = text.ljust(at) + mark
    return text
