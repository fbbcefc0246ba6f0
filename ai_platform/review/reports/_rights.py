"""Who may do more or less than before, and which rows are hidden from whom."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ._describe import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ai_platform.review.facts import Change, RevisionFacts

__all__ = ["is_of_rights", "rights_delta"]

_PROPERTIES: Final = {"rights", "row security", "row security forced", "owner"}
_KINDS: Final = {"policy", "default privileges", "role"}


def is_of_rights(change: Change) -> bool:
    """Return whether *change* decides who may see or do something."""
    return change.property in _PROPERTIES or change.kind in _KINDS


def rights_delta(one: RevisionFacts) -> tuple[str, ...]:
    """Return a line for each right that *one* gives or takes, also on what it makes.

    What a statement gave and a later one took back is no change.
    """
    first: dict[tuple[str, str, str], str | None] = {}
    last: dict[tuple[str, str, str], Change] = {}
    stepwise = (item for step in one.up for item in step.changes)
    for change in (*stepwise, *one.changes):
        if is_of_rights(change):
            key = (change.kind, change.identity, change.property)
            first.setdefault(key, change.before)
            last[key] = change
    return tuple(
        line
        for key, change in sorted(last.items(), key=lambda item: item[0])
        for line in _lines(change, first[key])
    )


def _lines(change: Change, before: str | None) -> Iterator[str]:
    if before == change.after:
        return
    if change.property != "rights":
        yield in_words(change)
        return
    old, new = _given(before), _given(change.after)
    name = f"{change.kind} {change.identity}"
    yield from (f"{name}: given {right}" for right in _only(new, old))
    yield from (f"{name}: taken {right}" for right in _only(old, new))


def _only(some: dict[str, list[str]], other: dict[str, list[str]]) -> Iterable[str]:
    for role, rights in some.items():
        left = [right for right in rights if right not in other.get(role, [])]
        if left:
            yield f"{role}: {', '.join(left)}"


def _given(text: str | None) -> dict[str, list[str]]:
    """Return the rights of each role in *text*, as the catalog writes them."""
    try:
        items = json.loads(text or "[]")
    except ValueError:
        return {str(text): []}
    found: dict[str, list[str]] = {}
    for item in items if isinstance(items, list) else [items]:
        role, _, rights = str(item).rpartition(": ")
        found.setdefault(role, []).extend(rights.split(", "))
    return found
