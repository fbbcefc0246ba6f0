"""A role that policies hold back becomes the owner of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._rights import rights_of
from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["RULE"]


def check(revision: RevisionContext) -> Iterator[Hit]:
    for item in revision.objects("table"):
        table, owner = item.key.identity, str(item.properties.get("owner"))
        was = revision.before("table", table)
        if was is None or was.get("owner") == owner or not was.get("row security"):
            continue
        if owner in rights_of(was) or owner in _held_back(revision, table):
            how = (
                "may switch row security off"
                if item.properties.get("row security forced")
                else "sees every row, for policies do not hold for an owner"
            )
            yield Hit(table, f"belongs to {owner} now, which {how}", is_measured=True)


def _held_back(revision: RevisionContext, table: str) -> set[str]:
    """Return the roles that policies of *table* name."""
    return {
        role
        for item in revision.evidence.before or ()
        if item.key.kind == "policy" and item.key.identity.endswith(f" on {table}")
        for role in item.properties.get("roles") or ()
    }


RULE = Rule(
    id="owner-past-policies",
    number=48,
    title="a role that policies hold back becomes the owner of the table",
    family="security",
    severity="warning",
    hazard=(
        "An owner is exempt from row security unless it is forced, and where it is, "
        "may switch it off, drop the policies, grant rights and drop the table. An "
        "application that owns its tables can be led to do so."
    ),
    measured=(
        "The catalog before and after: a table with row security has another owner, "
        "which had rights on it or is named by its policies."
    ),
    remedy=(
        "Let a role own it that nobody logs in as, and GRANT the application what it "
        "needs."
    ),
    revision=check,
)
