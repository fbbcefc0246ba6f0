"""How numbers of things, of bytes and of seconds are said to a person."""

from __future__ import annotations

from typing import overload

__all__ = ["counted", "in_bytes", "in_seconds"]

_NEXT_UNIT = 1024
_TWO_DIGITS = 9.95
# below how many seconds a unit of how many seconds is told
_UNITS = ((0.9995, 0.001, "ms"), (119.5, 1, "s"), (3569.5, 60, "min"))


def counted(number: int, noun: str) -> str:
    """Return *number* with *noun*, which takes an s unless there is one."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


@overload
def in_bytes(size: int) -> str: ...
@overload
def in_bytes(size: int | None) -> str | None: ...
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


def in_seconds(seconds: float) -> str:
    """Return a duration in two or three digits, such as 0.4 ms, 38 s and 2 h 5 min."""
    for below, size, unit in _UNITS:
        if seconds < below:
            return f"{_digits(seconds / size)} {unit}"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def _digits(amount: float) -> str:
    return f"{amount:.2g}" if amount < _TWO_DIGITS else f"{amount:.0f}"
