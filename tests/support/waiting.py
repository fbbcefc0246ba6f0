"""Wait for what is to come, instead of sleeping for as long as it may take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["until"]


def until(holds: Callable[[], object], *, within_s: float = 60.0) -> None:
    """Wait until *holds* returns something true.

    The limit is for a machine that does many things at once: it costs a test nothing.
    """
    ends = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < ends, "it did not come to be"
        time.sleep(0.01)
