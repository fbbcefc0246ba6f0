"""What a statement takes by itself, without its waits for a processor."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

__all__ = ["Stopwatch"]

_OWN: Final = Path("/proc/thread-self/schedstat")


class Stopwatch:
    """Runs from its making on; on a busy machine it stands still now and then.

    The server's process *pid* and this thread may be ready to go on while others have
    the processors: how long is no fact of the statement, and an estimate for
    production would multiply it. *pid* is None where the server is on another machine.
    Only Linux tells; elsewhere every wait counts.
    """

    def __init__(self, pid: int | None) -> None:
        self._places = [_OWN] if pid is None else [_OWN, Path(f"/proc/{pid}/schedstat")]
        self._waited_s = [_waited_s(place) for place in self._places]
        self._began_s = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Return the seconds up to now."""
        passed_s = time.perf_counter() - self._began_s
        waited_s = sum(map(_waited_s, self._places)) - sum(self._waited_s)
        # both may have waited at once
        return passed_s - waited_s if 0.0 < waited_s < passed_s else passed_s


def _waited_s(place: Path) -> float:
    """Return for how long a process was ready to run, and did not; 0: not known."""
    try:
        return int(place.read_bytes().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
