"""The log writer for asyncio: a task of the running loop empties the buffer."""

from __future__ import annotations

import asyncio
import atexit
import inspect
import logging
import os
import signal
import threading
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final, Self, cast
from weakref import WeakSet

from ._dial import leave_signals
from ._effects import READ, WRITE, HandOver, Idle, Ready
from ._log_writer import (
    CLOSE_TIMEOUT_S,
    GRACE_S,
    LOOK_S,
    drain_all,
    drain_and_end,
    end_by_default,
    listen_again,
)
from ._options import FLUSH_TIMEOUT_S, Options
from ._poll import drive, look
from ._writer import BaseWriter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from ._effects import Effect
    from ._poll import Run
    from ._set_aside import Fallback, SetAside
    from ._wake import Wake

__all__ = ["AsyncLogWriter"]

logger = logging.getLogger("ai_platform.runtime")
_open: Final[WeakSet[AsyncLogWriter]] = WeakSet()
_listening: Final[WeakSet[asyncio.AbstractEventLoop]] = WeakSet()
_endings: Final[set[asyncio.Task[None]]] = set()


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
        self._starting = threading.RLock()
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
            loop = self._loop
            if loop is not None:
                with suppress(RuntimeError):  # it may be closed, or close just now
                    loop.call_soon_threadsafe(self._start, loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._starting:  # two threads with a loop each
            if self._is_running:
                return
            self._task = None  # one of a loop that is gone ends here, before the next
            self._loop = loop
            self._task = loop.create_task(self._work(), name="log_writer")
            self._begun()
        if self._drain_on_sigterm:
            # loops of other makers, and other threads, have no such handlers
            with suppress(RuntimeError, ValueError, NotImplementedError):
                _listen_for_sigterm(loop)

    async def _work(self) -> None:
        try:
            # one that another loop left in the middle is gone on with
            await self._drive(self._next_run())
        except Exception:
            logger.exception("the log writer failed")
        finally:
            self._nudge_at = 0
            self._delivery.is_idle = True
            if not any(one._is_running for one in list(_open) if one is not self):  # noqa: SLF001
                _stop_listening(self._loop)

    async def _drive(self, run: Run) -> None:
        """Drive *run*; when the loop is about to end, write what is left."""
        self._is_ending = False
        if not self._closed:
            self._delivery.end_by = None
        while (effect := run.effect) is not None:
            try:
                answer = await self._perform(effect)
            except asyncio.CancelledError:
                if run is self._run:
                    self._end_soon()
                answer = 0
            if run is not self._run:
                return  # of the parent of this process: what it holds is not ours
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
        """Give *records* to the fallback; what is begun is waited for, if it ends."""
        task = asyncio.ensure_future(_called(self._options.fallback, records))
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            self._end_soon()
            left = (self._delivery.end_by or 0.0) - monotonic()
            await asyncio.wait([task], timeout=max(0.0, left) + GRACE_S)
        if not task.done():
            task.cancel()
            logger.error("the fallback of the log writer does not come to an end")
            return 0
        if task.cancelled() or task.exception() is not None:
            # somebody else's code; the next batch may do better
            error = None if task.cancelled() else task.exception()
            logger.error("the fallback of the log writer failed", exc_info=error)
            return 0
        return 1

    async def flush(self, timeout_s: float = CLOSE_TIMEOUT_S) -> bool:
        """Wait until everything pushed before is written or set aside.

        Returns False when that took longer than *timeout_s* seconds; nothing is lost
        by that.
        """
        ends = monotonic() + timeout_s
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._delivery.intake.tell_when_done(lambda: _tell(loop, done))
        while self.pending and not done.is_set():
            if monotonic() >= ends:
                return False
            self._start(loop)
            with suppress(TimeoutError):
                left = max(0.0, ends - monotonic())
                await asyncio.wait_for(done.wait(), min(LOOK_S, left))
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
            await asyncio.wait([self._task], timeout=timeout_s + GRACE_S)
        self._refuse_rest()
        _open.discard(self)
        return not self.pending

    def _close_after_loop(self) -> None:
        """Write what an event loop that is gone left behind."""
        self._close_buffer()
        self._delivery.end_by = monotonic() + CLOSE_TIMEOUT_S
        if self.pending:
            drive(self._next_run(), self._wake, _in_a_loop(self._options.fallback))
        # a run that its loop left in the middle has a connection, if nothing else
        self._delivery.link.abandon()
        self._refuse_rest()

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

    process = os.getpid()
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
        # a loop that is closed knows no readers; that of a parent is not ours
        if not loop.is_closed() and os.getpid() == process:
            for fd in fds:
                loop.remove_reader(fd)
                loop.remove_writer(fd)


async def _called(fallback: Fallback, records: list[SetAside]) -> None:
    """Call *fallback*: a coroutine function here, any other in a thread of its own.

    That thread does not keep the process when *fallback* hangs.
    """
    if _is_async(fallback):
        await cast("Awaitable[object]", fallback(records))
        return
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[object] = loop.create_future()

    def end(error: Exception | None) -> None:
        if not ended.done():
            if error is None:
                ended.set_result(None)
            else:
                ended.set_exception(error)

    def work() -> None:
        leave_signals()
        error: Exception | None = None
        try:
            fallback(records)
        except Exception as caught:  # noqa: BLE001 - raised where it is awaited
            error = caught
        except SystemExit:  # it would end the loop
            error = RuntimeError("the fallback wants to end the process")
        with suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(end, error)

    threading.Thread(target=work, name="log_writer fallback", daemon=True).start()
    await ended


def _in_a_loop(fallback: Fallback) -> Fallback:
    """Return *fallback* for use where no loop runs."""
    if not _is_async(fallback):
        return fallback
    return lambda records: asyncio.run(_called(fallback, records))


def _is_async(fallback: Fallback) -> bool:
    return inspect.iscoroutinefunction(fallback) or inspect.iscoroutinefunction(
        getattr(fallback, "__call__", None)  # noqa: B004 - an object with `async def __call__`
    )


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    with suppress(RuntimeError):  # whoever asked is gone with the loop
        loop.call_soon_threadsafe(done.set)


def _listen_for_sigterm(loop: asyncio.AbstractEventLoop) -> None:
    """Drain at SIGTERM where nobody but us handles it."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(
        signal.SIGTERM
    ) in {signal.SIG_DFL, drain_and_end}:
        loop.add_signal_handler(signal.SIGTERM, _begin_end, loop)
        _listening.add(loop)


def _stop_listening(loop: asyncio.AbstractEventLoop | None) -> None:
    """Leave SIGTERM to the writers of threads, or to the system, when *loop* ends."""
    if loop is None or loop not in _listening:
        return
    if threading.current_thread() is threading.main_thread():
        _listening.discard(loop)
        if not loop.is_closed():
            loop.remove_signal_handler(signal.SIGTERM)
            listen_again()


def _begin_end(loop: asyncio.AbstractEventLoop) -> None:
    task = loop.create_task(_end_by(signal.SIGTERM), name="log_writer end")
    _endings.add(task)  # a loop holds its tasks weakly


async def _end_by(number: int) -> None:
    """Close every writer, of loops and of threads, then end by the signal."""
    closing = (writer.close() for writer in list(_open))
    await asyncio.gather(*closing, return_exceptions=True)
    await asyncio.to_thread(drain_all)
    end_by_default(number)


def _drain_after_loops() -> None:
    for writer in list(_open):
        writer._close_after_loop()  # noqa: SLF001 - of this module


atexit.register(_drain_after_loops)
