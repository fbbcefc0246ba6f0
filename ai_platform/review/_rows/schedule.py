"""Which of its values a column takes in which row: over and over, every one shown."""

from __future__ import annotations

import random
from collections import Counter
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from .templates import ROW

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .templates import Template

__all__ = ["Style", "allowed", "indexed", "schedule", "scheduled", "spread"]

_PERIOD: Final = 40
_NULLS: Final = 4
_MOST_EDGES: Final = 12
_SHAPES: Final = 64


class Style(IntEnum):
    """How adventurous the values are; the next one is for tables that resist."""

    FULL = 0
    NO_EDGES = 1
    PLAIN = 2


def allowed(ways: list[Template], style: Style, *, is_hot: bool) -> list[int]:
    """Return the numbers of the ways that rows of *style* may take."""
    found = [n for n, way in enumerate(ways) if not way.is_edge or style is Style.FULL]
    if is_hot:
        roomy = max(way.capacity for way in ways)
        found = [n for n, w in enumerate(ways) if w.capacity == roomy or w.columns]
    return found or list(range(len(ways)))


def schedule(ways: list[Template], style: Style, *, is_hot: bool) -> list[int]:
    """Return the ways that successive rows take, over and over."""
    null = [n for n, way in enumerate(ways) if way.sql == "NULL"]
    default = [n for n, way in enumerate(ways) if way.is_default]
    roomy = max(way.capacity for way in ways)
    wide = [n for n, w in enumerate(ways) if w.capacity > 1 and not w.columns]
    best = [n for n in wide if ways[n].capacity == roomy]
    if style is Style.PLAIN and not is_hot:
        return (default or null or best or [0])[:1]
    rest = [n for n in range(len(ways)) if n not in {*wide, *null}]
    if wide:
        edges = [n for n in rest if style is Style.FULL][:_MOST_EDGES]
        body = best if is_hot else wide
    else:
        edges = []
        body = rest or null
    nulls = null * _NULLS if style is not Style.PLAIN else []
    room = _PERIOD - len(nulls) - len(edges)
    return [*nulls, *edges, *(body[n % len(body)] for n in range(room))]


def scheduled(order: list[int], number: int, *, is_hot: bool) -> str:
    shifted = indexed(order, f"({ROW} + {number * 7})")
    if not is_hot:
        return shifted
    # constants come once only: the second of them would not be unique
    return f"CASE WHEN {ROW} <= {len(order)} THEN {shifted} ELSE {order[-1]} END"


def indexed(numbers: Sequence[int], sql: str) -> str:
    if len(set(numbers)) == 1:
        return str(numbers[0])
    inner = ", ".join(map(str, numbers))
    return f"(ARRAY[{inner}])[1 + ({sql} % {len(numbers)})::int]"


def spread(
    found: list[tuple[int, ...]],
    ways_of: Mapping[str, list[Template]],
    names: list[str],
    style: Style,
    seed: int,
) -> list[tuple[int, ...]]:
    """Return some combinations that show every way, and mostly ordinary ones."""

    def ordinary(shape: tuple[int, ...]) -> int:
        ways = [ways_of[n][at] for n, at in zip(names, shape, strict=True)]
        if style is Style.PLAIN:
            return sum(way.is_default or way.sql == "NULL" for way in ways)
        return sum(
            (way.capacity > 1 or bool(way.columns)) - way.is_edge for way in ways
        )

    mixed = sorted(found)
    random.Random(seed).shuffle(mixed)  # noqa: S311 - data, not a secret
    best = sorted(mixed, key=ordinary, reverse=True)
    if style is Style.PLAIN:
        return [shape for shape in best if ordinary(shape) == ordinary(best[0])][:4]
    seen: Counter[tuple[int, int]] = Counter()
    chosen = []
    for shape in mixed:
        if any(not seen[pair] for pair in enumerate(shape)):
            chosen.append(shape)
            seen.update(enumerate(shape))
    chosen = chosen[: _SHAPES // 2]
    return [*chosen, *best[: _SHAPES - len(chosen)]]
