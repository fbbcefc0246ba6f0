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
    return lines[-1].strip().split("\n")[0] + _fields(error)


def _fields(error: BaseException) -> str:
    """Return what pydantic misses, which it tells in lines of their own."""
    told = getattr(error, "errors", None)
    if type(error).__name__ != "ValidationError" or not callable(told):
        return ""
    names = (".".join(map(str, one["loc"])) for one in told())
    return ": " + ", ".join(dict.fromkeys(names))
