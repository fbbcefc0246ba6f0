"""Figures of the request log: on a terminal, as JSON, as a page with plots."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ai_platform.page import page, table

from ._charts import columns
from ._console import json_text, say, show
from ._files import write_files
from ._plots import Series, line_plot, ranking, stacked_plot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from pathlib import Path

    from ai_platform.reading.stats import Figures, Group, Stats

__all__ = ["show_stats", "write_page"]

_NOTHING = "(none)"
_EDGE = 6
_COLUMNS = {
    "requests": "requests",
    "server_errors": "5xx",
    "error_rate": "5xx %",
    "client_errors": "4xx",
    "p50_ms": "p50 ms",
    "p95_ms": "p95 ms",
    "p99_ms": "p99 ms",
}


def show_stats(found: Stats, *, as_json: bool) -> None:
    """Print *found*: figures, a chart over time, tables; or JSON with everything."""
    if as_json:
        print(json_text(asdict(found), indent=2))  # noqa: T201 - made safe
        return
    if not found.total.requests:
        say(f"no requests: {_span(found)}")
        return
    say(f"requests: {_span(found)}")
    say()
    for name, value in _summary(found).items():
        say(f"  {name:<10} {value}")
    say()
    for title, values, height in _charts(found):
        say(f"{title} per {_said(found.bucket)}")
        times = [bucket.at for bucket in found.buckets]
        chart = list(zip(times, values, strict=True))
        for line in columns(chart, height=height, edge=_EDGE):
            say(line)
    _show_groups(f"most requests by {found.by}", found.by, found.most_requests)
    shown = {one.value for one in found.most_requests}
    if any(one.value not in shown for one in found.slowest):
        _show_groups(f"slowest by {found.by}", found.by, found.slowest)
    if found.by != "status":
        _show_groups("statuses", "status", found.statuses)


def _charts(found: Stats) -> Iterator[tuple[str, list[float | None], int]]:
    """Yield title, values and height of what is shown over time."""
    figures = [bucket.figures for bucket in found.buckets]
    yield "requests", [float(one.requests) for one in figures], 6
    if found.total.server_errors:
        yield "5xx", [float(one.server_errors) for one in figures], 3
    if found.total.p95_ms is not None:
        yield "p95 in ms", [_number(one.p95_ms) for one in figures], 4


def _number(value: int | None) -> float | None:
    return None if value is None else float(value)


def write_page(found: Stats, path: Path) -> None:
    """Write *found* as one HTML page to *path*, as a whole or not at all."""
    write_files(path.parent, {path.name: _page(found)})


def _page(found: Stats) -> str:
    times = [bucket.at for bucket in found.buckets]
    figures = [bucket.figures for bucket in found.buckets]
    said = _said(found.bucket)
    classes = [
        Series("2xx", [one.ok for one in figures], "good"),
        Series("3xx", [one.redirects for one in figures], "calm"),
        Series("4xx", [one.client_errors for one in figures], "warn"),
        Series("5xx", [one.server_errors for one in figures], "bad"),
        Series("other", [one.other for one in figures], "quiet"),
    ]
    rates = [None if f.error_rate is None else 100 * f.error_rate for f in figures]
    latency = [
        Series("p50", [one.p50_ms for one in figures], "calm"),
        Series("p95", [one.p95_ms for one in figures], "warn"),
        Series("p99", [one.p99_ms for one in figures], "bad"),
    ]
    counts = [(_value(one), float(one.figures.requests)) for one in found.most_requests]
    slow = [(_value(one), float(one.figures.p95_ms or 0)) for one in found.slowest]
    headings = {"value": found.by, **_COLUMNS}
    return page(
        "Request log",
        [
            stacked_plot(
                f"Requests per {said}",
                times,
                [one for one in classes if any(one.values)] or classes[:1],
            ),
            line_plot(
                "Error rate, 5xx", times, [Series("5xx", rates, "bad")], unit="%"
            ),
            line_plot("Latency", times, latency, unit="ms"),
            ranking(f"Most requests by {found.by}", counts),
            ranking(f"Slowest by {found.by}: p95", slow, unit="ms", tone="warn"),
            table("In figures", _rows(found.most_requests), headings=headings),
            table(
                "Statuses",
                _rows(found.statuses),
                headings={"value": "status", **_COLUMNS},
            ),
        ],
        subtitle=_span(found),
        figures=_summary(found),
        footer="Percentiles are durations of real requests. Times are UTC.",
    )


def _span(found: Stats) -> str:
    first, last = (f"{at:%Y-%m-%d %H:%M:%S}" for at in (found.since, found.until))
    return f"{first} to {last} UTC"


def _summary(found: Stats) -> dict[str, str]:
    total = found.total
    seconds = (found.until - found.since).total_seconds()
    return {
        "requests": f"{total.requests:,}",
        "a second": f"{total.requests / seconds:,.2f}",
        "5xx": _share(total.server_errors, total),
        "4xx": _share(total.client_errors, total),
        "p50": _milliseconds(total.p50_ms),
        "p95": _milliseconds(total.p95_ms),
        "p99": _milliseconds(total.p99_ms),
    }


def _share(count: int, total: Figures) -> str:
    return f"{100 * count / total.requests:.2f} %" if total.requests else "-"


def _milliseconds(value: int | None) -> str:
    return "-" if value is None else f"{value:,} ms"


def _said(bucket: timedelta) -> str:
    """Return *bucket* as it may be typed: 15m, 1h, 7d."""
    seconds = bucket.total_seconds()
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s"


def _value(group: Group) -> str:
    return _NOTHING if group.value is None else group.value


def _rows(groups: list[Group]) -> list[dict[str, Any]]:
    rows = []
    for one in groups:
        figures = asdict(one.figures)
        rate = figures["error_rate"]
        figures["error_rate"] = None if rate is None else round(100 * rate, 2)
        rows.append({"value": _value(one), **figures})
    return rows


def _show_groups(title: str, by: str, groups: list[Group]) -> None:
    say()
    say(title)
    show(_rows(groups), as_json=False, columns={"value": by, **_COLUMNS})
