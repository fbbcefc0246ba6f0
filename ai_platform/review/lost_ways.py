"""Say which ways down do not lead back, and what data they lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_platform.amounts import counted

from .facts import Finding
from .reports.verdict import LEAK, LOSS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .facts import Review

__all__ = ["LEAK", "LOSS", "findings"]


def findings(review: Review) -> Iterator[Finding]:
    """Yield a finding for what a way down left behind, and for data that was lost."""
    for one in review.revisions:
        if one.left_behind:
            first = one.left_behind[0]
            yield Finding(
                rule=LEAK,
                severity="error",
                revision=one.revision,
                statement=None,
                object=first.identity,
                message="the way down leaves "
                f"{counted(len(one.left_behind), 'difference')}, such as "
                f"{first.kind} {first.identity}: {first.property}",
                remedy="take back in downgrade() what upgrade() did",
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
                remedy='keep it, or declare it: lossy = {"schema.table.column"}',
                is_measured=True,
            )
