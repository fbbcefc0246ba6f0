"""A table is left without autovacuum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._context import RevisionContext

__all__ = ["RULE"]

_NO: Final = {"false", "off", "no", "0"}


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        return
    for kind in ("table", "materialized view"):
        for item in revision.objects(kind):
            before = revision.before(kind, item.key.identity)
            if _is_off(item.properties) and not _is_off(before):
                told = "autovacuum_enabled is off after the revision"
                yield Hit(item.key.identity, told, is_measured=True)


def _is_off(properties: Mapping[str, Any] | None) -> bool:
    options = (properties or {}).get("options") or ()
    return any(
        name == "autovacuum_enabled" and value.lower() in _NO
        for name, _, value in (item.partition("=") for item in options)
    )


RULE = Rule(
    id="autovacuum-off",
    number=40,
    title="a table is left without autovacuum",
    family="design",
    severity="warning",
    hazard=(
        "Without autovacuum dead rows are never removed and statistics grow old: the "
        "table grows with each UPDATE, and plans go wrong."
    ),
    measured="The catalog before and after: autovacuum_enabled, switched off.",
    remedy=(
        "Leave it on; where it comes too late, set the table's "
        "autovacuum_vacuum_scale_factor lower."
    ),
    revision=check,
)
