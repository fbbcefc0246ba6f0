"""A constraint holds no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["RULE"]


def check(revision: RevisionContext) -> Iterator[Hit]:
    for item in revision.objects("constraint"):
        was = revision.before("constraint", item.key.identity)
        if was is None or was.get("not enforced"):
            continue
        if item.properties.get("not enforced"):
            is_key = str(item.properties.get("definition")).startswith("FOREIGN KEY")
            cascades = ", and ON DELETE and ON UPDATE do nothing" if is_key else ""
            told = f"is enforced no more: rows that break it come in{cascades}"
            yield Hit(item.key.identity, told, is_measured=True)


RULE = Rule(
    id="constraint-not-enforced",
    number=44,
    title="a constraint holds no longer",
    family="code",
    severity="warning",
    hazard=(
        "NOT ENFORCED leaves a constraint in the catalog that nobody keeps to. Code "
        "that relied on it gets rows without a parent; a foreign key cascades nothing "
        "any more. To enforce it again, all rows are read, and the wrong ones found "
        "then."
    ),
    measured="The catalog before and after: it was enforced, and is not.",
    remedy=(
        "Leave it enforced. Where rows are to be loaded fast, drop it in a revision "
        "that says Phase: contract, and add it NOT VALID afterwards: then it holds at "
        "once for new rows, and VALIDATE CONSTRAINT reads the others."
    ),
    revision=check,
)
