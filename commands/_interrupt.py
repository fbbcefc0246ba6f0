"""Let Ctrl-C end a command that is still being loaded, without a traceback."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["hand_over", "quiet"]

EXIT_INTERRUPTED = 130


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


def _leave(_number: int, _frame: FrameType | None) -> None:
    os.write(2, b"platform: interrupted\n")
    os._exit(EXIT_INTERRUPTED)
