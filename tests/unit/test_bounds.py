"""Calendar arithmetic of partitions: no gap, no overlap, no surprise at year end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ai_platform.errors import BadValue
from ai_platform.maintenance._bounds import (
    BEGINNING,
    END,
    GRANULARITIES,
    Bounds,
    Granularity,
    covered_until,
    gaps,
    label,
    moment,
    periods,
    start_of,
)


def day(month: int, number: int, year: int = 2026) -> datetime:
    """Return midnight UTC."""
    return datetime(year, month, number, tzinfo=UTC)


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("at", [day(2, 27), day(12, 31), day(2, 29, 2028), day(3, 29)])
def test_periods_meet_without_gap(granularity: Granularity, at: datetime) -> None:
    """Each partition ends where the next begins, across months, years, leap days."""
    found = periods(granularity, at, ahead=60)

    assert [one.lower for one in found[1:]] == [one.upper for one in found[:-1]]
    assert found[0].lower <= at < found[0].upper
    assert len(found) == 61


def test_weeks_begin_on_monday_in_week_53() -> None:
    """2026 has an ISO week 53: it reaches into January and belongs to one partition."""
    week = periods("week", day(1, 1, 2027), ahead=0)[0]

    assert week == Bounds(day(12, 28), day(1, 4, 2027))
    assert week.lower.isocalendar().week == 53


def test_months_end_on_their_last_day() -> None:
    """31 January plus one month is February, leap year or not."""
    found = periods("month", day(1, 31, 2028), ahead=2)

    assert [one.lower for one in found] == [
        day(1, 1, 2028),
        day(2, 1, 2028),
        day(3, 1, 2028),
    ]


def test_months_cross_the_year() -> None:
    """December is followed by January of the next year."""
    assert periods("month", day(12, 5), ahead=1)[1].lower == day(1, 1, 2027)


def test_other_zones_are_brought_to_utc() -> None:
    """Half past midnight in Auckland is still yesterday for the partitions."""
    auckland = timezone(timedelta(hours=13))

    assert start_of("day", datetime(2026, 1, 1, 0, 30, tzinfo=auckland)) == day(
        12, 31, 2025
    )


@pytest.mark.parametrize(("year", "ahead"), [(9999, 400), (9999, 4)])
def test_the_end_of_the_calendar_is_named(year: int, ahead: int) -> None:
    """A date too far away is a bad value, not a traceback."""
    with pytest.raises(BadValue, match="9999-12-30"):
        periods("month", day(12, 30, year), ahead=ahead)


def test_no_periods_before_now_are_made() -> None:
    """A negative horizon is refused with the value."""
    with pytest.raises(BadValue, match="-1"):
        periods("day", day(1, 1), ahead=-1)


def test_a_gap_is_what_others_leave() -> None:
    """Partitions of another granularity may reach into the range; the rest is free."""
    wanted = Bounds(day(1, 1), day(2, 1))
    taken = [Bounds(day(1, 10), day(1, 20)), Bounds(day(12, 1, 2025), day(1, 5))]

    assert gaps(wanted, taken) == [
        Bounds(day(1, 5), day(1, 10)),
        Bounds(day(1, 20), day(2, 1)),
    ]


@pytest.mark.parametrize(
    "taken", [Bounds(BEGINNING, END), Bounds(day(1, 1), day(1, 2))]
)
def test_no_gap_where_all_is_covered(taken: Bounds) -> None:
    """A range that is covered is left alone, also by a partition without ends."""
    assert gaps(Bounds(day(1, 1), day(1, 2)), [taken]) == []


def test_neighbours_do_not_cover() -> None:
    """A partition that ends where the range begins holds none of it."""
    wanted = Bounds(day(1, 2), day(1, 3))
    beside = [Bounds(day(1, 1), day(1, 2)), Bounds(day(1, 3), day(1, 4))]

    assert gaps(wanted, beside) == [wanted]


def test_cover_ends_at_the_first_hole() -> None:
    """What lies beyond a hole does not count: rows of the hole find no partition."""
    taken = [Bounds(day(1, 1), day(1, 3)), Bounds(day(1, 4), day(1, 9))]

    assert covered_until(day(1, 2), taken) == day(1, 3)
    assert covered_until(day(1, 3), taken) is None


@pytest.mark.parametrize(
    ("upper", "expected"), [(day(1, 2), "20260101"), (day(2, 1), "202601")]
)
def test_names_end_like_the_servers(upper: datetime, expected: str) -> None:
    """The plan foretells the name that create_partition gives."""
    assert label(Bounds(day(1, 1), upper)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", day(1, 31)),
        ("2026-01-31T01:00:00+01:00", day(1, 31)),
        ("2026-01-31 00:00", day(1, 31)),
    ],
)
def test_iso_dates_and_times_are_read(text: str, expected: datetime) -> None:
    """Without a zone a time is UTC; with one it is brought there."""
    assert moment(text) == expected


@pytest.mark.parametrize(
    "text", ["31.01.2026", "2026-02-30", "", "tomorrow", "0001-01-01T00:00+05:00"]
)
def test_what_is_no_date_is_named(text: str) -> None:
    """The message shows the value that was given."""
    with pytest.raises(BadValue) as caught:
        moment(text)

    assert repr(text) in str(caught.value)
