"""The log writer for asyncio: a task of the running loop empties the buffer."""

from __future__ import annotations

import asyncio
import atexit
import inspect
import logging
import os
import signal
import threading
from time import monotonic
from typing import TYPE_CHECKING, Final, Self
from weakref import WeakSet

from ._effects import READ, WRITE, HandOver, Idle, Ready
from ._log_writer import CLOSE_TIMEOUT_S, drain_all
from ._options import FLUSH_TIMEOUT_S, Options
from ._poll import Run, look
from ._writer import BaseWriter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from ._effects import Effect
    from ._set_aside import Fallback, SetAside
    from ._wake import Wake

__all__ = ["AsyncLogWriter"]

logger = logging.getLogger("ai_platform.runtime")
_open: Final[WeakSet[AsyncLogWriter]] = WeakSet()


class AsyncLogWriter(BaseWriter):
    """Writes request logs in batches by binary COPY, from a task of the event loop.

        async with AsyncLogWriter() as writer:
            writer.push(RequestRecord(url="/", method="GET", status=200))

    Arguments as for LogWriter; *fallback* may be a coroutine function, any other one
    is called in a thread. The loop is never held for longer than the encoding of 64
    records. When the loop ends without `close`, its last act is to write what is left;
    a push in another loop goes on from there. At SIGTERM, where nobody handles that,
    the buffer is written before the process ends.

    Raises BadValue when a setting cannot be used; never for what is wrong with the
    database.
    """

    def __init__(  # noqa: PLR0913 - every one has a default
        self,
        conninfo: str | None = None,
        *,
        buffer_size: int | None = None,
        batch_size: int | None = None,
        flush_interval_s: float | None = None,
        flush_timeout_s: float = FLUSH_TIMEOUT_S,
        fallback: Fallback
        | Callable[[list[SetAside]], Awaitable[object]]
        | None = None,
        drain_on_sigterm: bool = True,
    ) -> None:
        options = Options.read(
            conninfo,
            buffer_size=buffer_size,
            batch_size=batch_size,
            flush_interval_s=flush_interval_s,
            flush_timeout_s=flush_timeout_s,
            fallback=fallback,
        )
        self._drain_on_sigterm = drain_on_sigterm
        super().__init__(options)
        _open.add(self)

    def _begin(self) -> None:
        super()._begin()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_ending = False

    def _nudge(self) -> None:
        if not self._is_running:
            self._start_somewhere()
        self._wake()

    @property
    def _is_running(self) -> bool:
        return (
            self._task is not None
            and not self._task.done()
            and not self._task.get_loop().is_closed()
        )

    def _start_somewhere(self) -> None:
        """Start in the running loop, or from another thread in the loop known."""
        try:
            self._start(asyncio.get_running_loop())
        except RuntimeError:
            self._delivery.is_idle = True
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._start, self._loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._is_running:
            return
        self._loop = loop
        self._task = loop.create_task(self._work(), name="log_writer")
        self._begun()
        if self._drain_on_sigterm:
            self._listen_for_sigterm(loop)

    async def _work(self) -> None:
        try:
            # one that another loop left in the middle is gone on with
            if self._run is None or self._run.is_over:
                self._run = Run(self._delivery.run())
            await self._drive(self._run)
        except Exception:
            logger.exception("the log writer failed")
        finally:
            self._nudge_at = 0
            self._delivery.is_idle = True

    async def _drive(self, run: Run) -> None:
        """Drive *run*; when the loop is about to end, write what is left."""
        self._is_ending = False
        while (effect := run.effect) is not None:
            try:
                answer = await self._perform(effect)
            except asyncio.CancelledError:
                self._end_soon()
                answer = 0
            run.answer(answer)
        if self._is_ending:
            if not self._closed:
                self._delivery.end_by = None
            raise asyncio.CancelledError

    def _end_soon(self) -> None:
        """Take a first cancellation as the end of the loop; a second one is obeyed."""
        if self._is_ending:
            raise asyncio.CancelledError
        self._is_ending = True
        if self._delivery.end_by is None:
            self._delivery.end_by = monotonic() + CLOSE_TIMEOUT_S

    async def _perform(self, effect: Effect) -> int:
        if isinstance(effect, Ready):
            if effect.until:
                return await _ready({effect.fd: effect.events}, effect.until)
            await asyncio.sleep(0)
            return look({effect.fd: effect.events}, 0.0).get(effect.fd, 0)
        if isinstance(effect, Idle):
            return await self._sleep(effect, self._wake)
        if isinstance(effect, HandOver):
            return await self._hand_over(effect.records)
        await asyncio.sleep(0)
        return 0

    @staticmethod
    async def _sleep(effect: Idle, wake: Wake) -> int:
        fds = {wake.fd: READ} | ({effect.fd: READ} if effect.fd >= 0 else {})
        await _ready(fds, effect.until)
        wake.clear()
        return look({effect.fd: READ}, 0.0).get(effect.fd, 0) if effect.fd >= 0 else 0

    async def _hand_over(self, records: list[SetAside]) -> int:
        fallback = self._options.fallback
        call = (
            fallback(records)
            if inspect.iscoroutinefunction(fallback)
            else asyncio.to_thread(fallback, records)
        )
        task = asyncio.ensure_future(call)
        try:
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                self._end_soon()
                await task  # what is begun is neither counted twice nor never
        except Exception:  # somebody else's code; the next batch may do better
            logger.exception("the fallback of the log writer failed")
            return 0
        return 1

    async def flush(self, timeout_s: float = CLOSE_TIMEOUT_S) -> bool:
        """Wait until everything pushed before is written or set aside.

        Returns False when that took longer than *timeout_s* seconds; nothing is lost
        by that.
        """
        if not self.pending:
            return True
        loop = asyncio.get_running_loop()
        self._start(loop)
        done = asyncio.Event()
        self._await_until_now(done.set)  # told by the task, in this loop
        try:
            await asyncio.wait_for(done.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    async def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> bool:
        """Write what is left, for at most *timeout_s* seconds, and disconnect.

        What is left then goes to the fallback. Later pushes are dropped and counted.
        Returns whether everything had come to its end in time. Closing twice is fine.
        """
        if not self._closed:
            self._close_buffer()
            self._delivery.end_by = monotonic() + timeout_s
        if self.pending or self._is_running:
            self._start(asyncio.get_running_loop())
        self._wake()
        if self._task is not None and not self._task.done():
            # a fallback that hangs must not keep the process
            await asyncio.wait([self._task], timeout=timeout_s + 1.0)
        self._refuse_rest()
        _open.discard(self)
        return not self.pending

    def _close_after_loop(self) -> None:
        """Write what an event loop that is gone left behind."""
        self._close_buffer()
        self._delivery.end_by = monotonic() + CLOSE_TIMEOUT_S
        if self.pending:
            self._drive_here()
        self._refuse_rest()

    def _listen_for_sigterm(self, loop: asyncio.AbstractEventLoop) -> None:
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        ):
            loop.add_signal_handler(
                signal.SIGTERM, lambda: loop.create_task(_end_by(signal.SIGTERM, loop))
            )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


async def _ready(fds: dict[int, int], until: float) -> int:
    """Return what the first of *fds* to be ready is ready for; 0 when none is."""
    loop = asyncio.get_running_loop()
    first: asyncio.Future[int] = loop.create_future()

    def found(flag: int) -> None:
        if not first.done():
            first.set_result(flag)

    timer = loop.call_later(max(0.0, until - monotonic()), found, 0)
    try:
        for fd, events in fds.items():
            if events & READ:
                loop.add_reader(fd, found, READ)
            if events & WRITE:
                loop.add_writer(fd, found, WRITE)
        return await first
    finally:
        timer.cancel()
        for fd, events in fds.items():
            if events & READ:
                loop.remove_reader(fd)
            if events & WRITE:
                loop.remove_writer(fd)


async def _end_by(number: int, loop: asyncio.AbstractEventLoop) -> None:
    """Close every writer of *loop*, and those of threads, then end by the signal."""
    await asyncio.gather(*(writer.close() for writer in list(_open)))
    await asyncio.to_thread(drain_all)
    loop.remove_signal_handler(number)
    os.kill(os.getpid(), number)


def _drain_after_loops() -> None:
    for writer in list(_open):
        writer._close_after_loop()  # noqa: SLF001 - of this module


atexit.register(_drain_after_loops)
