"""What both metrics collectors share: a thread that samples, sums up and writes.

One thread with an event loop of its own serves synchronous and asynchronous services
alike: an event loop that is blocked or has ended still is looked at from outside.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import weakref
from collections import Counter
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any, Final

from ai_platform.errors import BadValue

from . import _environment as environment
from ._interval import Interval, Sample, clean
from ._metrics_store import LOGGER, Store
from ._metrics_text import text_of
from ._pools import watched
from ._process import memory_mb, threads
from ._registry import Registry
from ._values import PATIENCE_S, Values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ._holding import Held
    from ._interval import Row
    from ._pools import PoolNumbers, WatchedPool
    from ._values import Value

__all__ = ["CLOSE_TIMEOUT_S", "Collector"]

CLOSE_TIMEOUT_S: Final = 5.0
"""How long the last write may take, in seconds."""

_SAMPLES_PER_INTERVAL: Final = 10
_MOST_BETWEEN_SAMPLES_S: Final = 1.0
_EXIT_TIMEOUT_S: Final = 2.0
_GRACE_S: Final = 1.0
# deleting what a fork copied would speak on sockets that are the parent's
_LEFT_TO_THE_PARENT: list[object] = []


class Collector:
    """The collector itself; the two public classes add how it is waited for."""

    def __init__(  # noqa: PLR0913 - every one has a default
        self,
        conninfo: str | None = None,
        *,
        node_id: str | None = None,
        interval: float | None = None,
        pools: Mapping[str, object] | Iterable[object] = (),
        values: Mapping[str, Value] | None = None,
        kind: str = "api",
        version: str | None = None,
        held_too_long_s: float = 30.0,
        buffer_rows: int = 1000,
        role: str | None = None,
    ) -> None:
        self.node_id = clean(node_id or environment.node_id())
        self.interval_s = (
            environment.duration("PB_METRICS_INTERVAL", 10.0)
            if interval is None
            else interval
        )
        for name, number in (
            ("interval", self.interval_s),
            ("held_too_long_s", held_too_long_s),
            ("buffer_rows", buffer_rows),
        ):
            if not 0 < number < float("inf"):
                raise BadValue(f"{name} must be above zero, got {number!r}")
        self._conninfo = environment.conninfo(conninfo)
        self._kind, self._version = kind, version
        self._buffer_rows = buffer_rows
        self._role = role
        self._held_too_long_s = held_too_long_s
        self._every_s = min(
            _MOST_BETWEEN_SAMPLES_S, self.interval_s / _SAMPLES_PER_INTERVAL
        )
        self._given_values = dict(values or {})
        self._prepare()
        self._pools: list[WatchedPool] = watched(pools)
        _ALL.add(self)

    def _prepare(self) -> None:
        """Make everything that belongs to one process."""
        self._registry = Registry(self.node_id, self._kind, self._version)
        self._store = Store(
            self._conninfo,
            self.node_id,
            self._registry,
            buffer_rows=self._buffer_rows,
            role=self._role,
        )
        self._values = Values(self._given_values, min(PATIENCE_S, self.interval_s))
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._wake: asyncio.Event | None = None
        self._writing: asyncio.Task[bool] | None = None
        self._ending = self._closed = False
        self._close_timeout_s = CLOSE_TIMEOUT_S
        self._last_waits: dict[str, int] = {}
        self._failures_written = 0
        self._pool_failures: Counter[str] = Counter()
        self.samples = 0
        self.sample_s = 0.0
        self.latest: Sample | None = None

    @property
    def written(self) -> int:
        """How many rows are in the database."""
        return self._store.written

    @property
    def pending(self) -> int:
        """How many rows wait for the database."""
        return len(self._store.pending)

    @property
    def dropped(self) -> dict[str, int]:
        """Rows dropped by reason: buffer_full, outside_window, refused, closed."""
        return {reason: n for reason, n in self._store.dropped.items() if n}

    @property
    def failures(self) -> dict[str, int]:
        """How often a callback, or the numbers of a pool, failed or hung, by name."""
        return dict(self._values.failures + self._pool_failures)

    @property
    def last_row(self) -> Row | None:
        """The row that was written last."""
        return self._store.last_row

    @property
    def connects(self) -> int:
        """How often it connected to the database."""
        return self._store.connects

    @property
    def partitions_made(self) -> int:
        """How many partitions it had to make itself."""
        return self._store.partitions_made

    @property
    def is_registered(self) -> bool:
        """Whether the row in `monitoring.nodes` is kept alive."""
        return self._registry.is_kept

    @property
    def last_error(self) -> str:
        """What is wrong now, in one line; empty when nothing is."""
        return self._store.last_error or self._registry.problem

    @property
    def write_s(self) -> float:
        """Seconds spent with writing, waiting for the server included."""
        return self._store.write_s

    def prometheus(self) -> str:
        """Return its numbers and the last sample in the text format of Prometheus."""
        return text_of(self)

    def held(self) -> list[Held]:
        """Return the connections that are held too long now, the longest first."""
        found = [h for one in self._pools for h in one.held(self._held_too_long_s)]
        return sorted(found, key=lambda held: -held.seconds)

    def _start(self) -> None:
        if self._thread is not None or self._closed:
            return
        self._thread = threading.Thread(
            target=self._run, name="metrics collector", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError as error:  # no more threads: the service goes on without
            self._thread, self._store.last_error = None, str(error)
            LOGGER.warning("no metrics of %s: %s", self.node_id, error)

    def _run(self) -> None:
        # not what a service may have made the default: psycopg needs a selector
        loop = self._loop = asyncio.SelectorEventLoop()
        try:
            loop.run_until_complete(self._main())
        except Exception:  # noqa: BLE001 - the service must not notice
            LOGGER.exception("the collector of metrics of %s ended", self.node_id)
        finally:
            self._closed = True
            self._ready.set()
            self._values.close()
            for pool in self._pools:
                pool.release()
            loop.close()

    async def _main(self) -> None:
        self._wake = asyncio.Event()
        self._interval = Interval()
        self._ready.set()
        self._write_soon()
        due = monotonic()
        while not self._ending:
            self._safely_look()
            due = max(due + self._every_s, monotonic())
            with suppress(TimeoutError):
                async with asyncio.timeout(due - monotonic()):
                    await self._wake.wait()
        with suppress(Exception):
            self._end_interval()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._close_timeout_s):
                await self._written_before()
        if self._writing is not None:
            self._writing.cancel()  # what it did not write is written on closing
        await self._store.close(self._close_timeout_s)
        await _end_others()

    def _safely_look(self) -> None:
        """Take a sample, and end the interval when it is time; never raise."""
        try:
            self._look()
            if self._interval.age_s >= self.interval_s - self._every_s / 2:
                self._end_interval()
                self._write_soon()
        except Exception as error:  # noqa: BLE001 - the service must not notice
            self._interval = Interval()
            if not self._pool_failures["collector"]:
                LOGGER.exception("a sample of %s failed", self.node_id)
            self._pool_failures["collector"] += 1
            self._store.last_error = str(error)

    def _write_soon(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._store.write())

    async def _written_before(self) -> None:
        if self._writing is not None:
            # whoever gives up waiting, such as a flush, does not end it for others
            await asyncio.wait({self._writing})

    async def _flush(self) -> bool:
        self._safely_look()
        self._end_interval()
        await self._written_before()
        return await self._store.write(now=True)

    def _end_interval(self) -> None:
        """Make the samples since the last write one row."""
        failed = self._values.failures.total() + self._pool_failures.total()
        if self._interval.is_empty:
            return
        self._store.keep(self._interval.row(failed - self._failures_written))
        self._failures_written = failed
        self._interval = Interval()

    def _look(self) -> None:
        """Take one sample."""
        began = perf_counter()
        pools: dict[str, PoolNumbers] = {}
        for pool in self._pools:
            try:
                pools[pool.name] = pool.numbers()
            except Exception:  # noqa: BLE001 - whatever a foreign pool raises
                self._pool_failures[pool.name] += 1
        tasks, lag_ms = self._of_the_service()
        sample = Sample(
            memory_mb=memory_mb(),
            threads=threads(),
            tasks=tasks,
            lag_ms=lag_ms,
            pools=pools,
            held=self.held(),
            values=self._values.ask(),
        )
        self._interval.add(sample, self._new_waits(pools))
        self.latest = sample
        self.samples += 1
        self.sample_s += perf_counter() - began

    def _of_the_service(self) -> tuple[int | None, float | None]:
        """Return tasks and lag in ms of the service's event loop, where it has one."""
        return None, None

    def _new_waits(self, pools: Mapping[str, PoolNumbers]) -> dict[str, int]:
        found = {}
        for name, numbers in pools.items():
            if numbers.waits is not None:
                # what a pool counted before it was watched is not of this interval
                before = self._last_waits.get(name, numbers.waits)
                found[name] = max(0, numbers.waits - before)
                self._last_waits[name] = numbers.waits
        return found

    def _flushed(self, timeout_s: float) -> bool:
        """Write now, from another thread; return whether nothing is left."""
        self._ready.wait(timeout_s)
        loop = self._loop
        if self._closed or self._ending or loop is None:
            return False
        coroutine = self._flush()
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        except RuntimeError:  # it ended in this moment
            coroutine.close()
            return False
        try:
            return future.result(timeout_s)
        except (FutureTimeoutError, CancelledError):  # the latter by a close meanwhile
            future.cancel()
            return False

    def _end(self, timeout_s: float) -> bool:
        """End the thread, from another one; return whether it ended in time."""
        thread, loop = self._thread, self._loop
        if thread is None:
            self._closed = True
            return True
        self._ready.wait(timeout_s)
        loop = self._loop
        self._close_timeout_s = timeout_s
        self._ending = True
        if loop is not None and self._wake is not None:
            with suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(self._wake.set)
        thread.join(timeout_s + _GRACE_S)
        return not thread.is_alive()

    def _after_fork(self) -> None:
        """Be new in the child: neither thread nor connection came along."""
        kept: list[Any] = [self._store, self._loop, self._values, self._writing]
        _LEFT_TO_THE_PARENT.extend(kept)
        self._prepare()


async def _end_others() -> None:
    """End what is left in this loop: a flush of another thread returns at once."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)


_ALL: weakref.WeakSet[Collector] = weakref.WeakSet()


def _end_all() -> None:
    for collector in list(_ALL):
        collector._end(_EXIT_TIMEOUT_S)  # noqa: SLF001 - of this module


def _fork_all() -> None:
    for collector in list(_ALL):
        collector._after_fork()  # noqa: SLF001 - of this module


atexit.register(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_fork_all)
