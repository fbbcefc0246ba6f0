"""The facts of a statement and of a revision as labelled lines of plain text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ai_platform.amounts import in_bytes, in_seconds
from ai_platform.review.facts import strength

from .verdict import leaks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ai_platform.review.facts import (
        Change,
        Finding,
        Lock,
        Review,
        RevisionFacts,
        StatementFacts,
    )

__all__ = [
    "WAITING",
    "basis",
    "facts",
    "failure",
    "in_words",
    "rights_moved",
    "spent",
    "troubles",
]

WAITING: Final = {"R": "reads", "W": "writes", "D": "DDL and VACUUM"}
"""What the letters of `Blocked` stand for."""


def facts(item: StatementFacts) -> Iterator[tuple[str, list[str]]]:
    """Yield a label and its values for every fact of *item* that there is."""
    groups = {
        "Locks": _locks(one for one in item.locks if one.is_new),
        "Held from before": _locks(one for one in item.locks if not one.is_new),
        "Waiting meanwhile": [
            f"{one.relation}: {', '.join(WAITING[letter] for letter in one.letters)}"
            for one in item.blocked
            if one.letters
        ],
        "Waits for": ["every transaction that is older"] if item.outwaits else [],
        "Rewritten": [
            f"{one.relation}, {in_bytes(one.size)}" for one in item.rewritten
        ],
        "Read in full": [f"{one.relation}, {one.rows:,} rows" for one in item.scanned],
        "Rows inserted": [f"{one.relation}, {one.rows:,}" for one in item.inserted],
        "Rows updated": [f"{one.relation}, {one.rows:,}" for one in item.updated],
        "Rows deleted": [f"{one.relation}, {one.rows:,}" for one in item.deleted],
        "Changes": [in_words(one) for one in item.changes],
        "Said by the server": list(item.notices),
    }
    yield from ((label, values) for label, values in groups.items() if values)


def spent(item: StatementFacts) -> str:
    """Return what *item* cost, or why nothing is known of it."""
    if item.error:
        return f"failed: {item.error}"
    if not item.is_measured:
        return "not measured"
    timing = item.timing
    parts = [f"{in_seconds(timing.duration_s)} here"]
    if timing.estimated_s is not None:
        parts.append(f"about {in_seconds(timing.estimated_s)} in production")
    if timing.held_s:
        parts.append(f"strongest lock held {in_seconds(timing.held_s)}")
    if timing.wal_bytes:
        parts.append(f"{in_bytes(timing.wal_bytes)} of WAL")
    if timing.temp_bytes:
        parts.append(f"{in_bytes(timing.temp_bytes)} of temporary files")
    return ", ".join(parts)


def _locks(locks: Iterable[Lock]) -> list[str]:
    """Return a line per relation, its strongest lock first, the strongest on top."""
    found: dict[tuple[str, str], list[Lock]] = {}
    for lock in sorted(locks, key=lambda one: (-strength(one), one)):
        found.setdefault((lock.relation, lock.kind), []).append(lock)
    return [
        _lock_in_words(first, dict.fromkeys(lock.mode for lock in rest))
        for first, *rest in found.values()
    ]


def _lock_in_words(lock: Lock, others: Iterable[str]) -> str:
    """Return mode, relation and circumstances of *lock*, and the weaker *others*."""
    notes = [lock.kind]
    if lock.is_transient:
        notes.append("while it ran")
    if lock.waited:
        notes.append("had to wait")
    weaker = [mode for mode in others if mode != lock.mode]
    if weaker:
        notes.append(f"also {' '.join(weaker)}")
    return f"{lock.mode} {lock.relation} ({', '.join(notes)})"


def basis(item: Finding) -> str | None:
    """Return what *item* rests on where that is no measurement."""
    if item.is_measured:
        return None
    if item.unseen is not None:
        return f"measured, but {item.unseen}: read from the text"
    return "read from the text, not measured"


def in_words(change: Change) -> str:
    """Return one difference of two catalogs on one line."""
    name = f"{change.kind} {change.identity}"
    if change.property == "object":
        return f"{name}: {'new' if change.before is None else 'gone'}"
    if change.property == "rights" and (moved := "; ".join(rights_moved(change))):
        return f"{name}: {moved}"
    before, after = change.before or "none", change.after or "none"
    return f"{name}: {change.property}: {before} → {after}"


def rights_moved(change: Change, before: str | None = None) -> Iterator[str]:
    """Yield who is given which rights, then from whom which are taken.

    Counted from *before*, where it is given.
    """
    old = _given(change.before if before is None else before)
    new = _given(change.after)
    yield from (f"given {right}" for right in _only(new, old))
    yield from (f"taken {right}" for right in _only(old, new))


def _only(some: dict[str, list[str]], other: dict[str, list[str]]) -> Iterator[str]:
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


def troubles(one: RevisionFacts, review: Review) -> Iterator[str]:
    """Yield what kept a revision from being measured, and what its way down left."""
    if one.error:
        yield failure(one)
    ways: Sequence[tuple[str, tuple[StatementFacts, ...]]] = (
        ("up", one.up),
        ("down", one.down),
    )
    for way, statements in ways:
        behind = [item for item in statements if _is_behind(item, one)]
        for item in statements:
            if (
                item.error
                and item.error not in (one.error or "")
                and item not in behind
            ):
                yield f"{way} {item.number} {item.tag} failed: {item.error}"
            elif not item.error and review.is_measured and not item.is_measured:
                yield f"{way} {item.number} {item.tag} was not measured"
        if behind:
            yield f"{way} {_numbers(behind)} not run, because of that"
    if leaks(one, review):
        left = one.left_behind
        yield from (f"left by the way down: {in_words(item)}" for item in left)
        yield from (f"data lost on the way down: {name}" for name in one.lost)


def failure(one: RevisionFacts) -> str:
    """Return where and why a revision failed."""
    places = [item for item in one.up if item.error == one.error]
    if len(places) != 1:
        return f"failed: {one.error}"
    return f"failed at statement {places[0].number}, {places[0].tag}: {one.error}"


def _is_behind(item: StatementFacts, one: RevisionFacts) -> bool:
    """Return whether *item* was not run because one before it had failed."""
    first, cause = item.error or "", one.error or ""
    return bool(cause) and first != cause and first.endswith(f": {cause}")


def _numbers(items: Sequence[StatementFacts]) -> str:
    if len(items) == 1:
        return f"{items[0].number} {items[0].tag} was"
    return f"{items[0].number} to {items[-1].number} were"
