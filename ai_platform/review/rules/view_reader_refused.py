"""A view that asks its reader's rights is refused to some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._rights import PUBLIC, rights_of
from ._rule import Hit, Rule
from ._tree import named_relations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._context import RevisionContext

__all__ = ["RULE"]

_INVOKER: Final = {f"security_invoker={on}" for on in ("true", "on", "yes", "1")}
_READ: Final = ("table", "view", "materialized view", "foreign table")


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.phase == "contract" or revision.evidence.after is None:
        return
    known = {item.key.identity for kind in _READ for item in revision.objects(kind)}
    for view in revision.objects("view"):
        was = revision.before("view", view.key.identity)
        if was is None or _asks(was) or not _asks(view.properties):
            continue
        readers = {
            role
            for role, rights in rights_of(view.properties).items()
            if "SELECT" in rights and role != PUBLIC
        }
        named = named_relations(str(view.properties.get("definition")))
        # not names of WITH, of the server's own catalog and of extensions
        tables = sorted(named & known)
        for role in sorted(readers):
            closed = [name for name in tables if not _reads(revision, name, role)]
            if closed:
                yield Hit(
                    view.key.identity,
                    f"{role} may not read {', '.join(closed)}: the view is refused to "
                    "it from now on",
                    is_measured=True,
                )


def _asks(view: Mapping[str, Any]) -> bool:
    return bool(_INVOKER & set(view.get("options") or ()))


def _reads(revision: RevisionContext, name: str, role: str) -> bool:
    """Return whether *role* may read *name*, or some of its columns."""
    for item in revision.evidence.after or ():
        if item.key.kind in _READ and item.key.identity == name:
            rights = rights_of(item.properties)
            if item.properties.get("owner") == role or any(
                "SELECT" in rights.get(one, set()) for one in (role, PUBLIC)
            ):
                return True
        elif (
            item.key.kind == "column"
            and item.key.identity.startswith(f"{name}.")
            and not rights_of(item.properties).keys().isdisjoint({role, PUBLIC})
        ):
            return True
    return False


RULE = Rule(
    id="view-reader-refused",
    number=50,
    title="a view that asks its reader's rights is refused to some",
    family="code",
    severity="warning",
    hazard=(
        "A view reads its tables with the rights of its owner, unless it says "
        "security_invoker: then whoever reads the view needs rights on every table in "
        "it. Who has none gets an error from the commit on."
    ),
    measured=(
        "The catalog before and after: the option is new, and a role that may read the "
        "view has no right on a table that it names. Rights by membership in another "
        "role are not seen."
    ),
    remedy=(
        "In the same transaction GRANT SELECT on the columns that the view shows to "
        "those who read it; policies then hold for them too."
    ),
    revision=check,
)
