"""Every login gets a right on data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._rights import PUBLIC, rights_of
from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["RULE"]

_DATA: Final = ("table", "view", "materialized view", "sequence")


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        return
    for kind in (*_DATA, "schema"):
        for item in revision.objects(kind):
            before = rights_of(revision.before(kind, item.key.identity))
            now = rights_of(item.properties).get(PUBLIC, set())
            new = now - before.get(PUBLIC, set())
            if kind == "schema":
                new &= {"CREATE"}
            if new:
                yield Hit(
                    item.key.identity,
                    f"PUBLIC gets {', '.join(sorted(new))}",
                    is_measured=True,
                )


RULE = Rule(
    id="rights-for-all",
    number=28,
    title="every login gets a right on data",
    family="security",
    severity="warning",
    hazard=(
        "GRANT ... TO PUBLIC gives the right to every role of the server, those of "
        "other services and those that are yet to be made."
    ),
    measured=(
        "The catalog before and after: rights of PUBLIC that are new, on tables, views "
        "and sequences, and CREATE on a schema."
    ),
    remedy="GRANT to the roles that need it, which services are members of.",
    revision=check,
)
