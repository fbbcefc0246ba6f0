"""Nobody does any more what a trigger did."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.catalog import CatalogObject

    from ._context import RevisionContext

__all__ = ["RULE"]

_TABLES: Final = {"table", "view"}
_CALLED: Final = re.compile(r"\bEXECUTE (?:FUNCTION|PROCEDURE) (.+)$")


def check(revision: RevisionContext) -> Iterator[Hit]:
    before, after = revision.evidence.before, revision.evidence.after
    if revision.phase == "contract" or before is None or after is None:
        return
    tables = {item.key.identity for item in after if item.key.kind in _TABLES}
    left = {_work(item) for item in after if item.key.kind == "trigger"}
    for item in before:
        if item.key.kind != "trigger" or item.key in after:
            continue
        if item.properties.get("cloned"):  # goes with the partition that is detached
            continue
        table, called = _work(item)
        if table in tables and (table, called) not in left:
            yield Hit(
                item.key.identity,
                f"is gone: {called} is called no more",
                is_measured=True,
            )


def _work(trigger: CatalogObject) -> tuple[str, str]:
    """Return the table of *trigger*, and what it calls."""
    found = _CALLED.search(str(trigger.properties.get("definition")))
    table = trigger.key.identity.partition(" on ")[2]
    return table, found[1] if found else trigger.key.identity


RULE = Rule(
    id="trigger-gone",
    number=47,
    title="nobody does any more what a trigger did",
    family="code",
    severity="warning",
    hazard=(
        "Code relies on what a trigger does: it keeps a second column current, stamps "
        "a time, writes the audit log, refuses what must not be. From the commit on "
        "nobody does it, and nothing fails."
    ),
    measured=(
        "The catalog before and after: the trigger of a table that stays is gone, and "
        "no other of that table calls its function."
    ),
    remedy=(
        "First a release that does not need it, then the drop in a revision that says "
        "Phase: contract. To change a trigger, CREATE OR REPLACE it."
    ),
    revision=check,
)
