"""Calendar arithmetic for time partitions, in UTC; no database here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, get_args

from ai_platform.errors import BadValue

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BEGINNING",
    "END",
    "GRANULARITIES",
    "Bounds",
    "Granularity",
    "covered_until",
    "gaps",
    "label",
    "moment",
    "periods",
    "start_of",
]

Granularity = Literal["day", "week", "month"]
GRANULARITIES: Final[tuple[Granularity, ...]] = get_args(Granularity)

# what PostgreSQL calls MINVALUE and MAXVALUE
BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)

_MONTHS_PER_YEAR: Final = 12
# the SQL functions name what is longer than this by month, the rest by day
_LONGEST_BY_DAY: Final = timedelta(days=27)


@dataclass(frozen=True, slots=True, order=True)
class Bounds:
    """A half-open stretch of time in UTC: *lower* is in, *upper* is out."""

    lower: datetime
    upper: datetime


def start_of(granularity: Granularity, at: datetime) -> datetime:
    """Return the start of the day, ISO week (Monday) or month that holds *at*."""
    midnight = datetime.combine(at.astimezone(UTC).date(), time.min, UTC)
    if granularity == "month":
        return midnight.replace(day=1)
    if granularity == "week":
        return midnight - timedelta(days=midnight.weekday())
    return midnight


def periods(granularity: Granularity, at: datetime, *, ahead: int) -> list[Bounds]:
    """Return the period that holds *at* and the *ahead* periods after it.

    Raises BadValue when the calendar ends before the last of them.
    """
    if ahead < 0:
        raise BadValue(f"periods ahead must not be negative, got {ahead!r}")
    try:
        start = start_of(granularity, at)
        edges = [_after(granularity, start, n) for n in range(ahead + 2)]
    except (OverflowError, ValueError):
        raise BadValue(
            f"{at:%Y-%m-%d} is too near the end of the calendar"
            f" for {ahead} {granularity}s ahead",
            hint="give a date between 1970-01-01 and 9000-01-01",
        ) from None
    return [Bounds(lower, upper) for lower, upper in pairwise(edges)]


def _after(granularity: Granularity, start: datetime, count: int) -> datetime:
    """Return the start of the period *count* after the one that begins at *start*."""
    if granularity == "month":
        years, month = divmod(start.month - 1 + count, _MONTHS_PER_YEAR)
        return start.replace(year=start.year + years, month=month + 1)
    return start + count * timedelta(days=7 if granularity == "week" else 1)


def gaps(wanted: Bounds, taken: Iterable[Bounds]) -> list[Bounds]:
    """Return the parts of *wanted* that no stretch of *taken* covers, in order."""
    free = []
    lower = wanted.lower
    for one in sorted(taken):
        if one.upper <= lower:
            continue
        if one.lower >= wanted.upper:
            break
        if one.lower > lower:
            free.append(Bounds(lower, one.lower))
        lower = one.upper
    if lower < wanted.upper:
        free.append(Bounds(lower, wanted.upper))
    return free


def covered_until(at: datetime, taken: Iterable[Bounds]) -> datetime | None:
    """Return how far *taken* reaches from *at* without a gap; None: not even *at*."""
    reached = at
    for one in sorted(taken):
        if one.lower <= reached < one.upper:
            reached = one.upper
    return reached if reached > at else None


def label(bounds: Bounds) -> str:
    """Return what the name of the partition ends with: 20260131, or 202601."""
    lower = bounds.lower
    by_month = f"{lower.year:04}{lower.month:02}"
    if bounds.upper - lower > _LONGEST_BY_DAY:
        return by_month
    return f"{by_month}{lower.day:02}"


def moment(text: str) -> datetime:
    """Return the moment that an ISO date or time names; without a zone it is UTC.

    Raises BadValue when *text* is neither.
    """
    try:
        day = date.fromisoformat(text)
        return datetime.combine(day, time.min, UTC)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadValue(
            f"not a date: got {text!r}",
            hint="write it as 2026-01-31 or 2026-01-31T12:00:00+01:00",
        ) from None
