"""Everybody may call a function that runs with its owner's rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ._context import RevisionContext

__all__ = ["RULE"]


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        return
    for kind in ("function", "procedure"):
        for item in revision.objects(kind):
            known = revision.evidence.before
            was_open = known is not None and item.key in known
            was_open = was_open and _is_open(revision.before(kind, item.key.identity))
            if _is_open(item.properties) and not was_open:
                yield Hit(
                    item.key.identity,
                    "PUBLIC may execute it, with its owner's rights",
                    is_measured=True,
                )


def _is_open(function: Mapping[str, Any] | None) -> bool:
    """Return whether anybody may call it; a trigger's function nobody calls."""
    if not function or not function.get("security definer"):
        return False
    is_inner = function.get("returns") in {"trigger", "event_trigger"}
    rights = function.get("rights") or ()
    return not is_inner and any(text.startswith("PUBLIC: ") for text in rights)


RULE = Rule(
    id="definer-open-to-all",
    number=29,
    title="everybody may call a function that runs with its owner's rights",
    family="security",
    severity="warning",
    hazard=(
        "PostgreSQL gives EXECUTE on a new function to PUBLIC. With SECURITY DEFINER "
        "every login then does what the owner may do, as far as the function goes."
    ),
    measured=(
        "The catalog after the revision: a SECURITY DEFINER function that is new, or "
        "became one, on which PUBLIC has EXECUTE. Functions of triggers do not count."
    ),
    remedy=(
        "REVOKE EXECUTE ON FUNCTION ... FROM PUBLIC in the same transaction, and GRANT "
        "it to the roles that need it."
    ),
    revision=check,
)
