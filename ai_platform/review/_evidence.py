"""Turn what was read before and after a statement into facts; no database here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ai_platform.catalog import diff
from ai_platform.catalog.difference import WHOLE, is_trace

from .facts import CONFLICTS, MODES, Change, Lock, Scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ai_platform.catalog import Snapshot

    from ._monitor import Seen
    from ._readings import Counts, Reading
    from ._relations import Known
    from .facts import StatementFacts

__all__ = ["catalog_changes", "locks", "rewritten", "rows", "rows_read", "touched"]

# An instant of a weaker mode blocks nobody, and a look every half millisecond sees it
# or not.
_WORTH_SEEING: Final = {"SUX", "S", "SRX", "X", "AX"}
_RANK: Final = {mode: rank for rank, mode in enumerate(CONFLICTS)}


def locks(
    known: Known, before: Reading, after: Reading, seen: Seen, *, weak: bool = False
) -> Iterator[Lock]:
    """Yield the locks on *known* relations: held at the end, or seen on the way.

    Of the latter only those that block somebody, or with *weak* all.
    """
    for oid, mode in after.held:
        if oid in known:
            yield Lock(
                known[oid].name,
                known[oid].kind,
                MODES[mode],
                is_new=(oid, mode) not in before.held,
                waited=(oid, mode) in seen.waited,
            )
    for oid, mode in seen.held - after.held - before.held:
        if oid in known and (weak or MODES[mode] in _WORTH_SEEING):
            yield Lock(
                known[oid].name,
                known[oid].kind,
                MODES[mode],
                is_transient=True,
                waited=(oid, mode) in seen.waited,
            )


def rewritten(before: Reading, after: Reading) -> list[int]:
    """Return the relations that are in another file than before."""
    return sorted(
        oid
        for oid, file in after.files.items()
        if oid in before.files and before.files[oid] != file
    )


def rows_read(known: Known, before: Reading, after: Reading) -> tuple[Scan, ...]:
    """Return the rows that were read sequentially, of *known* tables."""
    return _scans(
        Scan(known[oid].name, item.read)
        for oid, item in _added(before, after)
        if oid in known
    )


def rows(
    known: Known, before: Reading, after: Reading, *, verb: str
) -> tuple[Scan, ...]:
    """Return the rows that were inserted, updated or deleted, as *verb* says."""
    return _scans(
        Scan(known[oid].name if oid in known else item.name, getattr(item, verb))
        for oid, item in _added(before, after)
    )


def _added(before: Reading, after: Reading) -> Iterator[tuple[int, Counts]]:
    for oid, item in after.counts.items():
        yield oid, item.since(before.counts.get(oid))


def _scans(found: Iterable[Scan]) -> tuple[Scan, ...]:
    return tuple(sorted(scan for scan in found if scan.rows > 0))


def touched(facts: StatementFacts) -> set[str]:
    """Return what was locked, and what was counted: a short lock may go unseen."""
    rows = (*facts.scanned, *facts.inserted, *facts.updated, *facts.deleted)
    return {item.relation for item in facts.locks} | {item.relation for item in rows}


def catalog_changes(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """Return what distinguishes two catalogs, without what nobody can take back."""
    return tuple(
        Change(
            item.kind,
            item.identity,
            item.property,
            _text(item.expected, item.property),
            _text(item.actual, item.property),
        )
        for item in diff(before, after)
        if is_trace(item)
    )


def _text(value: Any, name: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if name == WHOLE:
        return str(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
