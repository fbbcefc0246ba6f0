"""Round steps for the axes of plots, and numbers short enough to stand beside them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["short", "steps", "time_marks"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PREFIXES: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_THREE_DIGITS: Final = 100
_STEPS: Final = (
    *(timedelta(seconds=n) for n in (1, 5, 15, 30)),
    *(timedelta(minutes=n) for n in (1, 5, 15, 30)),
    *(timedelta(hours=n) for n in (1, 2, 3, 6, 12)),
    *(timedelta(days=n) for n in (1, 2, 7, 14, 28, 91, 364)),
)


def short(value: float) -> str:
    """Return *value* in about three digits: 0, 0.25, 12.4k, 3M."""
    for size, prefix in _PREFIXES:
        if abs(value) >= size:
            return _digits(value / size) + prefix
    return _digits(value)


def _digits(value: float) -> str:
    if value == int(value) or abs(value) >= _THREE_DIGITS:
        return f"{value:.0f}"
    return f"{value:.3g}"


def steps(highest: float, *, at_most: int = 5) -> list[float]:
    """Return round values from 0 to the first one that is not below *highest*.

    They are at most *at_most* plus one; for nothing but zeros they are 0 and 1.
    """
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / at_most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(n * power for n in (1, 2, 2.5, 5, 10) if n * power * 1.0001 >= rough)
    count = math.ceil(highest / step - 0.0001)
    return [n * step for n in range(count + 1)]


def time_marks(
    times: Sequence[datetime], *, at_most: int = 6
) -> list[tuple[float, str]]:
    """Return where round moments fall between *times*: position 0 to 1, and text.

    *times* are UTC and in order, evenly apart. Midnight is said as the day it begins.
    """
    if not times:
        return []
    apart = times[1] - times[0] if len(times) > 1 else timedelta(hours=1)
    span = times[-1] + apart - times[0]
    step = next((one for one in _STEPS if span / one <= at_most), _STEPS[-1])
    first = -((_EPOCH - times[0]) // step)
    moments = (_EPOCH + (first + number) * step for number in range(at_most + 1))
    return [
        ((at - times[0]) / span, _moment(at, step))
        for at in moments
        if at < times[0] + span
    ]


def _moment(at: datetime, step: timedelta) -> str:
    if step >= timedelta(days=1):
        return f"{at:%Y-%m-%d}"
    if at.hour == at.minute == at.second == 0:
        return f"{at:%b %d}"
    return f"{at:%H:%M:%S}" if step < timedelta(minutes=1) else f"{at:%H:%M}"
