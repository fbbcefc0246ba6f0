"""A request as a line: for a person, or as one JSON object."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Final

from ai_platform.text import printable

from ._console import json_safe, json_text
from ._text import clip, pad

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_platform.reading.tail import LogRow

__all__ = ["as_json_line", "line_printer"]

_COLOURS: Final = {2: "32", 3: "36", 4: "33", 5: "31;1"}
_NARROWEST_URL: Final = 24
_BEFORE_URL: Final = 50


def line_printer() -> Callable[[LogRow], str]:
    """Return what makes a line of a request: with colours and cut on a terminal."""
    if not sys.stdout.isatty():
        return lambda row: _line(row, str, None)
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    colour = str if plain else _coloured
    return lambda row: _line(row, colour, shutil.get_terminal_size().columns)


def as_json_line(row: LogRow) -> str:
    """Return every column as one JSON object in one line.

    The text of *meta* goes in as the server has it: numbers keep all their digits.
    """
    fields = {
        name: value
        for name, value in row._asdict().items()
        if name not in {"meta", "part", "place"}
    }
    meta = json_safe(row.meta or "null")
    return f'{json_text(fields)[:-1]}, "meta": {meta}}}'


def _line(row: LogRow, colour: Callable[[str], str], columns: int | None) -> str:
    """Return time, status, method, duration, url, then who asked, from where."""
    time = row.created.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"
    status = colour("-" if row.status is None else str(row.status).rjust(3))
    took = "-" if row.duration_ms is None else f"{row.duration_ms} ms"
    method = pad(_text(row.method), 6)
    who = f"  {_text(row.auth)}  {_text(row.remote_ip)}"
    url = _text(row.url)
    if columns is not None:
        who = clip(who, columns // 3)
        url = clip(url, max(_NARROWEST_URL, columns - _BEFORE_URL - len(who)))
    return f"{time}  {status}  {method} {took:>9}  {url}{who}".rstrip()


def _text(value: str | None) -> str:
    return "-" if value is None else printable(value)


def _coloured(status: str) -> str:
    colour = _COLOURS.get(int(status) // 100) if status.strip().isdigit() else None
    return f"\x1b[{colour}m{status}\x1b[0m" if colour else status
