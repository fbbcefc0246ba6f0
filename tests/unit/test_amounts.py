"""Amounts as a person says them."""

from __future__ import annotations

import pytest

from ai_platform.amounts import counted, in_seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.00004, "0.04 ms"),
        (0.0123, "12 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (5.55, "5.5 s"),
        (38, "38 s"),
        (119.6, "2 min"),
        (3569, "59 min"),
        (3570, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_are_said_in_two_digits(seconds: float, text: str) -> None:
    """Each in the unit that a person would choose, also beside its borders."""
    assert in_seconds(seconds) == text


def test_one_thing_has_no_plural() -> None:
    """1 row, 0 rows, and thousands are parted."""
    assert [counted(n, "row") for n in (0, 1, 1200)] == [
        "0 rows",
        "1 row",
        "1,200 rows",
    ]
