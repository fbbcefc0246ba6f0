"""Who holds a connection of a pool, since when, and where it was taken."""

from __future__ import annotations

import asyncio
import sys
import threading
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = ["Held", "Holdings"]

_DEEPEST: Final = 60
# where a connection was taken is said by the first frame outside of these
_LIBRARIES: Final = frozenset(
    {"ai_platform", "asyncio", "contextlib", "psycopg_pool", "sqlalchemy", "greenlet"}
)


class Held(NamedTuple):
    """A connection that is out of its pool; *seconds* since it was taken."""

    pool: str
    seconds: float
    by: str
    at: str


class _Taken(NamedTuple):
    since: float
    by: str
    code: CodeType | None
    line: int


class Holdings:
    """The connections of one pool that are out; two dictionary steps for each use."""

    def __init__(self, pool: str) -> None:
        self._pool = pool
        self._out: dict[int, _Taken] = {}

    def taken(self, key: object) -> None:
        """Remember who takes the connection *key*, and where."""
        frame = _caller(sys._getframe(1)) or _awaiting()  # noqa: SLF001 - documented
        code, line = (frame.f_code, frame.f_lineno) if frame else (None, 0)
        self._out[id(key)] = _Taken(monotonic(), _who(), code, line)

    def given_back(self, key: object) -> None:
        """Forget the connection *key*."""
        self._out.pop(id(key), None)

    def longer_than(self, seconds: float) -> list[Held]:
        """Return what is held for more than *seconds*, the longest first."""
        limit = monotonic() - seconds
        # a copy in one step: others take and give back meanwhile
        long_held = [one for one in self._out.copy().values() if one.since < limit]
        long_held.sort(key=lambda one: one.since)
        return [
            Held(self._pool, monotonic() - one.since, one.by, _place(one))
            for one in long_held
        ]

    def __len__(self) -> int:
        return len(self._out)


def _place(taken: _Taken) -> str:
    if taken.code is None:
        return "unknown"
    return f"{taken.code.co_filename}:{taken.line} {taken.code.co_qualname}"


def _who() -> str:
    task = _task()
    if task is not None:
        return f"task {task.get_name()}"
    return f"thread {threading.current_thread().name}"


def _task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop runs in this thread
        return None


def _caller(frame: FrameType | None) -> FrameType | None:
    """Return the nearest frame that belongs to the service."""
    for _ in range(_DEEPEST):
        if frame is None or not _is_library(frame):
            return frame
        frame = frame.f_back
    return None


def _is_library(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__") or ""
    return name.partition(".")[0] in _LIBRARIES


def _awaiting() -> FrameType | None:
    """Return the service's frame of the running task.

    SQLAlchemy takes connections in a greenlet, whose stack ends before the task's.
    """
    task = _task()
    awaited: Any = task.get_coro() if task is not None else None
    found = None
    for _ in range(_DEEPEST):
        frame = getattr(awaited, "cr_frame", None)
        if frame is None:
            return found
        if not _is_library(frame):
            found = frame
        awaited = awaited.cr_await
    return found
