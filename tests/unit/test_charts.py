"""Charts on a terminal and on a page: true to the values, safe whatever they are."""

from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from ai_platform.page import page, table
from commands._axis import short, steps, time_marks
from commands._charts import bars, columns
from commands._plots import Series, line_plot, ranking, stacked_plot
from commands._text import clip, width

START = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
HOSTILE = '\x1b[2J<script>alert("1")</script>&\u202e\x00\ufffe\ud800]]>'


def _times(count: int, apart: timedelta = timedelta(minutes=30)) -> list[datetime]:
    return [START + n * apart for n in range(count)]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.25, "0.25"), (999, "999"), (12_400, "12.4k"), (3e6, "3M")],
)
def test_numbers_are_said_in_short(value: float, text: str) -> None:
    """Three digits are enough beside an axis."""
    assert short(value) == text


@pytest.mark.parametrize("highest", [0, 0.003, 1, 7, 99, 100, 101, 12_345, 1e12])
def test_axes_have_few_round_steps(highest: float) -> None:
    """From zero to at least the highest value, in equal steps."""
    found = steps(highest)

    assert found[0] == 0
    assert found[-1] >= highest * 0.999
    assert 2 <= len(found) <= 6
    assert len({round(b - a, 9) for a, b in pairwise(found)}) == 1


@pytest.mark.parametrize("hours", [0.1, 1, 5, 24, 24 * 40, 24 * 4000])
def test_marks_of_time_are_round_and_few(hours: float) -> None:
    """Within the plot, in order, whatever its length."""
    marks = time_marks(_times(60, timedelta(hours=hours / 60)))

    places = [place for place, _ in marks]
    assert 1 <= len(marks) <= 7
    assert places == sorted(places)
    assert all(0 <= place < 1 for place in places)


def test_midnight_is_said_as_its_day() -> None:
    """A plot across midnight tells which day begins."""
    assert "Mar 02" in [mark for _, mark in time_marks(_times(12))]


def test_columns_are_as_high_as_their_values() -> None:
    """The highest reaches the top, half of it the middle, a hole stays empty."""
    values = [100.0, 50.0, None, 1.0]
    lines = columns(list(zip(_times(4), values, strict=True)), height=4, cells=40)

    chart = [line.partition("┤")[2].ljust(32) for line in lines[:4]]
    wide = len(lines[4].partition("└")[2]) // 4
    assert [chart[0][n * wide] for n in range(4)] == ["█", " ", " ", " "]
    assert [chart[3][n * wide] for n in range(4)] == ["█", "█", " ", "▁"]
    assert chart[2][wide] == "█"
    assert chart[1][wide] == " "


@pytest.mark.parametrize("cells", [40, 80, 200])
@pytest.mark.parametrize("count", [1, 7, 80, 3000])
def test_no_chart_is_wider_than_the_terminal(cells: int, count: int) -> None:
    """More values than cells share them: the highest of each group is shown."""
    values = [float(n % 97) for n in range(count)]
    values[-1] = 5000.0
    lines = columns(list(zip(_times(count), values, strict=True)), cells=cells)

    assert max(map(width, lines)) <= cells
    assert "█" in lines[0]


def test_bars_are_cut_and_aligned() -> None:
    """A label may be long, wide or hostile: each row fits, with its value."""
    rows = [("/" + "x" * 500, 10.0), ("/日本語" * 30, 5.0), (HOSTILE, 0.0)]

    lines = bars(rows, unit="ms", cells=60)

    assert max(map(width, lines)) <= 60
    assert len({width(line.partition(" ms")[0]) for line in lines}) == 1
    assert "\x1b" not in "".join(lines)


def test_a_poor_terminal_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """No character that it would print as an escape."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    points = list(zip(_times(9), map(float, range(9)), strict=True))

    text = "\n".join([*columns(points), *bars([("a", 3.0)])])

    assert text.isascii()
    assert "#" in text


def test_nothing_makes_no_chart() -> None:
    """No value, and nothing but zeros, are no reason to fail."""
    assert columns([]) == bars([]) == []
    assert columns([(START, 0.0)])
    assert bars([("zero", 0.0)]) == ["zero  0"]


def test_a_cut_text_says_so() -> None:
    """An ellipsis takes its cell, and a wide character is never halved."""
    assert clip("abcdef", 4) == "abc…"
    assert clip("日本語", 4) == "日…"
    assert clip("abcd", 4) == "abcd"


def _page() -> str:
    times = _times(3)
    return page(
        HOSTILE,
        [
            stacked_plot(HOSTILE, times, [Series(HOSTILE, [1, None, 3], "bad")]),
            line_plot("l", times, [Series("s", [1.5, None, 2.5])], unit=HOSTILE),
            line_plot("none", times, [Series("s", [None, None, None])]),
            stacked_plot("no time", [], [Series("s", [])]),
            ranking("r", [(HOSTILE, 12_345.0)], unit="ms"),
            ranking("empty", []),
            table(
                "t",
                [{"a": HOSTILE, "b": None, "c": 1234}],
                headings=dict.fromkeys("abc", "h"),
            ),
        ],
        subtitle=HOSTILE,
        figures={HOSTILE: HOSTILE},
        footer=HOSTILE,
    )


def test_a_page_is_well_formed() -> None:
    """A browser and an XML parser agree on it, with hostile text everywhere."""
    root = ET.fromstring(_page().partition("\n")[2])  # noqa: S314 - our own

    assert root.find(".//script") is None
    assert len(root.findall(".//section")) == 7
    assert "<script>alert" in "".join(root.itertext())


def test_a_page_needs_nothing_else() -> None:
    """No script, no link, no address: what is shown is in the file."""
    text = _page()

    assert not re.search(r"https?:|url\(|@import|\b(src|href)=|<link|<iframe", text)
    assert "default-src 'none'" in text
    assert not re.search(r"<[^>]*\son\w+=", text)


def test_a_plot_shows_every_value() -> None:
    """Under the pointer and in the table below; a hole is a dash, and breaks a line."""
    root = ET.fromstring(  # noqa: S314 - our own
        line_plot("l", _times(4), [Series("p50", [1.5, 2, None, 1234567])])
    )

    tips = [title.text or "" for title in root.iter("title")]
    assert tips[0] == "2026-03-01 22:00:00 UTC\np50: 1.5"
    assert [tip.rpartition(": ")[2] for tip in tips[1:]] == ["2", "-", "1,234,567"]
    assert "1,234,567" in [cell.text for cell in root.iter("td")]
    assert (len(list(root.iter("polyline"))), len(list(root.iter("circle")))) == (1, 1)


def test_columns_of_a_plot_stand_on_each_other() -> None:
    """The heights add up to the share of the axis that the sum has."""
    series = [Series("a", [30], "good"), Series("b", [70], "bad")]
    root = ET.fromstring(stacked_plot("s", _times(1), series))  # noqa: S314

    lower, upper = (root.find(f".//rect[@class='{tone}']") for tone in ("good", "bad"))
    assert lower is not None
    assert upper is not None
    ends = [
        float(rect.get(key, "")) for rect in (lower, upper) for key in ("y", "height")
    ]
    assert ends == [140.0, 60.0, 0.0, 140.0]
