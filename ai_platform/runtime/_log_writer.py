"""The log writer for synchronous services: a thread of its own empties the buffer."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import WeakSet

from ._dial import leave_signals
from ._options import FLUSH_TIMEOUT_S, Options
from ._poll import drive
from ._writer import BaseWriter

if TYPE_CHECKING:
    from types import TracebackType

    from ._set_aside import Fallback

__all__ = [
    "CLOSE_TIMEOUT_S",
    "GRACE_S",
    "LOOK_S",
    "LogWriter",
    "drain_all",
    "drain_and_end",
    "end_by_default",
    "listen_again",
]

CLOSE_TIMEOUT_S: Final = 5.0
GRACE_S: Final = 1.0
"""How much longer than asked for a fallback under way is waited for."""
LOOK_S: Final = 0.1
"""How often `flush` looks whether somebody works for it."""
_FIRST_TICK_S: Final = 0.0005
_LONGEST_TICK_S: Final = 0.01

logger = logging.getLogger("ai_platform.runtime")
_open: Final[WeakSet[LogWriter]] = WeakSet()


class LogWriter(BaseWriter):
    """Writes request logs in batches by binary COPY, from a thread of its own.

        with LogWriter() as writer:
            writer.push(RequestRecord(url="/", method="GET", status=200))

    *conninfo* is a URL or what else libpq takes (default: DATABASE_URL) of a login in
    `platform_log_writer`. Sizes are records (PB_LOG_BUFFER_SIZE, PB_LOG_BATCH_SIZE),
    times seconds (PB_LOG_FLUSH_INTERVAL). *fallback* is called with a list of SetAside
    for what could not be written; by default they are printed as JSON lines.

    The first push starts the thread and connects. What is in the buffer is written
    when the process ends: by `close`, at exit, and at SIGTERM where nobody else
    handles that. A child of a fork begins with an empty buffer and a connection of
    its own; a child that ends by os._exit must close first.

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
        fallback: Fallback | None = None,
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
        self._drain_at_sigterm = drain_on_sigterm
        super().__init__(options)
        _open.add(self)
        if drain_on_sigterm:
            _drain_on_sigterm()

    def _begin(self) -> None:
        super()._begin()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._is_working = False
        # one thread at a time drives the delivery; a signal in it may go on with it
        self._driving = threading.RLock()

    def _nudge(self) -> None:
        if not self._is_working:
            self._start()
        self._wake()

    def _start(self) -> None:
        if not self._starting.acquire(blocking=False):
            return  # another thread is at it
        try:
            thread = threading.Thread(target=self._work, name="log_writer", daemon=True)
            self._begun()
            self._thread = thread
            self._is_working = True
            thread.start()
            _drain_with_worker()
        except RuntimeError:
            # no more threads at the end of the interpreter: close() will write it
            self._delivery.is_idle = True
            self._nudge_at = 0
            self._is_working = False
        finally:
            self._starting.release()

    def _work(self) -> None:
        leave_signals()
        with self._driving:
            try:
                drive(self._next_run(), self._wake, self._options.fallback)
            except Exception:
                logger.exception("the log writer failed")
            finally:
                # the next push starts another
                self._nudge_at = 0
                self._delivery.is_idle = True
                self._is_working = False

    def flush(self, timeout_s: float = CLOSE_TIMEOUT_S) -> bool:
        """Wait until everything pushed before is written or set aside.

        Returns False when that took longer than *timeout_s* seconds; nothing is lost
        by that.
        """
        ends = monotonic() + timeout_s
        done = threading.Event()
        self._delivery.intake.tell_when_done(done.set)
        while self.pending and not done.is_set():
            if monotonic() >= ends:
                return False
            if not self._is_working:
                self._start()
            # one whose thread ended just now asks another
            done.wait(min(LOOK_S, max(0.0, ends - monotonic())))
        return True

    def close(self, timeout_s: float = CLOSE_TIMEOUT_S) -> bool:
        """Write what is left, for at most *timeout_s* seconds, and disconnect.

        What is left then goes to the fallback. Later pushes are dropped and counted.
        Returns whether everything had come to its end in time. Closing twice is fine.
        """
        self._ask_to_end(timeout_s)
        return self._end(timeout_s)

    def _ask_to_end(self, timeout_s: float) -> None:
        """Let the thread come to its end; does not wait."""
        if not self._closed:
            self._close_buffer()
            self._delivery.end_by = monotonic() + timeout_s
            self._wake()

    def _end(self, timeout_s: float) -> bool:
        # a fallback that hangs must not keep the process
        ends = monotonic() + timeout_s + GRACE_S
        if self._thread is not threading.current_thread():
            # not join(): in a signal handler within another join() it would hang
            tick = _FIRST_TICK_S
            while self._is_working and monotonic() < ends:
                sleep(tick)
                tick = min(2 * tick, _LONGEST_TICK_S)
            if self.pending:
                self._drive_alone(ends)
        self._refuse_rest()
        _open.discard(self)
        return not self.pending

    def _drive_alone(self, ends: float) -> None:
        """Write here what no thread of ours writes; it may be just about to begin."""
        if not self._driving.acquire(timeout=max(0.0, ends - monotonic())):
            return
        try:
            if self.pending:
                self._drive_here()
        except Exception:
            logger.exception("the log writer failed")
        finally:
            self._driving.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def drain_all(timeout_s: float = CLOSE_TIMEOUT_S) -> None:
    """Close every open writer, all within one *timeout_s*."""
    writers = list(_open)
    for writer in writers:
        writer._ask_to_end(timeout_s)  # noqa: SLF001 - of this module
    for writer in writers:
        writer._end(timeout_s)  # noqa: SLF001 - of this module


def _drain_on_sigterm() -> None:
    """Drain at SIGTERM where it would end the process without a word.

    Where a handler is set already, or is set later, that one decides; most of them
    let the process end, and that drains as well.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, drain_and_end)


def listen_again() -> None:
    """Drain at SIGTERM as before an event loop took it over, where anybody wants it."""
    if any(writer._drain_at_sigterm for writer in list(_open)):  # noqa: SLF001
        _drain_on_sigterm()


def drain_and_end(number: int, _frame: Any) -> None:
    """Handle a signal that would end the process without a word."""
    drain_all()
    end_by_default(number)


def end_by_default(number: int) -> None:
    """End this process by signal *number*, as if nobody had handled it."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    # the first process of a container is never ended by a default
    os._exit(128 + number)


def _drain_with_worker() -> None:
    """Drain at the end of a worker of multiprocessing, which knows no atexit."""
    processes = sys.modules.get("multiprocessing.process")
    if processes is None or processes.parent_process() is None:
        return
    from multiprocessing.util import Finalize  # noqa: PLC0415 - already imported there

    Finalize(None, drain_all, exitpriority=0)


atexit.register(drain_all)
