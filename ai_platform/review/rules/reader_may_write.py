"""A role that could only read may write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_platform.amounts import counted

from ._rights import PUBLIC, rights_of
from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ai_platform.catalog import Key, Snapshot

    from ._context import RevisionContext

__all__ = ["RULE"]

_KINDS: Final = {"table", "view", "materialized view", "foreign table"}
_WRITTEN: Final = {*_KINDS, "column"}
_WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "TRUNCATE"})
_FEWEST: Final = 2
"""So many tables must have been read by a role for that to be what it is for."""


def check(revision: RevisionContext) -> Iterator[Hit]:
    before = revision.evidence.before
    if before is None or revision.evidence.after is None:
        return
    readers = _readers(before, revision.made_before)
    given: dict[str, list[str]] = {}
    words: dict[str, set[str]] = {}
    for kind in sorted(_WRITTEN):
        for item in revision.objects(kind):
            for role, rights in rights_of(item.properties).items():
                if rights & _WRITES and _is_read(item.key, readers.get(role, ())):
                    given.setdefault(role, []).append(item.key.identity)
                    words.setdefault(role, set()).update(rights & _WRITES)
    for role, names in sorted(given.items()):
        first, *others = sorted(names)
        more = f" and {counted(len(others), 'other')}" if others else ""
        told = f"could only read so far, and gets {', '.join(sorted(words[role]))} on "
        yield Hit(role, f"{told}{first}{more}", is_measured=True)


def _is_read(key: Key, tables: Iterable[str]) -> bool:
    """Return whether the object of *key* is one of *tables*, or a column of one.

    A role that read two views and gets tables of its own was not there to look.
    """
    if key.kind == "column":
        return any(key.identity.startswith(f"{table}.") for table in tables)
    return key.identity in tables


def _readers(catalog: Snapshot, made: frozenset[str]) -> dict[str, set[str]]:
    """Return roles that read several tables, and write and own none, with those.

    What the review itself has *made* nobody reads in production.
    """
    reads: dict[str, set[str]] = {}
    writers = {PUBLIC}
    for item in catalog:
        writers.add(str(item.properties.get("owner")))
        if item.key.kind not in _WRITTEN:
            continue
        for role, rights in rights_of(item.properties).items():
            if rights & _WRITES:
                writers.add(role)
            elif item.key.kind == "column" or item.key.identity in made:
                continue
            elif "SELECT" in rights:
                reads.setdefault(role, set()).add(item.key.identity)
    return {
        role: tables
        for role, tables in reads.items()
        if len(tables) >= _FEWEST and role not in writers
    }


RULE = Rule(
    id="reader-may-write",
    number=49,
    title="a role that could only read may write",
    family="security",
    severity="warning",
    hazard=(
        "Reports, dashboards and people look at data with a role that can do no harm. "
        "From the commit on it can, and nobody who uses it knows."
    ),
    measured=(
        "The rights before and after: a role that read two tables or more, and wrote "
        "and owned none, gets INSERT, UPDATE, DELETE or TRUNCATE on one of those, "
        "be it on a column."
    ),
    remedy="Leave it to a role that writes already, or make one for it.",
    revision=check,
)
