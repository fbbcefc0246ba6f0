"""From the buffer into encoded rows; knows who waits for which record."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Final, TypeAlias

from ._counts import Counts
from ._encode import BadRecord, Encoder
from ._set_aside import SetAside

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable

    from ._encode import Record

__all__ = ["Intake", "Pushed", "Row", "aside"]

Pushed: TypeAlias = "tuple[int, Record]"
"""When it was pushed, in nanoseconds since 1970 UTC, and the record."""
Row: TypeAlias = "tuple[bytes, Pushed]"
"""An encoded record, and what it was."""

_SLICE: Final = 64
"""Records encoded at a stretch: others wait for the interpreter no longer."""


class Intake:
    """Takes records from *buffer* and encodes them, up to a *batch* ahead."""

    def __init__(
        self, buffer: deque[Pushed], batch: int, wake: Callable[[], None]
    ) -> None:
        self.counts = Counts()
        self.rows: list[Row] = []
        self.rejected: list[SetAside] = []
        """What could not be encoded."""
        # held while records leave the buffer; for a signal handler, more than once
        self.taking = RLock()
        self.buffer = buffer
        self._batch = batch
        self._wake = wake
        self._encoder = Encoder()
        self._questions: list[Callable[[], None]] = []
        self._waiters: list[tuple[int, Callable[[], None]]] = []
        self._hurry_to = 0

    @property
    def pending(self) -> int:
        """Records in the buffer, and those taken that have not come to an end yet."""
        with self.taking:
            return len(self.buffer) + self.counts.taken - self.counts.resolved

    @property
    def pushed(self) -> int:
        """Records that came into the buffer, or were refused there."""
        with self.taking:
            counts = self.counts
            return counts.taken + len(self.buffer) + counts.refused.total()

    @property
    def waiting(self) -> int:
        """Records that no batch has yet."""
        return len(self.rows) + len(self.buffer)

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for a record that no batch has yet."""
        return self._hurry_to > self.counts.taken - len(self.rows)

    @property
    def has_questions(self) -> bool:
        """Whether somebody asked since the last answer."""
        return bool(self._questions)

    def tell_when_done(self, callback: Callable[[], None]) -> None:
        """Call *callback* when everything pushed until now is at its end; hurry.

        From any thread; it is called where the delivery runs.
        """
        self._questions.append(callback)
        self._wake()

    def answer(self, *, is_settled: bool) -> None:
        """Take new questions; tell whose records are at their end, if *is_settled*.

        That is: nothing taken before what has come to its end is still under way.
        """
        while self._questions:
            # only we take from the buffer: what was pushed before the question is in
            self._hurry_to = self.counts.taken + len(self.buffer)
            self._waiters.append((self._hurry_to, self._questions.pop(0)))
        if is_settled and self._waiters:
            done = self.counts.resolved
            told = [call for target, call in self._waiters if target <= done]
            self._waiters = [one for one in self._waiters if one[0] > done]
            for call in told:
                call()

    def encode_some(self) -> bool:
        """Encode the next records of the buffer; False when none or enough are there.

        Called while the server is busy with the batch before.
        """
        with self.taking:
            room = min(_SLICE, self._batch - len(self.rows), len(self.buffer))
            if room <= 0:
                return False
            take = self.buffer.popleft
            taken = [take() for _ in range(room)]
            self.counts.taken += room
        encode, keep = self._encoder.row, self.rows.append
        for pushed in taken:
            try:
                keep((encode(pushed[1], pushed[0]), pushed))
            except BadRecord as error:
                self.rejected.append(aside(pushed, "bad_row", str(error)))
        return True

    def next_rows(self) -> list[Row]:
        """Return what is encoded, and begin anew."""
        rows, self.rows = self.rows, []
        return rows


def aside(pushed: Pushed, reason: str, error: str) -> SetAside:
    """Return *pushed* as it is handed to the fallback."""
    return SetAside(pushed[1], reason, error, pushed[0])
