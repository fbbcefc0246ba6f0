"""A collector of metrics that runs in the foreground."""

from __future__ import annotations

import json
import signal
import threading
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from ai_platform.connection import cannot_connect
from ai_platform.errors import BadValue, PlatformError
from ai_platform.reading.server import ServerNumbers, machine
from ai_platform.runtime import MetricsCollector
from ai_platform.runtime import _environment as environment

from ._console import json_text, note, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from ai_platform.connection import Target
    from ai_platform.runtime._interval import Row

_LOOK_S: Final = 0.2
_ONCE_TIMEOUT_S: Final = 15.0
_DEFAULT_EVERY_S: Final = 10.0

__all__ = ["Collecting"]


class Collecting:
    """Collects under *role* as a node of its own and prints each row written."""

    def __init__(
        self,
        target: Target,
        role: str,
        *,
        every: str | None,
        node_id: str | None,
        as_json: bool,
    ) -> None:
        every_s = (
            environment.duration("PB_METRICS_INTERVAL", _DEFAULT_EVERY_S)
            if every is None
            else environment.seconds(every)
        )
        if every_s <= 0:
            raise BadValue(f"--every must be above zero, got {every!r}")
        self._target = target
        self._as_json = as_json
        self._every_s = every_s
        self._stopped = threading.Event()
        self._numbers = ServerNumbers(target.url, every_s=max(1.0, every_s / 3))
        self._collector = MetricsCollector(
            target.url,
            # a service on this host may have the name itself
            node_id=node_id or f"{environment.node_id()}/collect",
            interval=every_s,
            pools={"database": self._numbers.pool},
            values={"database": self._numbers, "machine": machine},
            kind="database",
            version=_version(),
            role=role,
        )

    def once(self) -> None:
        """Write one row. Raises PlatformError when it cannot be written."""
        with self._asking():
            self._collector.start()
            written = self._collector.flush(_ONCE_TIMEOUT_S)
            problem = self._collector.last_error
            self._collector.close()
        row = self._collector.last_row
        if not written or row is None:
            raise PlatformError(
                f"metrics of {self._collector.node_id} were not written: {problem}",
                hint="platform partitions status",
            )
        self._tell(row)

    def until_stopped(self) -> None:
        """Write rows until SIGTERM, or Ctrl-C, which raises KeyboardInterrupt."""
        before = signal.signal(signal.SIGTERM, self._stop)
        name, every = self._collector.node_id, self._every_s
        try:
            with self._asking(), self._collector:
                note(f"collecting as {name} every {every:g} s; Ctrl-C ends it")
                told: Row | None = None
                problem = ""
                while not self._stopped.wait(_LOOK_S):
                    if (row := self._collector.last_row) not in (None, told):
                        told = row
                        self._tell(row)
                    if self._collector.last_error != problem:
                        problem = self._collector.last_error
                        note(problem or "written again")
        finally:
            signal.signal(signal.SIGTERM, before)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Ask the database once before anything is said; close the connection."""
        import psycopg  # noqa: PLC0415 - slow to import

        try:
            self._numbers()
        except psycopg.Error as error:
            raise cannot_connect(self._target, error) from None
        try:
            yield
        finally:
            self._numbers.close()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopped.set()

    def _tell(self, row: Row | None) -> None:
        if row is None:
            return
        found = asdict(row) | {"extra": json.loads(row.extra)}
        found["node_id"] = self._collector.node_id
        if self._as_json:
            say(json_text(found))
            return
        values = found["extra"].get("values", {})
        say(f"{row.time:%Y-%m-%d %H:%M:%S}  {_line(values)}")


def _line(values: dict[str, Any]) -> str:
    return "  ".join(f"{name}={one['avg']:g}" for name, one in sorted(values.items()))


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 - slow to import

    return version("ai-platform-database")
