"""Say which ways down do not lead back, and what data they lose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_platform.amounts import counted

from .facts import Finding
from .reports.verdict import LEAK, LOSS, has_no_way_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .facts import Change, Review

__all__ = ["LEAK", "LOSS", "NONE", "findings"]

NONE: Final = "no-way-back"
"""The rule that a revision has no downgrade."""
_ENUM: Final = (
    "PostgreSQL drops no value of an enum: make a type without it in downgrade(), "
    "ALTER COLUMN ... TYPE ... USING, and drop this one; or let somebody answer for "
    "it in review.accept.toml"
)
_NO_WAY: Final = (
    "write a downgrade(); where there can be none, have a backup of what goes, and let "
    "somebody answer for it in review.accept.toml"
)


def findings(review: Review) -> Iterator[Finding]:
    """Yield a finding for what a way down left behind, and for data that was lost.

    Where there is none at all, a note says so: many teams only go forward.
    """
    for one in review.revisions:
        if has_no_way_back(one):
            yield Finding(
                rule=NONE,
                severity="note",
                revision=one.revision,
                statement=None,
                object=one.file,
                message="has no way down: what it does stays, whatever comes of it",
                remedy=_NO_WAY,
                is_measured=True,
            )
        if one.left_behind:
            first, many = one.left_behind[0], len(one.left_behind)
            yield Finding(
                rule=LEAK,
                severity="error",
                revision=one.revision,
                statement=None,
                object=first.identity,
                message=f"the way down leaves {counted(many, 'difference')}, "
                f"such as {_told(first)}",
                remedy=_remedy(one.left_behind),
                is_measured=True,
            )
        if one.lost:
            yield Finding(
                rule=LOSS,
                severity="error",
                revision=one.revision,
                statement=None,
                object=one.lost[0],
                message=f"data of {', '.join(one.lost)} does not survive up and down",
                remedy=_kept_or_declared(one.lost),
                is_measured=True,
            )


def _kept_or_declared(lost: Sequence[str]) -> str:
    """Return how to declare what is *lost*: by its columns, without quotes."""
    names = [name.replace('"', "") for name in lost]
    if any(name.count(".") != len(("table", "column")) for name in names):
        return 'keep it, or declare its columns: lossy = {"schema.table.column"}'
    declared = ", ".join(f'"{name}"' for name in names)
    return f"keep it, or declare it in the revision: lossy = {{{declared}}}"


def _told(change: Change) -> str:
    name = f"{change.kind} {change.identity}"
    if change.property != "object":
        return f"{name}: {change.property}"
    return f"{name}: {'new' if change.before is None else 'gone'}"


def _remedy(left: Sequence[Change]) -> str:
    """Return what to write, as SQL where that is a constraint or trigger to drop."""
    first = left[0]
    if (first.kind, first.property) == ("enum", "values"):
        return _ENUM
    is_new = first.property == "object" and first.before is None
    name, _, table = first.identity.partition(" on ")
    if is_new and first.kind == "constraint" and table:
        return f"in downgrade(): ALTER TABLE {table} DROP CONSTRAINT {name}"
    if is_new and first.kind == "trigger" and table:
        return f"in downgrade(): DROP TRIGGER {name} ON {table}"
    return "take back in downgrade() what upgrade() did"
