"""Say how one value became another, short enough for one line."""

from __future__ import annotations

import json
from itertools import takewhile
from typing import Any

__all__ = ["change"]

_WIDE = 100
_AROUND = 24


def change(expected: Any, actual: Any) -> str:
    """Return ``expected → actual``; of long texts and lists only what differs."""
    if isinstance(expected, list | None) and isinstance(actual, list | None):
        return _list_change(expected or [], actual or [])
    left, right = _plain(expected), _plain(actual)
    if left == right:
        return "white space only"
    if max(len(left), len(right)) > _WIDE:
        left, right = _excerpts(left, right)
    return f"{left} → {right}"


def _list_change(expected: list[Any], actual: list[Any]) -> str:
    gone = [_plain(item) for item in expected if item not in actual]
    come = [_plain(item) for item in actual if item not in expected]
    if not gone and not come:  # the same things in another order
        gone, come = [_plain(i) for i in expected], [_plain(i) for i in actual]
    left, right = "; ".join(gone) or "none", "; ".join(come) or "none"
    if max(len(left), len(right)) > 2 * _WIDE:
        left, right = _excerpts(left, right)
    return f"{left} → {right}"


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if value is True:
        return "yes"
    if isinstance(value, str):
        return " ".join(value.split()) or repr(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _excerpts(left: str, right: str) -> tuple[str, str]:
    """Return the differing middles of two texts with a little of what surrounds."""
    pairs = list(zip(left, right, strict=False))
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    rest = min(len(left), len(right)) - head
    backwards = zip(left[::-1][:rest], right[::-1][:rest], strict=True)
    tail = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], backwards))
    return _cut(left, head, tail), _cut(right, head, tail)


def _cut(text: str, head: int, tail: int) -> str:
    start, end = max(0, head - _AROUND), min(len(text), len(text) - tail + _AROUND)
    middle = text[start:end]
    if len(middle) > 2 * _WIDE:
        middle = f"{middle[:_WIDE]} … {middle[-_AROUND:]}"
    return ("…" if start else "") + middle + ("…" if end < len(text) else "")
