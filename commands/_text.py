"""How wide a text is on a terminal."""

from __future__ import annotations

import unicodedata

__all__ = ["clip", "pad", "width"]


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
