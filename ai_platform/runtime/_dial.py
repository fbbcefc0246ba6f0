"""Connecting in a thread of its own, so that nothing waits for a dead address."""

from __future__ import annotations

import random
import signal
import threading
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ._environment import KEEPALIVES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Dialer", "leave_signals"]

_OF_FAULTS: Final = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL}

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 10.0
_CONNECT_TIMEOUT_S: Final = 5


class Dialer:
    """Makes connections, one attempt at a time, with jittered back-off between them."""

    def __init__(
        self, conninfo: str, application_name: str, wake: Callable[[], None]
    ) -> None:
        self._conninfo = conninfo
        self._options: dict[str, Any] = {
            "autocommit": True,
            "application_name": application_name,
            # binary COPY sends text in the encoding of the client
            "client_encoding": "utf8",
            "connect_timeout": _CONNECT_TIMEOUT_S,
            **KEEPALIVES,
        }
        self._wake = wake
        self._attempt: _Attempt | None = None
        self._failures = 0
        self.not_before = 0.0
        self.error = ""

    def connection(self) -> psycopg.Connection[Any] | None:
        """Return a new connection when there is one; otherwise see to an attempt."""
        if self._attempt is None:
            if monotonic() >= self.not_before:
                self._attempt = _Attempt(self._conninfo, self._options, self._wake)
            return None
        if not self._attempt.done:
            return None
        attempt, self._attempt = self._attempt, None
        if attempt.connection is None:
            self.error = attempt.error
            self.back_off()
        return attempt.connection

    def succeeded(self) -> None:
        """Forget the failures: a connection has proved its worth."""
        self._failures = 0

    def back_off(self) -> None:
        """Let the next attempt wait: doubled each time, and any share of that.

        Full jitter, so that a hundred services do not come back in one moment.
        """
        self._failures += 1
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._failures, 10))
        self.not_before = monotonic() + random.uniform(0, longest)  # noqa: S311 - no secret

    def abandon(self) -> None:
        """Close what an attempt under way may still bring."""
        if self._attempt is not None:
            self._attempt.abandon()
            self._attempt = None


def leave_signals() -> None:
    """Leave the signals to the threads of the service.

    One that arrives here would not wake the main thread, whose handlers it is for.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - _OF_FAULTS)


class _Attempt:
    def __init__(
        self, conninfo: str, options: dict[str, Any], wake: Callable[[], None]
    ) -> None:
        self.connection: psycopg.Connection[Any] | None = None
        self.error = ""
        self.done = False
        self._abandoned = False
        self._lock = threading.Lock()
        self._wake = wake
        arguments = (conninfo, options)
        self._thread = threading.Thread(
            target=self._connect, args=arguments, name="log_writer connect", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError:  # the interpreter is about to end: no more threads
            self._connect(*arguments)

    def _connect(self, conninfo: str, options: dict[str, Any]) -> None:
        if threading.current_thread() is self._thread:
            leave_signals()
        connection = None
        try:
            connection = psycopg.connect(conninfo, **options)
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
            text = str(error).strip() or type(error).__name__
            self.error = text.splitlines()[0].strip()
        with self._lock:
            self.connection = connection
            self.done = True
            if self._abandoned and connection is not None:
                connection.close()
        self._wake()

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            if self.connection is not None:
                self.connection.close()
