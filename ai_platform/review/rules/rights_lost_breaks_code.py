"""Running code loses a right that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._rights import PUBLIC, rights_of
from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_platform.catalog import CatalogObject

    from ._context import RevisionContext

__all__ = ["RULE"]

_KINDS: Final = (
    *("table", "view", "materialized view", "sequence", "schema"),
    *("function", "procedure", "column"),
)
_WITH_COLUMNS: Final = ("table", "view", "materialized view")


def check(revision: RevisionContext) -> Iterator[Hit]:
    before, after = revision.evidence.before, revision.evidence.after
    if revision.phase == "contract" or before is None or after is None:
        return
    for kind in _KINDS:
        for item in revision.objects(kind):
            now = rights_of(item.properties)
            whole = _on_whole(revision, item)
            had = rights_of(_before(revision, item))
            for role, rights in had.items():
                lost = rights.difference(
                    *(
                        given.get(who, ())
                        for given in (now, whole)
                        for who in (role, PUBLIC)
                    )
                )
                # what PUBLIC loses was open to all, and closing it is the point
                if lost and role not in {PUBLIC, item.properties.get("owner")}:
                    yield Hit(
                        item.key.identity,
                        f"{role} loses {', '.join(sorted(lost))}",
                        is_measured=True,
                    )


def _on_whole(revision: RevisionContext, item: CatalogObject) -> dict[str, set[str]]:
    """Return the rights on the table of a column *item*, which count for it too."""
    found: dict[str, set[str]] = {}
    if item.key.kind == "column":
        table = item.key.identity.rpartition(".")[0]
        for other in revision.evidence.after or ():
            if other.key.identity == table and other.key.kind in _WITH_COLUMNS:
                found = rights_of(other.properties)
    return found


def _before(revision: RevisionContext, item: CatalogObject) -> Mapping[str, Any] | None:
    """Return what *item* was before, or the function of its name that it replaces.

    Code that calls a function by its name calls the new one, whatever it takes.
    """
    kind, identity = item.key.kind, item.key.identity
    known = revision.before(kind, identity)
    if known is not None or "(" not in identity:
        return known
    name, after = identity.partition("(")[0], revision.evidence.after or ()
    gone = [
        other.properties
        for other in revision.evidence.before or ()
        if other.key.kind == kind
        and other.key.identity.partition("(")[0] == name
        and other.key not in after
    ]
    return gone[0] if len(gone) == 1 else None


RULE = Rule(
    id="rights-lost-breaks-code",
    number=39,
    title="running code loses a right that it has",
    family="code",
    severity="warning",
    hazard=(
        "Old code goes on while the revision commits: a statement that needs the right "
        "is refused from then on, with permission denied."
    ),
    measured=(
        "The catalog before and after: rights that a role other than the owner and "
        "PUBLIC had on an object that is still there, and has no more. An object that "
        "is dropped and made again loses all of them, a function also where it is made "
        "again with other arguments."
    ),
    remedy=(
        "First a release that does without the right, then REVOKE in a revision that "
        "says Phase: contract. After DROP and CREATE of an object, GRANT again."
    ),
    revision=check,
)
