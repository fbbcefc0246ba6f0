"""The driver for threads: does what the delivery asks for, and waits for it."""

from __future__ import annotations

import logging
import select
from math import ceil
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from ._effects import READ, WRITE, Effect, HandOver, Idle, Ready, Steps

if TYPE_CHECKING:
    from ._set_aside import Fallback, SetAside
    from ._wake import Wake

__all__ = ["Run", "drive", "hand_over", "look"]

logger = logging.getLogger("ai_platform.runtime")

# far from what 31 bits of milliseconds hold
_LONGEST_S: Final = 3600.0


class Run:
    """A delivery under way; whoever drives it may stop, and another may go on."""

    def __init__(self, steps: Steps[None]) -> None:
        self._steps = steps
        self.effect: Effect | None = None
        self.is_over = False
        self._go(None)

    def answer(self, value: int) -> None:
        """Send the answer to `effect`, and take the next."""
        self._go(value)

    def _go(self, value: int | None) -> None:
        try:
            self.effect = (
                next(self._steps) if value is None else self._steps.send(value)
            )
        except StopIteration:
            self.effect, self.is_over = None, True
        except BaseException:
            self.effect, self.is_over = None, True
            raise


def drive(run: Run, wake: Wake, fallback: Fallback) -> None:
    """Drive *run* to its end in this thread."""
    while (effect := run.effect) is not None:
        if isinstance(effect, Ready):
            answer = look({effect.fd: effect.events}, effect.until).get(effect.fd, 0)
        elif isinstance(effect, Idle):
            fds = {wake.fd: READ} | ({effect.fd: READ} if effect.fd >= 0 else {})
            answer = look(fds, effect.until).get(effect.fd, 0)
            wake.clear()
        elif isinstance(effect, HandOver):
            answer = hand_over(fallback, effect.records)
        else:
            sleep(0)  # gives the interpreter to whoever waits for it
            answer = 0
        run.answer(answer)


def hand_over(fallback: Fallback, records: list[SetAside]) -> int:
    """Give *records* to *fallback*; return 1, or 0 when it failed."""
    try:
        fallback(records)
    except (Exception, SystemExit):  # somebody else's code; the next may do better
        logger.exception("the fallback of the log writer failed")
        return 0
    return 1


def look(fds: dict[int, int], until: float) -> dict[int, int]:
    """Return what of *fds* is ready, waiting until *until* (time.monotonic) for it."""
    poll = select.poll()
    for fd, events in fds.items():
        wanted = select.POLLIN if events & READ else 0
        poll.register(fd, wanted | (select.POLLOUT if events & WRITE else 0))
    left_s = min(until - monotonic(), _LONGEST_S) if until else 0.0
    found = poll.poll(ceil(left_s * 1000) if left_s > 0 else 0)
    return {fd: _flags(event) & fds[fd] for fd, event in found}


def _flags(event: int) -> int:
    if event & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
        return READ | WRITE  # whoever reads or writes learns what it is
    return (READ if event & select.POLLIN else 0) | (
        WRITE if event & select.POLLOUT else 0
    )
