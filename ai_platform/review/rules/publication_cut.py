"""A published table can no longer be changed, or is no longer sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_platform.catalog import Snapshot

    from ._context import RevisionContext

__all__ = ["RULE"]

_CHANGES: Final = {"update", "delete"}


def check(revision: RevisionContext) -> Iterator[Hit]:
    before, after = revision.evidence.before, revision.evidence.after
    if before is None or after is None:
        return
    yield from _unsent(before, after)
    stuck = set(_stuck(before))
    for table in sorted(set(_stuck(after)) - stuck):
        yield Hit(
            table,
            "is published without a replica identity: UPDATE and DELETE are refused",
            is_measured=True,
        )


def _unsent(before: Snapshot, after: Snapshot) -> Iterator[Hit]:
    """Yield what a publication sent before the revision, and does not after it."""
    left = {item.key: item.properties for item in after}
    there = {item.key.identity for item in after if item.key.kind == "table"}
    for item in before:
        if item.key.kind != "publication":
            continue
        now = left.get(item.key, {})
        for table in sorted(there & _named(item.properties)):
            if not _publishes(now, table):
                yield Hit(
                    table,
                    f"publication {item.key.identity} sends it no more: subscribers "
                    "keep what they have",
                    is_measured=True,
                    severity="warning",
                )


def _named(publication: Mapping[str, Any]) -> set[str]:
    return {text.split(" (")[0] for text in publication.get("tables") or ()}


def _stuck(catalog: Snapshot) -> Iterator[str]:
    """Yield the published tables whose rows cannot be told apart."""
    publications = [
        item.properties
        for item in catalog
        if item.key.kind == "publication"
        and _CHANGES & set(item.properties.get("publishes") or ())
    ]
    if not publications:
        return
    keyed = {
        item.parent.removeprefix("table ")
        for item in catalog
        if item.parent and str(item.properties.get("definition")).startswith("PRIMARY")
    }
    for item in catalog:
        if item.key.kind == "table" and not item.properties.get("form"):
            table = item.key.identity
            identity = item.properties.get("replica identity") or "default"
            bare = identity == "default" and table not in keyed
            if (identity == "nothing" or bare) and any(
                _publishes(publication, table) for publication in publications
            ):
                yield table


def _publishes(publication: Mapping[str, Any], table: str) -> bool:
    if publication.get("all tables"):
        return True
    schema = table.rpartition(".")[0]
    if schema in (publication.get("schemas") or ()):
        return True
    return any(text.split(" (")[0] == table for text in publication.get("tables") or ())


RULE = Rule(
    id="publication-cut",
    number=36,
    title="a published table cannot be changed, or is sent no more",
    family="code",
    severity="error",
    hazard=(
        "A table that a publication sends UPDATE or DELETE of needs a replica "
        "identity. Without a primary key, or with REPLICA IDENTITY NOTHING, PostgreSQL "
        "refuses every UPDATE and DELETE on it from the commit on. A table taken out "
        "of a publication grows old at the subscribers, in silence."
    ),
    measured=(
        "The catalog after the revision: a table of a publication of updates or "
        "deletes that has no replica identity, and had one or was not published "
        "before; as a warning, one that is named in a publication no more."
    ),
    remedy=(
        "Give it a primary key, or REPLICA IDENTITY USING INDEX a unique index over "
        "NOT NULL columns; exchange a primary key within one ALTER TABLE. FULL works, "
        "and writes the whole old row to the WAL."
    ),
    revision=check,
)
