"""The SQL that a rule's good example runs: what to write instead."""

from __future__ import annotations

from functools import cache

from ai_platform.errors import BadValue

__all__ = ["instead"]


@cache
def instead(rule: str) -> str | None:
    """Return the good example of *rule*, on tables of its own; None without one."""
    # rules read SQL: a report of a review without findings need not load a parser
    from ai_platform.review.rules import rule as known  # noqa: PLC0415
    from ai_platform.review.rules._examples import examples  # noqa: PLC0415

    try:
        _, good = examples(known(rule))
    except BadValue:
        return None
    remarks = [] if good.in_transaction else ["-- outside any transaction"]
    if good.phase:
        remarks.append(f"-- in a revision that says Phase: {good.phase}")
    return "\n".join((*remarks, good.sql.strip()))
