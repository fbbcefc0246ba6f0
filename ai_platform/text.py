"""What of a text may be shown: no control or reordering character, no mass of it."""

from __future__ import annotations

import unicodedata

__all__ = ["is_unsafe", "printable", "quoted"]

_LONGEST_QUOTE = 60

# bidirectional overrides and isolates reorder the rest of the line
_REORDERING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}


def is_unsafe(char: str) -> bool:
    """Return whether *char* controls a terminal, splits a line or reorders text."""
    return (
        unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
        or ord(char) in _REORDERING
    )


def printable(text: str) -> str:
    """Return *text* with every unsafe character spelled as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if is_unsafe(char) else char for char in text)


def quoted(value: str) -> str:
    """Return *value* as an error quotes it: escaped, at most 60 characters of it."""
    if len(value) > _LONGEST_QUOTE:
        return repr(value[:_LONGEST_QUOTE]) + "…"
    return repr(value)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
