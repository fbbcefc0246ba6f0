"""What both log writers share: `push`, the numbers, what a fork leaves behind."""

from __future__ import annotations

import os
from collections import deque
from threading import RLock
from time import time_ns
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from ._counts import Metric, prometheus_text
from ._delivery import Delivery
from ._poll import Run, drive
from ._wake import Wake

if TYPE_CHECKING:
    from ._encode import Record
    from ._intake import Pushed
    from ._options import Options

__all__ = ["BaseWriter"]

_writers: Final[WeakSet[BaseWriter]] = WeakSet()
# a connection of the parent: closing it would end the parent's session
_of_parents: Final[list[Any]] = []


class BaseWriter:
    """A bounded buffer, and a delivery that empties it."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._begin()
        _writers.add(self)

    def _begin(self) -> None:
        self._wake = Wake()
        self._buffer: deque[Pushed] = deque()
        self._delivery = Delivery(self._options, self._buffer, self._wake)
        self._run: Run | None = None
        # a signal handler may push while this thread is in the middle of it
        self._refusals = RLock()
        self._closed = False
        self._limit = self._options.buffer_size
        # the first push starts the delivery; later ones wake it when a batch is full
        self._nudge_at = 0
        self._delivery.is_idle = True

    def push(self, record: Record) -> None:
        """Take *record* for writing; never waits and never raises.

        A full buffer, or one that is closed, drops it and counts that. From any
        thread. Threads that push in the same moment may exceed the buffer's size by
        their number.
        """
        buffer = self._buffer
        if len(buffer) < self._nudge_at:
            buffer.append((time_ns(), record))
        else:
            self._push_and_nudge(record)

    def _push_and_nudge(self, record: Record) -> None:
        """Push where a batch is full, nothing has begun yet, or no room is left."""
        if len(self._buffer) >= self._limit:
            self._refuse()
            return
        self._buffer.append((time_ns(), record))
        if self._delivery.is_idle:
            self._delivery.is_idle = False
            self._nudge()

    def _begun(self) -> None:
        """Let pushes be quick until a batch is full; not after closing."""
        self._nudge_at = min(self._options.batch_size - 1, self._limit)

    def _close_buffer(self) -> None:
        """Refuse every push from now on."""
        self._closed = True
        self._limit = self._nudge_at = 0

    def _refuse(self) -> None:
        with self._refusals:
            reason = "closed" if self._closed else "buffer_full"
            self._delivery.counts.refused[reason] += 1

    def _nudge(self) -> None:
        """Wake the delivery, or start it; must not raise."""
        raise NotImplementedError

    def _next_run(self) -> Run:
        """Return the delivery under way, wherever it was left, or a new one."""
        if self._run is None or self._run.is_over:
            self._run = Run(self._delivery.run())
        return self._run

    def _drive_here(self) -> None:
        """Bring the delivery to its end in this thread, whoever began it."""
        drive(self._next_run(), self._wake, self._options.fallback)

    def _refuse_rest(self) -> None:
        """Count what came between closing and the end."""
        with self._delivery.intake.taking:
            while self._buffer:
                self._buffer.popleft()
                self._refuse()

    def _forked(self) -> None:
        """Begin anew in the child: what was in the buffer, the parent writes."""
        connection = self._delivery.link.forget()
        if connection is not None:
            _of_parents.append(connection)
        was_closed = self._closed
        self._begin()
        if was_closed:
            self._close_buffer()

    # the numbers

    @property
    def pushed(self) -> int:
        """Records given to `push`: written, set aside, dropped or pending."""
        return self._delivery.intake.pushed

    @property
    def pending(self) -> int:
        """Records in the buffer and in the batch under way."""
        return self._delivery.intake.pending

    @property
    def written(self) -> int:
        """Records that the server has committed."""
        return self._delivery.counts.written

    @property
    def dropped(self) -> dict[str, int]:
        """Records lost by reason: buffer_full, closed, fallback_failed, failed.

        failed: by a fault of the writer itself; see the log of `ai_platform.runtime`.
        """
        return self._delivery.counts.dropped

    @property
    def set_aside(self) -> dict[str, int]:
        """Records given to the fallback, by reason.

        bad_row: no table can hold it. outside_window: its day has no partition and
        may not get one. refused: the table, a column or a right is missing.
        server_error, timeout, disconnected: not written within the flush timeout.
        no_partition: it could not be made. in_doubt: the connection was lost in the
        middle, and closing could not wait to learn how it ended. closed: the time to
        close was over.
        """
        return dict(self._delivery.counts.set_aside)

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._delivery.link.is_up

    @property
    def last_error(self) -> str:
        """What went wrong last, in one line; empty when nothing did."""
        return self._delivery.link.error

    def prometheus(self) -> str:
        """Return the numbers in the text format of Prometheus."""
        counts = self._delivery.counts
        metrics: list[Metric] = [
            ("logs_pushed_total", "counter", "Records pushed.", self.pushed),
            ("logs_written_total", "counter", "Records committed.", counts.written),
            (
                "logs_dropped_total",
                "counter",
                "Records lost, by reason.",
                {"buffer_full": 0, "closed": 0, **counts.dropped},
            ),
            (
                "logs_set_aside_total",
                "counter",
                "Records given to the fallback, by reason.",
                {"bad_row": 0, "disconnected": 0, **counts.set_aside},
            ),
            ("logs_pending", "gauge", "Records not at their end yet.", self.pending),
            ("logs_batches_total", "counter", "Batches committed.", counts.batches),
            (
                "logs_flush_seconds_total",
                "counter",
                "Time spent delivering batches.",
                counts.flush_s,
            ),
            (
                "logs_connects_total",
                "counter",
                "Connections made.",
                self._delivery.link.connects,
            ),
            (
                "logs_partitions_made_total",
                "counter",
                "Partitions made by this writer.",
                counts.partitions_made,
            ),
            (
                "logs_connected",
                "gauge",
                "1 while there is a connection.",
                float(self.is_connected),
            ),
        ]
        return prometheus_text(metrics)


def _after_fork() -> None:
    for writer in list(_writers):
        writer._forked()  # noqa: SLF001 - of this module


os.register_at_fork(after_in_child=_after_fork)
