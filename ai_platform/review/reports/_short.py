"""What a DBA asks first, each answered by one sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ai_platform.amounts import counted, in_seconds

from ._describe import failure
from ._rights import rights_delta
from ._summary import has_rows, touched, waits
from .verdict import has_no_way_back, leaks, unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_platform.review.facts import Review, RevisionFacts

    from ._summary import Wait

__all__ = ["UNKNOWN", "in_short"]

UNKNOWN: Final = "Not known"
"""The question that is answered by what limits the measurement."""
_MOST: Final = 3
_RENAMES: Final = re.compile(r"\bRENAME\b", re.IGNORECASE)


def in_short(review: Review) -> tuple[tuple[str, str], ...]:
    """Return questions and answers: who waits, what goes, the way back, the rights.

    Only what was measured is answered; what was not is the last answer.
    """
    if not (review.revisions and review.is_measured):
        return ()
    answers = (
        ("Failed", _failed(review)),
        ("Who waits", _waiting(review)),
        ("Waits itself", _outwaits(review)),
        ("Gone", _some(list(_dropped(review)))),
        ("Way back", _way_back(review)),
        ("Rights", _rights(review)),
        ("Plans", _worse(review)),
        (UNKNOWN, _some(list(_unknown(review)))),
    )
    return tuple((question, answer) for question, answer in answers if answer)


def _failed(review: Review) -> str:
    failed = [one for one in review.revisions if one.error]
    if not failed:
        return ""
    told = failure(failed[0]).removeprefix("failed").removeprefix(":").strip()
    return f"{failed[0].revision} {told}" + (
        f"; and {counted(len(failed) - 1, 'other')}" if failed[1:] else ""
    )


def _waiting(review: Review) -> str:
    found = [
        (item, one)
        for one in review.revisions
        for item in waits(one.up)
        if item.reads or item.writes
    ]
    if not found:
        partly = any(unmeasured(one, review) or one.error for one in review.revisions)
        known = ", as far as it was measured" if partly else ""
        return f"no read and no write of a table that is in use{known}"
    item, one = max(found, key=lambda pair: _weight(*pair))
    who = " and ".join(
        word
        for word, is_hit in (("reads", item.reads), ("writes", item.writes))
        if is_hit
    )
    others = len({other.relation for other, _ in found}) - 1
    rest = f"; and {counted(others, 'other')}" if others else ""
    place = f" in {one.revision}" if len(review.revisions) > 1 else ""
    return f"{who} of {item.relation}{place}, {_long(item, one)}{rest}"


def _weight(item: Wait, one: RevisionFacts) -> tuple[float, bool, bool]:
    """Return what makes a wait the worst: its length, and a table that is at work."""
    worked_on = touched(one.up)
    return (round(item.hold.longest_s, 2), item.relation in worked_on, item.reads)


def _long(item: Wait, one: RevisionFacts) -> str:
    here = in_seconds(item.hold.here_s)
    if not has_rows(one):
        return f"for {here} without rows: with some it fails, or takes longer"
    rows = sum(found.rows for found in one.filled if found.relation == item.relation)
    # a view, and a table whose partitions got the rows, has none of its own
    here += f" with {counted(rows, 'row')}" if rows else ""
    if item.hold.production_s is None:
        return f"for {here} (--stats estimates production)"
    told = in_seconds(item.hold.production_s)
    return f"for about {told} at production's size ({here})"


def _outwaits(review: Review) -> str:
    steps = [
        f"statement {step.number} of {one.revision}"
        for one in review.revisions
        for step in one.up
        if step.outwaits
    ]
    return f"{_some(steps)}, for every older transaction" if steps else ""


def _worse(review: Review) -> str:
    names = [
        plan.statement
        for one in review.revisions
        for plan in one.plans
        if plan.is_worse
    ]
    return f"worse for {_some(names)}" if names else ""


def _dropped(review: Review) -> Iterator[str]:
    for one in review.revisions:
        renamed = {
            change.identity
            for item in one.up
            for change in item.changes
            if _RENAMES.search(item.sql)
        }
        for change in one.changes:
            gone = change.property == "object" and change.after is None
            if gone and change.kind in {"table", "column", "materialized view"}:
                how = " (renamed)" if change.identity in renamed else ""
                yield f"{change.kind} {change.identity}{how}"


def _way_back(review: Review) -> str:
    def names(some: Sequence[RevisionFacts]) -> str:
        return _some([one.revision for one in some])

    revisions = review.revisions
    leaking = [one for one in revisions if leaks(one, review)]
    untried = [one for one in revisions if one.is_reversible is None]
    without = [one for one in revisions if has_no_way_back(one)]
    lost = [name for one in revisions for name in one.lost]
    told = {one.revision for one in (*leaking, *without)}
    failing = [
        one
        for one in revisions
        if one.is_reversible is False
        and not (one.left_behind or one.lost)
        and one.revision not in told
    ]
    verb = "does" if len(leaking) == 1 else "do"
    parts = [
        f"{names(leaking)} {verb} not lead back" if leaking else "",
        f"the data of {_some(lost)} does not survive it" if lost else "",
        f"fails for {names(failing)}" if failing else "",
        f"none for {names(without)}" if without else "",
        f"not tried for {names(untried)}" if untried else "",
    ]
    answer = "; ".join(part for part in parts if part)
    return answer or "leads back: same catalog, same data"


def _rights(review: Review) -> str:
    lines = [line for one in review.revisions for line in rights_delta(one)]
    if len(lines) <= _MOST:
        return ", ".join(lines)
    return f"{len(lines):,} changes, such as {lines[0]}"


def _unknown(review: Review) -> Iterator[str]:
    for one in review.revisions:
        if missing := unmeasured(one, review):
            yield f"{counted(len(missing), 'statement')} of {one.revision}"
        yield from dict.fromkeys(one.notes)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST])
    rest = len(names) - _MOST
    return f"{shown} and {rest:,} more" if rest > 0 else shown
