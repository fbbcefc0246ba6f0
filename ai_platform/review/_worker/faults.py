"""What can be wrong with a project, as the other side is told."""

from __future__ import annotations

import traceback

__all__ = ["Fault", "NoDatabase", "last_line"]


class Fault(Exception):
    """What the person must know; *kind* tells the other side what to advise."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class NoDatabase(Exception):
    """Somebody connects while SQL is only written down."""


def last_line(error: BaseException) -> str:
    """Return the last line of the traceback of *error*."""
    lines = traceback.format_exception_only(type(error), error)
    return lines[-1].strip().split("\n")[0]
