"""How wide a text is on a terminal, and how a number of things is said."""

from __future__ import annotations

import unicodedata

__all__ = ["clip", "counted", "in_bytes", "pad", "width"]

_NEXT_UNIT = 1024


def width(text: str) -> int:
    """Return the number of terminal cells of *text*."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def pad(text: str, cells: int) -> str:
    """Return *text* filled with spaces to *cells* cells."""
    return text + " " * (cells - width(text))


def clip(text: str, cells: int) -> str:
    """Return *text*, cut to *cells* cells with an ellipsis where it is wider."""
    if width(text) <= cells:
        return text
    kept, used = 0, 1
    for char in text:
        used += _cells(char)
        if used > cells:
            break
        kept += 1
    return text[:kept] + "…"


def _cells(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def counted(number: int, noun: str) -> str:
    """Return *number* with *noun*, which takes an s unless there is one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def in_bytes(size: int | None) -> str | None:
    """Return *size* in the unit that leaves at most four digits, such as 1.4 MB."""
    if size is None:
        return None
    amount = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < _NEXT_UNIT:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= _NEXT_UNIT
    return f"{amount:.1f} TB"
