"""Let Ctrl-C end a command that is still being loaded, without a traceback."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["hand_over", "quiet", "terminable"]

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


class _Terminated(KeyboardInterrupt):
    """SIGTERM; as an interrupt, so that the server is told to stop its statement."""


def quiet() -> None:
    """From now on Ctrl-C ends the program `platform` at once with 130.

    Nothing is begun while modules load, so nothing needs an orderly end.
    """
    if PurePath(sys.argv[0]).name != "platform":
        return
    # a signal that the shell had us ignore stays ignored
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        with suppress(ValueError):
            signal.signal(signal.SIGINT, _leave)


def hand_over() -> None:
    """From now on Ctrl-C is KeyboardInterrupt again, which commands answer."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def terminable() -> Iterator[None]:
    """End by SIGTERM as orderly as by Ctrl-C, with 143: what was begun is undone."""
    before = signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    except _Terminated:
        with suppress(OSError):
            os.write(2, b"platform: terminated\n")
        raise SystemExit(EXIT_TERMINATED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise_terminated(_number: int, _frame: FrameType | None) -> None:
    # a second one, in the middle of tidying up, changes nothing
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Terminated


def _leave(_number: int, _frame: FrameType | None) -> None:
    os.write(2, b"platform: interrupted\n")
    os._exit(EXIT_INTERRUPTED)
