"""A view shows rows past the policies of its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._rights import rights_of
from ._rule import Hit, Rule
from ._tree import named_relations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.catalog import CatalogObject

    from ._context import RevisionContext

__all__ = ["RULE"]

_INVOKER: Final = {f"security_invoker={on}" for on in ("true", "on", "yes", "1")}


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        return
    closed = {
        item.key.identity: item
        for item in revision.objects("table")
        if item.properties.get("row security")
    }
    seen = {
        (role, item.key.identity.partition(" on ")[2])
        for item in revision.objects("policy")
        if _shows_all(item)
        for role in item.properties.get("roles") or ()
    }
    for kind in ("view", "materialized view"):
        for view in revision.objects(kind):
            if revision.before(kind, view.key.identity) == view.properties:
                continue
            for table in sorted(_read(view) & set(closed)):
                if _passes(view, closed[table], seen):
                    yield Hit(
                        view.key.identity,
                        f"shows rows of {table} past its policies",
                        is_measured=True,
                    )


def _read(view: CatalogObject) -> set[str]:
    return named_relations(str(view.properties.get("definition")))


def _shows_all(policy: CatalogObject) -> bool:
    """Return whether *policy* lets those whom it names read every row."""
    now = policy.properties
    return (
        not now.get("restrictive")
        and now.get("command") in {"ALL", "SELECT"}
        and now.get("using") == "true"
    )


def _passes(
    view: CatalogObject, table: CatalogObject, seen: set[tuple[str, str]]
) -> bool:
    """Return whether *view* reads *table* as somebody whom no policy holds.

    *seen* are the roles that a policy shows every row, each with the table.
    """
    if view.key.kind == "materialized view":
        return True
    options = view.properties.get("options") or ()
    if any(item in _INVOKER for item in options):
        return False
    owner = str(view.properties.get("owner"))
    is_forced = table.properties.get("row security forced")
    if owner == table.properties.get("owner") and not is_forced:
        return True
    # a policy for the owner, USING (true), is how a forced table lets its owner work
    return (owner, table.key.identity) in seen and _is_shared(view)


def _is_shared(view: CatalogObject) -> bool:
    return any("SELECT" in rights for rights in rights_of(view.properties).values())


RULE = Rule(
    id="view-past-policies",
    number=28,
    title="a view shows rows past the policies of its table",
    family="security",
    severity="warning",
    hazard=(
        "A view reads its tables as its owner, whom row security that is not forced "
        "does not hold, nor one that a policy with the condition true lets its owner "
        "pass: whoever may read the view reads every row. A materialized view keeps "
        "what its owner saw, and knows no policies."
    ),
    measured=(
        "The catalog after the revision: a new or changed view without "
        "security_invoker over a table of the same owner with row security that is not "
        "forced, or that others may read over a table whose policies show its owner "
        "every row; a materialized view over any table with row security."
    ),
    remedy=(
        "CREATE VIEW ... WITH (security_invoker = true); CREATE OR REPLACE takes the "
        "option away unless it says it again. A materialized view: give rights on it "
        "only to who may see all rows."
    ),
    revision=check,
)
