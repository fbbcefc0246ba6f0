"""Who may do more or less than before, and which rows are hidden from whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._describe import in_words, rights_moved

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    name = f"{change.kind} {change.identity}"
    yield from (f"{name}: {moved}" for moved in rights_moved(change, before or "[]"))
