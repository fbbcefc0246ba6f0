"""A pipe that wakes whoever polls it."""

from __future__ import annotations

import os
from contextlib import suppress

__all__ = ["Wake"]


class Wake:
    """Wakes the writer: from any thread, in a signal handler, after the loop's end."""

    def __init__(self) -> None:
        self.fd, self._end = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._end, False)

    def __call__(self) -> None:
        """Wake whoever waits for `fd`."""
        with suppress(BlockingIOError):  # full: it will wake anyway
            os.write(self._end, b"\0")

    def clear(self) -> None:
        """Forget every call until now."""
        with suppress(BlockingIOError):
            while os.read(self.fd, 4096):
                pass

    def __del__(self) -> None:
        # not sooner: the number could be another file's while somebody still calls
        with suppress(AttributeError, OSError):
            os.close(self.fd)
            os.close(self._end)
