"""A review as JSON, equal for equal reviews but for one block of timings."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, is_dataclass
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Literal,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from ai_platform.errors import BadValue
from ai_platform.review.facts import Review
from ai_platform.text import is_unsafe

from .verdict import judge

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SCHEMA_VERSION", "load", "to_json"]

SCHEMA_VERSION: Final = 1
"""Counts up whenever a reader of the last version would read something wrong."""

_WAYS: Final = ("up", "down")


def to_json(review: Review) -> str:
    """Return *review* as the JSON text that docs/review-schema.json describes.

    Keys are sorted. What differs from run to run stands under ``timing`` alone, by
    revision and way, in the order of the statements.
    """
    facts = asdict(review)
    timing = {
        one["revision"]: {
            way: [item.pop("timing") for item in one[way]] for way in _WAYS
        }
        for one in facts["revisions"]
    }
    verdict = judge(review)
    document = {
        "schema_version": SCHEMA_VERSION,
        "verdict": {**asdict(verdict), "headline": verdict.headline},
        "review": facts,
        "timing": timing,
    }
    return _safe(json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False))


def load(text: str) -> Review:
    """Return the review that `to_json` wrote as *text*.

    Raises BadValue for anything else, also for another schema version.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadValue("not a review: no JSON") from None
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != SCHEMA_VERSION:
        raise BadValue(
            f"not a review of schema version {SCHEMA_VERSION}, got {version!r}",
            hint="write it again with this version of the platform",
        )
    try:
        return _review(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadValue(f"not a whole review: {error}") from None


def _review(document: dict[str, Any]) -> Review:
    facts = document["review"]
    for one in facts["revisions"]:
        timing = document["timing"][one["revision"]]
        for way in _WAYS:
            pairs = zip(one[way], timing[way], strict=True)
            one[way] = [{**item, "timing": spent} for item, spent in pairs]
    return cast("Review", _value(Review, facts, "review"))


def _value(kind: Any, data: Any, where: str) -> Any:
    """Return *data* as a value of *kind*; raises TypeError naming *where*."""
    if is_dataclass(kind):
        return _record(kind, data, where)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        if data is None and NoneType in inner:
            return None
        return _value(inner[0], data, where)
    if origin is tuple and isinstance(data, list):
        return tuple(
            _value(inner[0], item, f"{where}[{place}]")
            for place, item in enumerate(data)
        )
    if _is_of(kind, data):
        return data
    raise TypeError(f"{where} cannot be {data!r:.60}")


def _is_of(kind: Any, data: Any) -> bool:
    if get_origin(kind) is Literal:
        return data in get_args(kind)
    if kind is float:
        return isinstance(data, int | float) and not isinstance(data, bool)
    return type(data) is kind


def _record(kind: Any, data: Any, where: str) -> Any:
    names = {item.name for item in fields(kind)}
    if not isinstance(data, dict) or data.keys() != names:
        given = data.keys() if isinstance(data, dict) else set()
        wrong = sorted(names ^ given)
        raise TypeError(f"{where} has or lacks {', '.join(map(repr, wrong)):.200}")
    hints = get_type_hints(kind)
    return kind(
        **{name: _value(hints[name], data[name], f"{where}.{name}") for name in names}
    )


def _safe(text: str) -> str:
    """Return *text* with what no terminal and no UTF-8 stands as JSON escapes."""
    return "".join(_escaped(text))


def _escaped(text: str) -> Iterator[str]:
    for char in text:
        kept = char == "\n" or not is_unsafe(char)
        yield char if kept else f"\\u{ord(char):04x}"
