"""The way of a record from the buffer into its table, or to the fallback."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from ai_platform.names import ENSURE_PARTITION_FOR, REQUEST_LOGS

from ._effects import READ, HandOver, Idle, Steps, Turn
from ._encode import HEADER, TRAILER, created_of
from ._intake import Intake, aside
from ._libpq import Failed, Lost, TimedOut, copy, query
from ._link import Link
from ._record import COLUMNS
from ._verdict import OUTSIDE_WINDOW, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._intake import Pushed, Row
    from ._libpq import Until
    from ._options import Options
    from ._set_aside import SetAside

__all__ = ["Delivery"]

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

_ROWS_A_MESSAGE: Final = 64
"""Rows in one message: the server begins with the first while the next are sent."""
_LOOK_S: Final = 0.05
"""How often the buffer is looked at while there is no connection."""
_GRACE_S: Final = 1.0
"""So long a lost connection may take to come back before the fallback is used early."""
_PAUSE_S: Final = 0.2


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
        self.intake = Intake(buffer, options.batch_size, wake)
        self.counts = self.intake.counts
        self.link = Link(options.conninfo, options.application_name, wake)
        self.end_by: float | None = None
        """Deliver what is left until then (time.monotonic), and end."""
        self.is_idle = False
        self._options = options
        self._doubt: _Doubt | None = None
        self._again: list[list[Row]] = []

    def run(self) -> Steps[None]:
        """Deliver until `end_by` is set and nothing is left, or it has passed."""
        try:
            while (yield from self._gather()):
                yield from self._deliver(self.intake.next_rows())
            yield from self._give_up()
        finally:
            self._close_books()
            self.link.abandon()
            self._answer()

    def _close_books(self) -> None:
        """Count as lost what a fault of ours left in nobody's hands."""
        kept = len(self.intake.rows) + len(self.intake.rejected)
        kept += len(_joined(self._again))
        kept += len(self._doubt.rows) if self._doubt is not None else 0
        if missing := self.counts.taken - self.counts.resolved - kept:
            self.counts.lost["failed"] += missing

    def _answer(self) -> None:
        # rows in doubt came before what has come to its end meanwhile
        self.intake.answer(is_settled=self._doubt is None and not self._again)

    # gathering

    @property
    def _is_urgent(self) -> bool:
        return self.end_by is not None or self.intake.is_awaited

    @property
    def _is_unsettled(self) -> bool:
        return self._doubt is not None or bool(self.intake.rejected)

    def _gather(self) -> Steps[bool]:
        """Wait for a batch, by size or by age, and encode it; False at the end."""
        due = monotonic() + self._options.flush_interval_s
        while True:
            self._answer()
            waiting = self.intake.waiting
            now = monotonic()
            is_over = not waiting and not self._is_unsettled
            if self.end_by is not None and (is_over or now >= self.end_by):
                return False
            is_full = waiting >= self._options.batch_size
            if is_full or (waiting and (self._is_urgent or now >= due)):
                break
            if self._is_unsettled:
                return True
            if now >= due:
                due = now + self._options.flush_interval_s
            yield from self._idle(due)
        while self.intake.encode_some():
            yield Turn()
        return True

    def _idle(self, until: float) -> Steps[None]:
        """Sleep until somebody wakes us; notice a connection that ends meanwhile."""
        fd = self.link.fd
        self.is_idle = True
        # looked at again: whoever pushed before that line woke nobody
        is_full = self.intake.waiting >= self._options.batch_size
        if not (is_full or self.intake.has_questions or self.end_by is not None):
            ready = yield Idle(until, fd)
            if ready & READ:
                self.link.hear()
        self.is_idle = False

    @property
    def _is_half_full(self) -> bool:
        return len(self.intake.buffer) * 2 >= self._options.buffer_size

    # delivering

    def _deliver(self, rows: list[Row]) -> Steps[None]:
        """Bring *rows* to an end: written, set aside, or in doubt until reconnected."""
        started = monotonic()
        until = self._deadline(self._options.flush_timeout_s if rows else _LOOK_S)
        yield from self._reject()
        todo = deque([rows] if rows else [])
        while todo or self._doubt is not None:
            is_up = yield from self._connected(until, has_rows=bool(rows))
            if again := self._take_back():
                todo.extendleft(again)
                if not rows:  # theirs was over while they were in doubt
                    until = self._deadline(self._options.flush_timeout_s)
            if not is_up or monotonic() >= until():
                reason = "timeout" if is_up else "disconnected"
                yield from self._set_aside(_joined(todo), reason, self.link.error)
                break
            if todo:
                yield from self._attempt(todo, until)
        self.counts.flush_s += monotonic() - started

    def _deadline(self, seconds: float) -> Until:
        """Return when *seconds* are over; closing may bring that forward any time."""
        at = monotonic() + seconds
        return lambda: at if self.end_by is None else min(at, self.end_by)

    def _take_back(self) -> list[list[Row]]:
        """Return the rows that were in doubt and turned out not to be written."""
        again, self._again = self._again, []
        return again

    def _attempt(self, todo: deque[list[Row]], until: Until) -> Steps[None]:
        """Write the first part of *todo*, or change *todo* so that the next try may."""
        part = todo.popleft()
        try:
            yield from self._copy(part, until)
        except Lost as lost:
            late = isinstance(lost, TimedOut)
            self.link.lose(str(lost), is_hung=late)
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
        self.link.proved()

    def _copy(self, rows: list[Row], until: Until) -> Steps[None]:
        encoded = [row[0] for row in rows]
        chunks = [
            b"".join(encoded[first : first + _ROWS_A_MESSAGE])
            for first in range(0, len(encoded), _ROWS_A_MESSAGE)
        ]
        chunks[0] = HEADER + chunks[0]
        chunks[-1] += TRAILER
        pgconn = self.link.pgconn
        yield from copy(pgconn, _COPY, chunks, until, self.intake.encode_some)

    def _refused(
        self, failed: Failed, part: list[Row], todo: deque[list[Row]], until: Until
    ) -> Steps[None]:
        """Decide what to do with *part*, of which the server took nothing."""
        self.link.error = f"{failed.sqlstate}: {failed}"
        match verdict(failed):
            case "gone":
                self.link.lose(str(failed))
                todo.appendleft(part)
            case "no_partition":
                yield from self._make_partition(part, todo, until)
            case "rows":
                yield from self._split(part, todo)
            case "for_good":
                yield from self._set_aside(part, "refused", self.link.error)
            case "later":
                yield from self._later(part, todo, until, "server_error")

    def _later(
        self, part: list[Row], todo: deque[list[Row]], until: Until, reason: str
    ) -> Steps[None]:
        """Try *part* again after a pause, where there is time for that."""
        if monotonic() + _PAUSE_S >= until():
            yield from self._set_aside(part, reason, self.link.error)
        else:
            todo.appendleft(part)
            yield from self._pause(_PAUSE_S)

    def _split(self, part: list[Row], todo: deque[list[Row]]) -> Steps[None]:
        """Halve *part*, so that in the end only the bad rows are set aside."""
        if len(part) == 1:
            yield from self._set_aside(part, "bad_row", self.link.error)
            return
        middle = len(part) // 2
        todo.extendleft((part[middle:], part[:middle]))

    def _make_partition(
        self, part: list[Row], todo: deque[list[Row]], until: Until
    ) -> Steps[None]:
        """Make the partition that *part* has none of; each day on its own."""
        days = _by_day(part)
        if len(days) > 1:
            todo.extendleft(reversed(days))
            return
        at = created_of(part[0][0]).isoformat().encode()
        try:
            made = yield from query(self.link.pgconn, _ENSURE, [at], until)
        except Lost as lost:
            self.link.lose(str(lost), is_hung=isinstance(lost, TimedOut))
            todo.appendleft(part)
        except Failed as failed:
            yield from self._no_partition(failed, part, todo, until)
        else:
            todo.appendleft(part)
            if made and made[0]:
                self.counts.partitions_made += 1
            else:  # somebody made it meanwhile, or is about to take it away
                yield from self._pause(_LOOK_S)

    def _no_partition(
        self, failed: Failed, part: list[Row], todo: deque[list[Row]], until: Until
    ) -> Steps[None]:
        """Decide what to do with *part*, whose partition could not be made."""
        self.link.error = f"{failed.sqlstate}: {failed}"
        if failed.sqlstate == OUTSIDE_WINDOW:
            yield from self._set_aside(part, "outside_window", self.link.error)
        elif (what := verdict(failed)) == "gone":
            self.link.lose(str(failed))
            todo.appendleft(part)
        elif what == "later":
            yield from self._later(part, todo, until, "no_partition")
        else:
            yield from self._set_aside(part, "no_partition", self.link.error)

    # connecting

    def _connected(self, until: Until, *, has_rows: bool) -> Steps[bool]:
        """Return whether there is a connection and no doubt about rows before.

        A batch waits for it until *until*; once that has lasted a second, only until
        the buffer is half full: better the fallback than to drop what comes.
        """
        while True:
            if not self.link.is_up:
                self.link.dial()
            # rows alone in doubt look in often, but are asked for without haste
            hurry = until if has_rows else self._deadline(self._options.flush_timeout_s)
            if self.link.is_up and (yield from self._in_order(hurry)):
                return True
            now = monotonic()
            if self.link.lost_at is None:
                self.link.lost_at = now
            is_filling = has_rows and self._is_half_full
            if now >= until() or (is_filling and now - self.link.lost_at > _GRACE_S):
                return False
            if not self.link.is_up:
                yield Idle(min(until(), now + _LOOK_S))

    def _in_order(self, until: Until) -> Steps[bool]:
        """Clear up what a lost connection left; return whether that is done."""
        try:
            yield from self.link.end_hung(until)
            if self._doubt is not None:
                yield from self._settle(self._doubt, until)
        except Lost as lost:
            self.link.lose(str(lost), is_hung=isinstance(lost, TimedOut))
        return self._doubt is None and self.link.is_up

    def _settle(self, doubt: _Doubt, until: Until) -> Steps[None]:
        """Ask how the transaction in doubt ended, and end it when it has not.

        Raises Lost.
        """
        pgconn, number = self.link.pgconn, [doubt.transaction]
        try:
            ended = (yield from query(pgconn, _HOW_IT_ENDED, number, until))[0]
            if ended == b"in progress":
                yield from query(pgconn, _END_IT, number, until)
                yield from self._pause(_LOOK_S)
                return
        except Failed as failed:
            if verdict(failed) in {"gone", "later"}:
                raise Lost(str(failed)) from None
            ended = b"aborted"  # of a future that this server never saw
        self._doubt = None
        if ended == b"committed":
            self._written(doubt.rows)
        elif ended is None:
            yield from self._set_aside(doubt.rows, "in_doubt", "too long ago to know")
        elif doubt.is_late:
            yield from self._set_aside(doubt.rows, "timeout", self.link.error)
        else:
            self._again.append(doubt.rows)

    def _pause(self, seconds: float) -> Steps[None]:
        ends = monotonic() + seconds
        while (now := monotonic()) < ends:
            yield Idle(min(ends, now + _LOOK_S))

    # setting aside

    def _reject(self) -> Steps[None]:
        """Set aside what could not even be encoded."""
        if self.intake.rejected:
            rejected, self.intake.rejected = self.intake.rejected, []
            self.link.error = rejected[-1].error
            yield from self._hand_over(rejected)

    def _set_aside(self, rows: Iterable[Row], reason: str, error: str) -> Steps[None]:
        records = [aside(pushed, reason, error) for _, pushed in rows]
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
        yield from self._set_aside(
            _joined(self._take_back()), "closed", self.link.error
        )
        while self.intake.encode_some() or self.intake.rows or self.intake.rejected:
            yield from self._reject()
            rows = self.intake.next_rows()
            yield from self._set_aside(rows, "closed", self.link.error)
        if self._doubt is not None:
            rows, self._doubt = self._doubt.rows, None
            yield from self._set_aside(rows, "in_doubt", self.link.error)


def _joined(parts: Iterable[list[Row]]) -> list[Row]:
    return [row for part in parts for row in part]


def _by_day(rows: list[Row]) -> list[list[Row]]:
    """Return *rows* by the UTC day they were created, in their order."""
    days: dict[Any, list[Row]] = {}
    for row in rows:
        days.setdefault(created_of(row[0]).date(), []).append(row)
    return list(days.values())
