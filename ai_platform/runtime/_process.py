"""What the system says of this process: memory, processor time, threads."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Final

__all__ = ["cpu_seconds", "machine_memory_mb", "memory_mb", "threads"]

_MB: Final = 1024 * 1024
_STATM: Final = Path("/proc/self/statm")
# of rusage: kilobytes, on macOS bytes
_PEAK_UNIT: Final = 1 if sys.platform == "darwin" else 1024


def memory_mb() -> float | None:
    """Return the memory of this process that is in RAM, in MB; None when unknown.

    Where /proc is missing it is the highest until now.
    """
    try:
        pages = int(_STATM.read_bytes().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / _MB
    except (OSError, ValueError, IndexError):
        return _peak_mb()


def _peak_mb() -> float | None:
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _PEAK_UNIT / _MB


def cpu_seconds() -> float:
    """Return the processor time of this process in seconds, user and system."""
    times = os.times()
    return times.user + times.system


def threads() -> int:
    """Return how many threads Python runs in this process."""
    return threading.active_count()


def machine_memory_mb() -> int | None:
    """Return the memory of this machine in MB; None when unknown."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MB
    except (AttributeError, OSError, ValueError):
        return None
