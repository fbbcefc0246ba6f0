"""The owner passes by row security."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import enums

from ._rule import Hit, Rule
from ._switches import row_security_switched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["RULE"]


def check(revision: RevisionContext) -> Iterator[Hit]:
    for table in _enabled(revision):
        yield Hit(
            table,
            "row security is on, but not for its owner",
            is_measured=revision.evidence.after is not None,
        )


def _enabled(revision: RevisionContext) -> Iterator[str]:
    if revision.evidence.after is None:
        on = enums.AlterTableType.AT_EnableRowSecurity
        forced = enums.AlterTableType.AT_ForceRowSecurity
        closed = set(row_security_switched(revision, forced))
        enabled = dict.fromkeys(row_security_switched(revision, on))
        yield from (table for table in enabled if table not in closed)
        return
    for item in revision.objects("table"):
        now = item.properties
        before = revision.before("table", item.key.identity) or {}
        opened = before.get("row security forced") or not before.get("row security")
        if now.get("row security") and not now.get("row security forced") and opened:
            yield item.key.identity


RULE = Rule(
    id="row-security-not-forced",
    number=28,
    title="the owner passes by row security",
    family="security",
    severity="warning",
    hazard=(
        "Without FORCE the owner of the table sees every row: a service that logs "
        "in as the owner, and a restore under another owner, are outside every "
        "policy."
    ),
    measured=(
        "The catalog after the revision: row security that it switched on, not "
        "forced. Without a measurement: ENABLE without FORCE."
    ),
    remedy=(
        "ALTER TABLE ... FORCE ROW LEVEL SECURITY, and a policy of its own for "
        "the owner where it must see all."
    ),
    revision=check,
)
