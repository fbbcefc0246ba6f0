"""The way of a record from the buffer into its table, or to the fallback."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from psycopg import Error

from ai_platform.names import ENSURE_PARTITION_FOR, REQUEST_LOGS

from ._counts import Counts
from ._dial import Dialer
from ._effects import READ, HandOver, Idle, Steps, Turn
from ._encode import HEADER, TRAILER, BadRecord, Encoder, created_of
from ._libpq import Failed, Lost, TimedOut, copy, query
from ._record import COLUMNS
from ._set_aside import SetAside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import psycopg

    from ._encode import Record
    from ._options import Options

logger = logging.getLogger("ai_platform.runtime")

__all__ = ["Delivery", "Pushed"]

Pushed = tuple[int, "Record"]
"""When it was pushed, in nanoseconds since 1970 UTC, and the record."""
Row = tuple[bytes, Pushed]
"""An encoded record, and what it was."""

# The id of the transaction answers, on another connection, whether it committed.
_COPY: Final = (
    "SELECT pg_catalog.pg_current_xact_id();"
    f" COPY {REQUEST_LOGS} ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)"
).encode()
_ENSURE: Final = f"SELECT {ENSURE_PARTITION_FOR}('{REQUEST_LOGS}', $1)".encode()
_HOW_IT_ENDED: Final = b"SELECT pg_catalog.pg_xact_status($1::pg_catalog.xid8)"
# the backend of a connection that hung may still be at it, with its locks
_END_IT: Final = b"""
    SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
     WHERE backend_xid OPERATOR(pg_catalog.=) $1::pg_catalog.xid8::pg_catalog.xid
       AND pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
"""

_SLICE: Final = 64
"""Records encoded at a stretch: others wait for the interpreter no longer."""
_ROWS_A_MESSAGE: Final = 64
"""Rows in one message: the server begins with the first while the next are sent."""
_LOOK_S: Final = 0.05
"""How often the buffer is looked at while there is no connection."""
_GRACE_S: Final = 1.0
"""So long a lost connection may take to come back before the fallback is used early."""
_PAUSE_S: Final = 0.2

_OUTSIDE_WINDOW: Final = "22023"
_CHECK_VIOLATION: Final = "23514"
# class 25006: the server became a standby; 57P: it ends or has just begun
_GOES_AWAY: Final = frozenset({"25006", "57P01", "57P02", "57P03", "57P05"})
# data exceptions, constraints, limits of the program, what a trigger raises
_ABOUT_ROWS: Final = ("22", "23", "54", "P0")
# no such table or column, no right, no such database: trying again is of no use
_FOR_GOOD: Final = ("42", "3D", "3F", "28", "0A")


@dataclass(slots=True)
class _Doubt:
    """Rows of a transaction whose answer did not come back."""

    transaction: bytes
    rows: list[Row]
    is_late: bool


class Delivery:
    """Takes records from *buffer*; `run` is the generator that a driver drives."""

    def __init__(
        self, options: Options, buffer: deque[Pushed], wake: Callable[[], None]
    ) -> None:
        self.counts = Counts()
        self.last_error = ""
        self.flush_to = 0
        """Deliver without waiting for full batches until so many have left."""
        self.end_by: float | None = None
        """Deliver what is left until then (time.monotonic), and end."""
        self.on_progress: Callable[[], None] = lambda: None
        self.is_idle = False
        self._options = options
        self._buffer = buffer
        self._encoder = Encoder()
        self._dialer = Dialer(options.conninfo, options.application_name, wake)
        self._connection: psycopg.Connection[Any] | None = None
        self._rows: list[Row] = []
        self._rejected: list[SetAside] = []
        self._doubt: _Doubt | None = None
        self._again: list[list[Row]] = []
        self._lost_at: float | None = None
        self._is_proved = False

    @property
    def pending(self) -> int:
        """Records taken that have not come to an end yet."""
        return self.counts.taken - self.counts.resolved

    @property
    def settled(self) -> int:
        """How many records, in the order of their taking, are certainly at their end.

        Rows in doubt hold it back, whatever came after them.
        """
        if self._doubt is not None:
            return 0
        return self.counts.resolved

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._connection is not None

    def forget_connection(self) -> psycopg.Connection[Any] | None:
        """Give the connection up without a word to the server; return it."""
        connection, self._connection = self._connection, None
        return connection

    def run(self) -> Steps[None]:
        """Deliver until `end_by` is set and nothing is left, or it has passed."""
        try:
            while (yield from self._gather()):
                rows, self._rows = self._rows[: self._batch], self._rows[self._batch :]
                yield from self._deliver(rows)
                self.on_progress()
            yield from self._give_up()
        finally:
            self._disconnect()
            self._dialer.abandon()
            self.on_progress()

    # gathering

    @property
    def _batch(self) -> int:
        return self._options.batch_size

    @property
    def _is_urgent(self) -> bool:
        return self.end_by is not None or self.flush_to > self.counts.taken - len(
            self._rows
        )

    def _gather(self) -> Steps[bool]:
        """Wait for a batch, by size or by age, and encode it; False at the end."""
        due = monotonic() + self._options.flush_interval_s
        while (waiting := len(self._rows) + len(self._buffer)) < self._batch:
            now = monotonic()
            if self.end_by is not None:
                if now >= self.end_by:
                    return False
                if not waiting and self._doubt is None and not self._rejected:
                    return False
            if waiting and (self._is_urgent or now >= due):
                break
            if self._doubt is not None or self._rejected:
                return True
            if now >= due:
                due = now + self._options.flush_interval_s
            yield from self._idle(due)
        while len(self._rows) < self._batch and self._encode_some():
            yield Turn()
        return True

    def _idle(self, until: float) -> Steps[None]:
        """Sleep until somebody wakes us; notice a connection that ends meanwhile."""
        fd = self._connection.pgconn.socket if self._connection is not None else -1
        self.is_idle = True
        if len(self._rows) + len(self._buffer) < self._batch and not self._is_urgent:
            ready = yield Idle(until, fd)
            if ready & READ:
                self._hear()
        self.is_idle = False

    def _hear(self) -> None:
        """Take what the server says unasked: a notice, or that it ends."""
        if self._connection is None:
            return
        pgconn = self._connection.pgconn
        try:
            pgconn.consume_input()
            # a result nobody asked for is the farewell
            if pgconn.is_busy() or pgconn.get_result() is None:
                return
        except Error:
            pass
        self._lose("the server ended the connection")

    def _encode_some(self) -> bool:
        """Encode the next records of the buffer; False when none or enough are there.

        Called while the server is busy with the batch before.
        """
        room = min(_SLICE, self._batch - len(self._rows), len(self._buffer))
        if room <= 0:
            return False
        encode, take, keep = self._encoder.row, self._buffer.popleft, self._rows.append
        for _ in range(room):
            pushed = take()
            try:
                keep((encode(pushed[1], pushed[0]), pushed))
            except BadRecord as error:
                self._rejected.append(_aside(pushed, "bad_row", str(error)))
        self.counts.taken += room
        return True

    # delivering

    def _deliver(self, rows: list[Row]) -> Steps[None]:
        """Bring *rows* to an end: written, set aside, or in doubt until reconnected."""
        started = monotonic()
        until = started + (self._options.flush_timeout_s if rows else _LOOK_S)
        if self.end_by is not None:
            until = min(until, self.end_by)
        yield from self._reject()
        todo = deque([rows] if rows else [])
        while todo or self._doubt is not None:
            if not (yield from self._connected(until)):
                yield from self._set_aside(
                    _joined(todo), "disconnected", self.last_error
                )
                break
            todo.extendleft(self._take_back())
            if monotonic() >= until:
                yield from self._set_aside(_joined(todo), "timeout", self.last_error)
                break
            if todo:
                yield from self._attempt(todo, until)
        self.counts.flush_s += monotonic() - started

    def _take_back(self) -> list[list[Row]]:
        """Return the rows that were in doubt and turned out not to be written."""
        again, self._again = self._again, []
        return again

    def _attempt(self, todo: deque[list[Row]], until: float) -> Steps[None]:
        """Write the first part of *todo*, or change *todo* so that the next try may."""
        part = todo.popleft()
        try:
            yield from self._copy(part, until)
        except Lost as lost:
            late = isinstance(lost, TimedOut)
            self._lose(str(lost))
            if lost.may_be_written and lost.transaction is not None:
                self._doubt = _Doubt(lost.transaction, part, is_late=late)
            elif late:
                yield from self._set_aside(part, "timeout", str(lost))
            else:
                todo.appendleft(part)
        except Failed as failed:
            yield from self._refused(failed, part, todo, until)
        else:
            self._written(part)

    def _written(self, rows: list[Row]) -> None:
        self.counts.batches += 1
        self.counts.written += len(rows)
        self._is_proved = True
        self._dialer.succeeded()

    def _copy(self, rows: list[Row], until: float) -> Steps[None]:
        assert self._connection is not None  # noqa: S101 - for the type checker
        encoded = [row[0] for row in rows]
        chunks = [
            b"".join(encoded[first : first + _ROWS_A_MESSAGE])
            for first in range(0, len(encoded), _ROWS_A_MESSAGE)
        ]
        chunks[0] = HEADER + chunks[0]
        chunks[-1] += TRAILER
        pgconn = self._connection.pgconn
        yield from copy(pgconn, _COPY, chunks, until, self._encode_some)

    def _refused(
        self, failed: Failed, part: list[Row], todo: deque[list[Row]], until: float
    ) -> Steps[None]:
        """Decide what to do with *part*, of which the server took nothing."""
        self.last_error = f"{failed.sqlstate}: {failed}"
        if failed.sqlstate in _GOES_AWAY:
            self._lose(str(failed))
            todo.appendleft(part)
        elif failed.sqlstate == _CHECK_VIOLATION and failed.constraint is None:
            yield from self._make_partition(part, todo, until)
        elif failed.sqlstate.startswith(_ABOUT_ROWS):
            yield from self._split(part, todo, "bad_row")
        elif failed.sqlstate.startswith(_FOR_GOOD):
            yield from self._set_aside(part, "refused", self.last_error)
        elif monotonic() + _PAUSE_S >= until:
            yield from self._set_aside(part, "server_error", self.last_error)
        else:
            todo.appendleft(part)
            yield from self._pause(_PAUSE_S)

    def _split(
        self, part: list[Row], todo: deque[list[Row]], reason: str
    ) -> Steps[None]:
        """Halve *part*, so that in the end only the bad rows are set aside."""
        if len(part) == 1:
            yield from self._set_aside(part, reason, self.last_error)
            return
        middle = len(part) // 2
        todo.extendleft((part[middle:], part[:middle]))

    def _make_partition(
        self, part: list[Row], todo: deque[list[Row]], until: float
    ) -> Steps[None]:
        """Make the partition that *part* has none of; each day on its own."""
        days = _by_day(part)
        if len(days) > 1:
            todo.extendleft(reversed(days))
            return
        assert self._connection is not None  # noqa: S101 - for the type checker
        at = created_of(part[0][0]).isoformat().encode()
        try:
            made = yield from query(self._connection.pgconn, _ENSURE, [at], until)
        except Lost as lost:
            self._lose(str(lost))
            todo.appendleft(part)
        except Failed as failed:
            self.last_error = f"{failed.sqlstate}: {failed}"
            is_outside = failed.sqlstate == _OUTSIDE_WINDOW
            reason = "outside_window" if is_outside else "no_partition"
            yield from self._set_aside(part, reason, self.last_error)
        else:
            # None: it was there, somebody made it meanwhile
            self.counts.partitions_made += bool(made and made[0])
            todo.appendleft(part)

    # connecting

    def _connected(self, until: float) -> Steps[bool]:
        """Return whether there is a connection and no doubt about rows before.

        A batch waits for it until *until*; once that has lasted a second, only until
        the buffer is half full: better the fallback than to drop what comes.
        """
        while True:
            if self._connection is None:
                self._dial()
            if self._connection is not None:
                if self._doubt is not None:
                    yield from self._settle(self._doubt, until)
                if self._doubt is None and self._connection is not None:
                    return True
            now = monotonic()
            if self._lost_at is None:
                self._lost_at = now
            is_filling = len(self._buffer) * 2 >= self._options.buffer_size
            if now >= until or (is_filling and now - self._lost_at > _GRACE_S):
                return False
            if self._connection is None:
                yield Idle(min(until, now + _LOOK_S))

    def _dial(self) -> None:
        """Take a new connection when there is one; otherwise see to an attempt."""
        self._connection = self._dialer.connection()
        if self._connection is None:
            self.last_error = self._dialer.error or self.last_error
            return
        self._connection.pgconn.nonblocking = 1
        self._lost_at = None
        self._is_proved = False
        self.counts.connects += 1

    def _settle(self, doubt: _Doubt, until: float) -> Steps[None]:
        """Ask how the transaction in doubt ended, and end it when it has not."""
        assert self._connection is not None  # noqa: S101 - for the type checker
        pgconn, number = self._connection.pgconn, [doubt.transaction]
        try:
            ended = (yield from query(pgconn, _HOW_IT_ENDED, number, until))[0]
            if ended == b"in progress":
                yield from query(pgconn, _END_IT, number, until)
                yield from self._pause(_LOOK_S)
                return
        except Lost as lost:
            self._lose(str(lost))
            return
        except Failed:
            ended = b"aborted"  # of a future that this server never saw
        self._doubt = None
        if ended == b"committed":
            self._written(doubt.rows)
        elif ended is None:
            yield from self._set_aside(doubt.rows, "in_doubt", "too long ago to know")
        elif doubt.is_late:
            yield from self._set_aside(doubt.rows, "timeout", self.last_error)
        else:
            self._again.append(doubt.rows)

    def _lose(self, text: str) -> None:
        """Take leave of a connection that is of no use any more."""
        self.last_error = text
        logger.warning("the log writer lost its connection: %s", text)
        self._disconnect()
        self._lost_at = monotonic()
        if not self._is_proved:
            self._dialer.back_off()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _pause(self, seconds: float) -> Steps[None]:
        ends = monotonic() + seconds
        while (now := monotonic()) < ends:
            yield Idle(min(ends, now + _LOOK_S))

    # setting aside

    def _reject(self) -> Steps[None]:
        """Set aside what could not even be encoded."""
        if self._rejected:
            rejected, self._rejected = self._rejected, []
            self.last_error = rejected[-1].error
            yield from self._hand_over(rejected)

    def _set_aside(self, rows: Iterable[Row], reason: str, error: str) -> Steps[None]:
        records = [_aside(pushed, reason, error) for _, pushed in rows]
        if records:
            yield from self._hand_over(records)

    def _hand_over(self, records: list[SetAside]) -> Steps[None]:
        took = yield HandOver(records)
        if took:
            for one in records:
                self.counts.set_aside[one.reason] += 1
        else:
            self.counts.lost["fallback_failed"] += len(records)

    def _give_up(self) -> Steps[None]:
        """Set aside what is left at the end of the time to close."""
        yield from self._reject()
        while self._encode_some():
            pass
        yield from self._reject()
        rows, self._rows = [*_joined(self._take_back()), *self._rows], []
        yield from self._set_aside(rows, "closed", self.last_error)
        if self._doubt is not None:
            rows, self._doubt = self._doubt.rows, None
            yield from self._set_aside(rows, "in_doubt", self.last_error)


def _aside(pushed: Pushed, reason: str, error: str) -> SetAside:
    return SetAside(pushed[1], reason, error, pushed[0])


def _joined(parts: Iterable[list[Row]]) -> list[Row]:
    return [row for part in parts for row in part]


def _by_day(rows: list[Row]) -> list[list[Row]]:
    """Return *rows* by the UTC day they were created, in their order."""
    days: dict[Any, list[Row]] = {}
    for row in rows:
        days.setdefault(created_of(row[0]).date(), []).append(row)
    return list(days.values())
