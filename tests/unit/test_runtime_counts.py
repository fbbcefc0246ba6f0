"""The numbers of a writer are text that Prometheus reads."""

from __future__ import annotations

import re

from ai_platform.runtime import LogWriter
from ai_platform.runtime._counts import prometheus_text

SAMPLE = re.compile(
    r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)"
    r'(?:\{(?P<label>[a-zA-Z_]\w*)="(?P<value>(?:[^"\\\n]|\\[\\"n])*)"\})?'
    r" (?P<number>-?[0-9.]+(?:e[+-]?[0-9]+)?)"
)


def parsed(text: str) -> dict[tuple[str, str | None], float]:
    """Return the samples of *text*; every line must be valid and announced."""
    assert text.endswith("\n")
    found: dict[tuple[str, str | None], float] = {}
    announced: set[str] = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind in {"counter", "gauge"}
            assert name not in announced
            announced.add(name)
        elif not line.startswith("# HELP "):
            match = SAMPLE.fullmatch(line)
            assert match is not None, line
            assert match["name"] in announced
            key = (match["name"], match["value"])
            assert key not in found
            found[key] = float(match["number"])
    return found


def test_a_new_writer_shows_every_number() -> None:
    """Alerts on rates need their series from the first scrape on, at zero."""
    numbers = parsed(LogWriter("dbname=x").prometheus())

    assert set(numbers.values()) == {0.0}
    assert {
        ("logs_written_total", None),
        ("logs_dropped_total", "buffer_full"),
        ("logs_set_aside_total", "bad_row"),
        ("logs_pending", None),
    } <= set(numbers)


def test_counters_say_so_in_their_names() -> None:
    """A counter ends in _total, a gauge does not."""
    text = LogWriter("dbname=x").prometheus()
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))

    assert {name for name in kinds if name.endswith("_total")} == {
        name for name, kind in kinds.items() if kind == "counter"
    }


def test_labels_are_escaped() -> None:
    """A quote, a backslash or a new line in a reason breaks no scrape."""
    odd = 'a"b\\c\nd'
    text = prometheus_text([("x_total", "counter", "X.", {odd: 3, "plain": 4})])

    assert r'x_total{reason="a\"b\\c\nd"} 3' in text
    assert list(parsed(text).values()) == [3.0, 4.0]


def test_large_numbers_keep_their_digits() -> None:
    """A year of logs at full speed is counted to the last record."""
    text = prometheus_text([("x_total", "counter", "X.", 157_680_000_001)])

    assert "x_total 157680000001\n" in text
