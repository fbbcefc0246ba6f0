"""Ask again and again, through lost connections, until the reader has had enough."""

from __future__ import annotations

import os
import select
import stat
import sys
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ai_platform.errors import CannotConnect

from ._console import note
from ._errors import explain

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from psycopg import Connection

__all__ = ["follow"]

Row = TypeVar("Row")

_LONGEST_PAUSE_S: Final = 5.0
# a question that takes long is asked less often: the server has other work
_SHARE: Final = 4


def follow(
    sessions: Callable[[], AbstractContextManager[Any]],
    ask: Callable[[Connection[Any]], list[Row]],
    tell: Callable[[list[Row]], None],
    *,
    every_s: float,
) -> None:
    """Pass what *ask* finds to *tell*, every *every_s* seconds, for ever.

    *sessions* opens a connection and gives a function that begins a transaction. A
    connection that was lost is said on stderr, once, and opened again. Raises what
    *ask* raises otherwise, and BrokenPipeError when stdout has no reader any more.
    """
    pause_s, said = 0.5, None
    while True:
        try:
            with sessions() as begin:
                if said is not None:
                    note("connected again")
                pause_s, said = 0.5, None
                while True:
                    _wait(max(every_s, _SHARE * _once(begin, ask, tell)))
        except Exception as error:
            failure = explain(error)
            if (
                isinstance(error, OSError)
                or failure.exit_code != CannotConnect.exit_code
            ):
                raise
            if failure.message != said:
                said = failure.message
                note(f"connection lost, trying again: {said}")
            _wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _once(
    begin: Callable[[], AbstractContextManager[Connection[Any]]],
    ask: Callable[[Connection[Any]], list[Row]],
    tell: Callable[[list[Row]], None],
) -> float:
    """Ask once; return the seconds it took the server.

    What was found is told after the transaction, which a slow reader would keep
    open, and also when the connection is lost at its end.
    """
    found: list[Row] = []
    began = time.monotonic()
    try:
        with begin() as connection:
            found = ask(connection)
    finally:
        took = time.monotonic() - began
        tell(found)
        sys.stdout.flush()
    return took


def _wait(seconds: float) -> None:
    """Sleep, but wake up when the reader of a pipe leaves."""
    try:
        handle = sys.stdout.fileno()
        is_pipe = stat.S_ISFIFO(os.fstat(handle).st_mode)
    except (OSError, ValueError):
        is_pipe = False
    if not is_pipe:
        time.sleep(seconds)
        return
    poll = select.poll()
    poll.register(handle, 0)
    if poll.poll(seconds * 1000):
        raise BrokenPipeError
