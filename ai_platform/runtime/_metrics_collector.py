"""The two collectors of metrics that services use."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from ._metrics import CLOSE_TIMEOUT_S, Collector

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ["AsyncMetricsCollector", "MetricsCollector"]


class MetricsCollector(Collector):
    """Writes one row of metrics per interval, from a thread of its own.

    *conninfo* (default: DATABASE_URL, POSTGRES_URL) is of a member of platform_app;
    one of platform_log_writer writes metrics and keeps no registry. *node_id*
    (default: PB_NODE_ID, else the host) must be unique per process; *interval*
    (default: PB_METRICS_INTERVAL, else 10) is in seconds, with ten samples or one
    each second in it. *pools* are watched, *values* are callbacks by name; *kind* is
    api, worker, gateway, gpu or database. Connections out of their pool for more than
    *held_too_long_s* are named. *buffer_rows* rows are kept while the server is away.
    *role* is taken in each transaction, for a login that may do more.

    A fork gets none: `start` in the child begins anew there. Only the constructor
    raises: BadValue.
    """

    def start(self) -> Self:
        """Begin to collect; once is enough. Does nothing after `close`."""
        self._start()
        return self

    def flush(self, timeout: float = CLOSE_TIMEOUT_S) -> bool:
        """Write a row of now; return whether all rows are written in *timeout* s."""
        return self._flushed(timeout)

    def close(self, timeout: float = CLOSE_TIMEOUT_S) -> bool:
        """Write the last row, sign off, end; return whether *timeout* s were enough."""
        return self._end(timeout)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncMetricsCollector(Collector):
    """As MetricsCollector, for a service of asyncio: counts tasks, measures lag.

    `start` is called in the event loop that shall be watched. When that loop is
    closed, the collector writes its last row and ends by itself.
    """

    _watched: asyncio.AbstractEventLoop | None = None
    _asked_at: float | None = None
    _lag_s = 0.0

    def start(self) -> Self:
        """Begin to collect. Raises RuntimeError where no event loop runs."""
        self._watched = asyncio.get_running_loop()
        self._start()
        return self

    async def flush(self, timeout: float = CLOSE_TIMEOUT_S) -> bool:  # noqa: ASYNC109
        """Write a row of now; return whether all rows are written in *timeout* s."""
        return await asyncio.to_thread(self._flushed, timeout)

    async def close(self, timeout: float = CLOSE_TIMEOUT_S) -> bool:  # noqa: ASYNC109
        """Write the last row, sign off, end; return whether *timeout* s were enough."""
        return await asyncio.to_thread(self._end, timeout)

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _of_the_service(self) -> tuple[int | None, float | None]:
        loop = self._watched
        if loop is None or loop.is_closed():
            self._ending = True
            return None, None
        if self._asked_at is not None:
            # no answer since the last look: it is blocked at this moment
            self._lag_s = monotonic() - self._asked_at
        else:
            self._asked_at = monotonic()
            try:
                loop.call_soon_threadsafe(self._answer, self._asked_at)
            except RuntimeError:  # closed in this moment
                self._ending = True
        return len(asyncio.all_tasks(loop)), self._lag_s * 1000

    def _answer(self, asked_at: float) -> None:
        self._lag_s = monotonic() - asked_at
        self._asked_at = None
