"""From when to when: `10m` ago or an ISO time, as a stretch of UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ai_platform.errors import BadValue
from ai_platform.maintenance._bounds import moment
from ai_platform.text import quoted

__all__ = ["Window", "length", "point", "window"]

_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
# room at both ends of the calendar, so that a bucket more never leaves it
_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
_PART: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|[smhdw])")


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time in UTC; *until* None leaves the end open."""

    since: datetime
    until: datetime | None = None


def length(text: str) -> timedelta:
    """Return the duration that *text* names: ``10m``, ``1h30m``, ``3d``, ``500ms``.

    Raises BadValue when it is none above zero.
    """
    found = _length(text)
    if not found:
        raise BadValue(
            f"not a duration: got {quoted(text)}", hint="write it as 10m, 1h30m or 3d"
        )
    return found


def point(text: str) -> datetime | timedelta:
    """Return the moment that *text* names: a duration before now, or an ISO time.

    Raises BadValue when it is neither.
    """
    ago = _length(text)
    if ago is not None:
        return ago
    try:
        return moment(text)
    except BadValue:
        raise BadValue(
            f"neither a duration nor a time: got {quoted(text)}",
            hint="write it as 10m, 2h, 3d, 2026-01-31 or 2026-01-31T12:00:00+01:00",
        ) from None


def window(
    since: datetime | timedelta, until: datetime | timedelta | None, *, now: datetime
) -> Window:
    """Return the stretch that two results of `point` mean at *now*.

    It begins and ends between the years 1900 and 9000. Raises BadValue when nothing
    lies in it.
    """
    first = _before(now, since)
    last = None if until is None else _before(now, until)
    if last is not None and last <= first and first >= now:
        raise BadValue(
            f"--since is in the future: got {_shown(first)}", hint="write it as 10m"
        )
    if last is not None and last <= first:
        raise BadValue(
            f"--until must be later than --since: got {_shown(last)}, {_shown(first)}",
            hint="swap the two, or leave --until out",
        )
    return Window(first, last)


def _length(text: str) -> timedelta | None:
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    try:
        return sum(
            (float(number) * _UNITS[unit] for number, unit in parts), timedelta()
        )
    except OverflowError:
        return timedelta.max


def _before(now: datetime, point: datetime | timedelta) -> datetime:
    if isinstance(point, datetime):
        return min(max(point, _EARLIEST), _LATEST)
    return _EARLIEST if point > now - _EARLIEST else now - point


def _shown(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC")
