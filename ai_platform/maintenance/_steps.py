"""What maintenance reports: one step for each thing planned, done or hindered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["NEEDS_ATTENTION", "Action", "OnStep", "Outcome", "Step", "unserved"]

Action = Literal[
    "create", "convert", "archive", "detach", "drop", "unmark", "analyze", "check"
]
Outcome = Literal["planned", "done", "present", "busy", "delayed", "failed"]

NEEDS_ATTENTION: Final = frozenset({"delayed", "failed"})
"""Outcomes that make a command end with exit code 1."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was planned, done or hindered for the partitions of *parent*.

    Bounds are UTC, *upper* is out. *present*: another session was quicker. *busy*:
    another prune works on this table. *delayed*: somebody's transaction is in the
    way, the next run goes on. *detail* says more in one line.
    """

    action: Action
    parent: str
    partition: str | None
    lower: datetime | None
    upper: datetime | None
    outcome: Outcome
    detail: str = ""


def unserved(parent: str, outcome: Outcome, detail: str) -> Step:
    """Return the step that says why nothing could be looked at for *parent*."""
    return Step("check", parent, None, None, None, outcome, detail)


OnStep = Callable[[Step], None]
"""Called with each step as soon as it is known."""
