"""When a revision took its strong locks and how long it held them, as SVG."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from ai_platform.amounts import in_seconds
from ai_platform.page import text_of
from ai_platform.review.facts import strength

from ._summary import is_strong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ai_platform.review.facts import Lock, StatementFacts

__all__ = ["Held", "held", "timeline"]

_MOST_LANES: Final = 12
_TONES: Final = {"AX": "bad", "X": "bad", "SRX": "warn", "S": "warn"}
_QUARTERS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Held:
    """A strong lock and the seconds from which and to which it was held."""

    lock: Lock
    statement: int
    start_s: float
    end_s: float


def held(statements: Sequence[StatementFacts]) -> tuple[Held, ...]:
    """Return every strong lock with its time, in the order they were taken.

    A lock of a transaction ends with it; a transient one, and one of a statement that
    commits by itself, with its statement.
    """
    return tuple(_held(statements))


def timeline(statements: Sequence[StatementFacts]) -> str:
    """Return a lane of statements and one for each strong lock, on one scale."""
    total = max(map(_end, statements), default=0.0)
    if total <= 0:
        return ""
    lanes = [_lane("statements", in_seconds(total), _steps(statements, total))]
    found = _by_lock(held(statements))
    for (mode, relation), items in found[:_MOST_LANES]:
        bars = [
            _bar(
                item.start_s,
                item.end_s,
                total,
                _TONES[mode],
                f"taken by statement {item.statement} at {in_seconds(item.start_s)}, "
                f"held {in_seconds(item.end_s - item.start_s)}",
            )
            for item in items
        ]
        longest = in_seconds(sum(item.end_s - item.start_s for item in items))
        lanes.append(_lane(f"{mode} {relation}", longest, bars))
    rest = len(found) - _MOST_LANES
    more = f"<p class='soft'>and {rest} shorter ones</p>" if rest > 0 else ""
    none = "" if found else "<p class='soft'>no lock that makes writes wait</p>"
    drawn = "".join(lanes)
    return f'<ol class="lanes">{drawn}</ol>{_scale(total)}{more}{none}'


def _held(statements: Sequence[StatementFacts]) -> Iterator[Held]:
    for together, group in groupby(statements, key=lambda item: item.in_transaction):
        members = list(group)
        commit = max(map(_end, members))
        for item in members:
            for lock in item.locks:
                if not (lock.is_new and is_strong(lock)):
                    continue
                short = lock.is_transient or not together
                end = item.timing.start_s + item.timing.duration_s if short else commit
                yield Held(lock, item.number, item.timing.start_s, end)


def _end(item: StatementFacts) -> float:
    timing = item.timing
    return timing.start_s + max(timing.duration_s, timing.held_s)


def _by_lock(
    found: Iterable[Held],
) -> list[tuple[tuple[str, str], list[Held]]]:
    """Return the lanes, the strongest and longest first; what overlaps is one."""
    lanes: dict[tuple[str, str], list[Held]] = {}
    for item in sorted(found, key=lambda item: item.start_s):
        lane = lanes.setdefault((item.lock.mode, item.lock.relation), [])
        if lane and item.start_s <= lane[-1].end_s:
            end_s = max(item.end_s, lane[-1].end_s)
            lane[-1] = replace(lane[-1], end_s=end_s)
        else:
            lane.append(item)
    return sorted(
        ((key, lane) for key, lane in lanes.items() if not _is_covered(key, lanes)),
        key=lambda lane: (
            -strength(lane[1][0].lock),
            -sum(item.end_s - item.start_s for item in lane[1]),
            lane[0],
        ),
    )


def _is_covered(
    key: tuple[str, str], lanes: Mapping[tuple[str, str], Sequence[Held]]
) -> bool:
    """Return whether a stronger lock of the same relation is held all that time."""
    stronger = [
        other
        for (_, relation), lane in lanes.items()
        for other in lane
        if relation == key[1] and strength(other.lock) > strength(lanes[key][0].lock)
    ]
    return all(
        any(
            other.start_s <= item.start_s and item.end_s <= other.end_s
            for other in stronger
        )
        for item in lanes[key]
    )


def _steps(statements: Sequence[StatementFacts], total: float) -> list[str]:
    return [
        _bar(
            item.timing.start_s,
            item.timing.start_s + item.timing.duration_s,
            total,
            "calm" if place % 2 else "extra",
            f"{item.number} {item.tag}: {in_seconds(item.timing.duration_s)}",
        )
        for place, item in enumerate(statements)
    ]


def _bar(start: float, end: float, total: float, tone: str, said: str) -> str:
    # what is short can still be seen, within the picture
    wide = max(0.4, 100 * (end - start) / total)
    left = min(100 * start / total, 100 - wide)
    return (
        f'<rect x="{left:.2f}%" width="{wide:.2f}%" height="12" rx="2" '
        f'class="{tone}"><title>{text_of(said)}</title></rect>'
    )


def _lane(name: str, value: str, bars: Iterable[str]) -> str:
    said = f"{name}, {value}"
    return (
        f'<li><span class="name">{text_of(name)}</span>'
        f'<span class="value">{text_of(value)}</span>'
        f'<svg width="100%" height="12" role="img" aria-label="{text_of(said)}">'
        f'<rect width="100%" height="12" rx="2" class="rail"/>{"".join(bars)}'
        "</svg></li>"
    )


def _scale(total: float) -> str:
    marks = "".join(
        f'<line x1="{part:.0%}" x2="{part:.0%}" y1="0" y2="5" class="grid"/>'
        f'<text x="{part:.0%}" y="18" text-anchor="{_anchor(part)}">'
        f"{in_seconds(part * total)}</text>"
        for part in _QUARTERS
    )
    return (
        f'<svg class="scale" width="100%" height="22" aria-hidden="true">{marks}</svg>'
    )


def _anchor(part: float) -> str:
    return {0.0: "start", 1.0: "end"}.get(part, "middle")
