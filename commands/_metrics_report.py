"""Metrics of nodes: on a terminal, as JSON, as a page with plots."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from ai_platform.page import page, table
from ai_platform.reading.metrics import Metrics, Point

from ._charts import columns
from ._console import json_text, say, show
from ._files import write_files
from ._plots import TONES, Series, line_plot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from ai_platform.reading.metrics import Day

    Found: TypeAlias = Metrics | list[Day]

__all__ = ["show_found", "write_page"]

_NODES = {
    "node_id": "node",
    "kind": "kind",
    "status": "status",
    "last_seen_at": "last seen",
    "rows": "rows",
    "avg_mem": "memory MB",
    "max_mem": "highest",
    "avg_tasks": "tasks",
    "max_conns": "connections",
    "waits": "waits",
}
_HELD = {
    "at": "seen",
    "node_id": "node",
    "pool": "pool",
    "seconds": "seconds",
    "by": "held by",
    "taken": "taken at",
}
_DAYS = {
    "day": "day",
    "node_id": "node",
    "samples": "samples",
    "avg_mem": "memory MB",
    "max_mem": "highest",
    "avg_tasks": "tasks",
    "max_conns": "connections",
    "is_archived": "archived",
}
_PLOTS = (
    ("Memory", "avg_mem", "MB"),
    ("Tasks", "avg_tasks", ""),
    ("Connections", "max_conns", ""),
    ("Waits for a connection", "waits", ""),
)
_MOST_LINES = 6


def show_found(found: Found, *, now: datetime, as_json: bool) -> None:
    """Print *found*: tables and a chart over time, or JSON with everything."""
    if as_json:
        plain: Any = (
            asdict(found)
            if isinstance(found, Metrics)
            else [asdict(day) for day in found]
        )
        print(json_text(plain, indent=2))  # noqa: T201 - made safe
    elif isinstance(found, Metrics):
        _show_metrics(found, now)
    else:
        rows = [_day(day) for day in found]
        show(rows, as_json=False, columns=_DAYS, empty="no day is archived yet")


def write_page(found: Found, path: Path, *, now: datetime) -> None:
    """Write *found* as one HTML page to *path*, as a whole or not at all."""
    text = _page(found, now) if isinstance(found, Metrics) else _days_page(found, now)
    write_files(path.parent, {path.name: text})


def _show_metrics(found: Metrics, now: datetime) -> None:
    rows = _nodes(found, now)
    show(rows, as_json=False, columns=_NODES, empty="no node and no sample")
    times = _times(found)
    for title, name, unit in _PLOTS[:3]:
        totals = _total(found.points, name, times)
        if not any(totals):
            continue
        say()
        say(f"{title}, all nodes{f', {unit}' if unit else ''}")
        for line in columns(list(zip(times, totals, strict=True)), height=4):
            say(line)
    if found.held:
        say()
        rows = [asdict(held) for held in found.held]
        show(rows, as_json=False, columns=_HELD)


def _nodes(found: Metrics, now: datetime) -> list[dict[str, Any]]:
    """Return one row per node: what the registry says, and its figures."""
    known = {node.node_id: asdict(node) for node in found.nodes}
    names = sorted({*known, *(point.node_id for point in found.points)})
    rows = []
    for name in names:
        points = [point for point in found.points if point.node_id == name]
        row = dict.fromkeys(_NODES) | known.get(name, {}) | _figures(points)
        row["node_id"] = name
        if (seen := row["last_seen_at"]) is not None:
            row["last_seen_at"] = f"{max(0, round((now - seen).total_seconds()))} s ago"
        rows.append(row)
    return rows


def _figures(points: list[Point]) -> dict[str, Any]:
    return {
        "rows": sum(point.rows for point in points),
        "avg_mem": _mean(points, "avg_mem"),
        "max_mem": _most(points, "max_mem"),
        "avg_tasks": _mean(points, "avg_tasks"),
        "max_conns": _most(points, "max_conns"),
        "waits": sum(point.waits or 0 for point in points) if points else None,
    }


def _mean(points: list[Point], name: str) -> float | None:
    known = [(getattr(p, name), p.rows) for p in points if getattr(p, name) is not None]
    rows = sum(count for _, count in known)
    return round(sum(v * count for v, count in known) / rows, 1) if rows else None


def _most(points: list[Point], name: str) -> int | None:
    known = [getattr(p, name) for p in points if getattr(p, name) is not None]
    return max(known, default=None)


def _times(found: Metrics) -> list[datetime]:
    """Return the beginnings of all buckets, those without samples too."""
    count = max(1, -(-(found.until - found.since) // found.bucket))
    return [found.since + found.bucket * place for place in range(count)]


def _total(
    points: Sequence[Point], name: str, times: list[datetime]
) -> list[float | None]:
    found: dict[datetime, float] = {}
    for point in points:
        if (value := getattr(point, name)) is not None:
            found[point.at] = found.get(point.at, 0.0) + float(value)
    return [found.get(at) for at in times]


def _page(found: Metrics, now: datetime) -> str:
    times = _times(found)
    cards = [
        line_plot(title, times, list(_series(found.points, name, times)), unit=unit)
        for title, name, unit in _PLOTS
        if any(getattr(point, name) for point in found.points)
    ]
    cards.append(table("Nodes", _nodes(found, now), headings=_NODES))
    if found.held:
        rows = [asdict(held) for held in found.held]
        cards.append(table("Connections held too long", rows, headings=_HELD))
    return page(
        "Metrics",
        cards,
        subtitle=f"{found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC",
        figures={
            "nodes up": str(sum(node.status == "up" for node in found.nodes)),
            "rows": f"{sum(point.rows for point in found.points):,}",
        },
        footer=f"Each point is the mean of {found.bucket}; connections the highest.",
    )


def _series(
    points: Sequence[Point | Day], name: str, times: list[datetime]
) -> Iterator[Series]:
    """Yield one line per node, in a tone that it has in every plot of the page.

    Of many nodes only those with the most memory.
    """
    lines: dict[str, dict[datetime, float]] = {}
    for point in points:
        if (value := getattr(point, name)) is not None:
            at = point.at if isinstance(point, Point) else _begin(point)
            lines.setdefault(point.node_id, {})[at] = float(value)
    for place, node in enumerate(_largest(points)):
        if node in lines:
            values = [lines[node].get(at) for at in times]
            yield Series(node, values, TONES[place % len(TONES)])


def _largest(points: Sequence[Point | Day]) -> list[str]:
    memory: dict[str, float] = {}
    for point in points:
        memory[point.node_id] = max(memory.get(point.node_id, 0), point.avg_mem or 0)
    return sorted(sorted(memory, key=lambda node: -memory[node])[:_MOST_LINES])


def _days_page(found: list[Day], now: datetime) -> str:
    known = [_begin(day) for day in found] or [now]
    count = (max(known) - min(known)).days + 1
    times = [min(known) + timedelta(days=n) for n in range(count)]
    plots = [
        line_plot(title, times, list(_series(found, name, times)), unit=unit)
        for title, name, unit in _PLOTS[:3]
        if any(getattr(day, name) for day in found)
    ]
    rows = [_day(day) for day in found]
    return page(
        "Metrics by the day",
        [*plots, table("Days", rows, headings=_DAYS)],
        subtitle=f"{len(times)} days, UTC",
    )


def _begin(day: Day) -> datetime:
    """Return when *day* began; the archive has UTC without a zone."""
    return day.day.replace(tzinfo=UTC)


def _day(day: Day) -> dict[str, Any]:
    found = asdict(day) | {"day": day.day.date().isoformat()}
    for name in ("avg_mem", "avg_tasks"):
        if found[name] is not None:
            found[name] = round(found[name], 1)
    found["is_archived"] = "yes" if day.is_archived else "no"
    return found
