"""Say which revisions of Python no rule could look into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._commits import BUSY, MISSES
from ._online import PYTHON
from .facts import STRONG, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .facts import Review, RevisionFacts
    from .sources import RevisionSource

__all__ = ["RULE", "findings", "notes"]

RULE: Final = "python-unread"
"""The rule whose acceptance excuses that nobody knows what a revision says."""
_UP: Final = "it has no SQL to read: "
_DOWN: Final = "the way down has no SQL to read: "
_WHOLE: Final = (
    "its Python could only be measured as a whole, and it does more than write rows: "
    "which statement locks what, and for how long, is not known"
)
_SPEAK: Final = (
    "let it speak through op and op.get_bind(), in one session, and write DDL in a "
    "revision of its own"
)


def notes(source: RevisionSource) -> tuple[str, ...]:
    """Return what is to be said of *source* where only text is read."""
    ways = ((_UP, source.offline_error), (_DOWN, source.down_error))
    return tuple(f"{told}{error}" for told, error in ways if error is not None)


def findings(review: Review) -> Iterator[Finding]:
    """Yield an error for each revision whose way up no rule could look at.

    Not for one that was measured as a whole and is known to change rows only.
    """
    for one in review.revisions:
        missing = next((note for note in one.notes if note.startswith(_UP)), None)
        if missing is None and not _is_dark(one):
            continue
        yield Finding(
            rule=RULE,
            severity="error",
            revision=one.revision,
            statement=None,
            object=one.file,
            message=f"{missing}; it was not measured" if missing else _WHOLE,
            remedy="review it without --no-measure" if missing else _SPEAK,
            is_measured=missing is None,
        )


def _is_dark(one: RevisionFacts) -> bool:
    """Return whether *one* was measured as a whole, and may do more than write rows.

    Without a sight of short locks that is not known of any.
    """
    whole = [item for item in one.up if item.tag == PYTHON and item.is_measured]
    strong = any(lock.mode in STRONG for item in whole for lock in item.locks)
    return bool(whole) and bool(
        one.changes or strong or not {MISSES, BUSY}.isdisjoint(one.notes)
    )
