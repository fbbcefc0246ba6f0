"""The log writer for synchronous services: a thread of its own empties the buffer."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import threading
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import WeakSet

from ._options import FLUSH_TIMEOUT_S, Options
from ._poll import Run, drive
from ._writer import BaseWriter

if TYPE_CHECKING:
    from types import TracebackType

    from ._set_aside import Fallback

__all__ = ["CLOSE_TIMEOUT_S", "LogWriter", "drain_all"]

CLOSE_TIMEOUT_S: Final = 5.0

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
        super().__init__(options)
        _open.add(self)
        if drain_on_sigterm:
            _drain_on_sigterm()

    def _begin(self) -> None:
        super()._begin()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def _nudge(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._start()
        self._wake()

    def _start(self) -> None:
        if not self._starting.acquire(blocking=False):
            return  # another thread is at it
        try:
            thread = threading.Thread(target=self._work, name="log_writer", daemon=True)
            thread.start()
            self._thread = thread
            self._begun()
        except RuntimeError:
            # no more threads at the end of the interpreter: close() will write it
            self._delivery.is_idle = True
        finally:
            self._starting.release()

    def _work(self) -> None:
        try:
            self._run = Run(self._delivery.run())
            drive(self._run, self._wake, self._options.fallback)
        except Exception:
            logger.exception("the log writer failed")
        finally:
            # the next push starts another
            self._nudge_at = 0
            self._delivery.is_idle = True

    def flush(self, timeout_s: float = CLOSE_TIMEOUT_S) -> bool:
        """Wait until everything pushed before is written or set aside.

        Returns False when that took longer than *timeout_s* seconds; nothing is lost
        by that.
        """
        if not self.pending:
            return True
        if self._thread is None or not self._thread.is_alive():
            self._start()
        done = threading.Event()
        self._await_until_now(done.set)
        return done.wait(timeout_s)

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
        thread = self._thread
        if thread is not None and thread.is_alive():
            if thread is not threading.current_thread():
                # a fallback that hangs must not keep the process
                thread.join(timeout_s + 1.0)
        elif self.pending:
            self._drive_here()
        self._refuse_rest()
        _open.discard(self)
        return not self.pending

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
        signal.signal(signal.SIGTERM, _end_by)


def _end_by(number: int, _frame: Any) -> None:
    drain_all()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


atexit.register(drain_all)
