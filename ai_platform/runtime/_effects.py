"""What the delivery of logs asks of its driver, a thread or an event loop.

The delivery itself is a generator without any waiting: it yields one of these and is
sent the answer, so that one text serves both worlds.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from ._set_aside import SetAside

__all__ = ["READ", "WRITE", "Effect", "HandOver", "Idle", "Ready", "Steps", "Turn"]

READ: Final = 1
WRITE: Final = 2

Result = TypeVar("Result")


class Ready(NamedTuple):
    """Wait until *fd* can be read or written, at the latest until *until*.

    *until* is of time.monotonic. Answer: the READ and WRITE that hold, 0 at the end.
    """

    fd: int
    events: int
    until: float


class Idle(NamedTuple):
    """Wait until somebody wakes the writer, *fd* (-1: none) can be read, or *until*.

    Answer: READ when *fd* can be read, else 0.
    """

    until: float
    fd: int = -1


class Turn(NamedTuple):
    """Let other threads, or other tasks, have their turn. Answer: 0."""


class HandOver(NamedTuple):
    """Give *records* to the fallback. Answer: 1 when it took them, 0 when it failed."""

    records: list[SetAside]


Effect: TypeAlias = Ready | Idle | Turn | HandOver
Steps: TypeAlias = Generator[Effect, int, Result]
