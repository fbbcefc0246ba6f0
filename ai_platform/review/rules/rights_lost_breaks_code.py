"""Running code loses a right that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._rights import PUBLIC, rights_of
from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["RULE"]

_KINDS: Final = (
    *("table", "view", "materialized view", "sequence", "schema"),
    *("function", "procedure"),
)


def check(revision: RevisionContext) -> Iterator[Hit]:
    before, after = revision.evidence.before, revision.evidence.after
    if revision.phase == "contract" or before is None or after is None:
        return
    for kind in _KINDS:
        for item in revision.objects(kind):
            now = rights_of(item.properties)
            had = rights_of(revision.before(kind, item.key.identity))
            for role, rights in had.items():
                lost = rights - now.get(role, set())
                # what PUBLIC loses was open to all, and closing it is the point
                if lost and role not in {PUBLIC, item.properties.get("owner")}:
                    yield Hit(
                        item.key.identity,
                        f"{role} loses {', '.join(sorted(lost))}",
                        is_measured=True,
                    )


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
        "is dropped and made again loses all of them."
    ),
    remedy=(
        "First a release that does without the right, then REVOKE in a revision that "
        "says Phase: contract. After DROP and CREATE of an object, GRANT again."
    ),
    revision=check,
)
