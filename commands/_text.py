"""Text on a terminal: how wide it is and what must not be sent there."""

from __future__ import annotations

import unicodedata

__all__ = ["pad", "printable", "width"]

# bidirectional overrides and isolates reorder the rest of the line
_REORDERING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}


def printable(text: str) -> str:
    """Return *text* with control and reordering characters spelled as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if _is_unsafe(char) else char for char in text)


def width(text: str) -> int:
    """Return the number of terminal cells of *text*."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def pad(text: str, cells: int) -> str:
    """Return *text* filled with spaces to *cells* cells."""
    return text + " " * (cells - width(text))


def _is_unsafe(char: str) -> bool:
    return (
        unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
        or ord(char) in _REORDERING
    )


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _cells(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
