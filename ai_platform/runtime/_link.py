"""The one connection of a delivery: how it is made, lost and made again."""

from __future__ import annotations

import logging
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from psycopg import Error

from ._dial import Dialer
from ._libpq import Failed, query

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg
    from psycopg.pq.abc import PGconn

    from ._effects import Steps
    from ._libpq import Until

__all__ = ["Link"]

logger = logging.getLogger("ai_platform.runtime")

# a backend whose client gave up may still wait for a lock, holding others; a number
# that is somebody else's by now began after us
_END_OURS: Final = b"""
    SELECT pg_catalog.pg_terminate_backend(a.pid)
      FROM pg_catalog.pg_stat_activity a
      JOIN pg_catalog.pg_stat_activity o ON o.pid = pg_catalog.pg_backend_pid()
     WHERE a.pid = $1::pg_catalog.int4
       AND a.usesysid = o.usesysid
       AND a.datid = o.datid
       AND a.application_name = o.application_name
       AND a.backend_start < o.backend_start
"""


class Link:
    """A connection that may be there or not; *error* is what went wrong last."""

    def __init__(
        self, conninfo: str, application_name: str, wake: Callable[[], None]
    ) -> None:
        self.error = ""
        self.connects = 0
        self.lost_at: float | None = None
        self._dialer = Dialer(conninfo, application_name, wake)
        self._connection: psycopg.Connection[Any] | None = None
        self._hung: list[int] = []
        self._is_proved = False

    @property
    def is_up(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._connection is not None

    @property
    def pgconn(self) -> PGconn:
        """The connection as libpq has it; only while `is_up`."""
        assert self._connection is not None  # noqa: S101 - for the type checker
        return self._connection.pgconn

    @property
    def fd(self) -> int:
        """The number of the socket, -1 when there is none."""
        if self._connection is not None:
            try:
                return self._connection.pgconn.socket
            except Error:
                self.lose("the server ended the connection")
        return -1

    def dial(self) -> None:
        """Take a new connection when there is one; otherwise see to an attempt."""
        self._connection = self._dialer.connection()
        if self._connection is None:
            self.error = self._dialer.error or self.error
            return
        self._connection.pgconn.nonblocking = 1
        self.lost_at = None
        self._is_proved = False
        self.connects += 1

    def proved(self) -> None:
        """Remember that the connection is of use: the next attempt need not wait."""
        self._is_proved = True
        self._dialer.succeeded()

    def hear(self) -> None:
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
        self.lose("the server ended the connection")

    def end_hung(self, until: Until) -> Steps[None]:
        """End the backends of connections that hung, as far as that is our right.

        Raises Lost.
        """
        while self._hung:
            with suppress(Failed):
                number = [str(self._hung[0]).encode()]
                yield from query(self.pgconn, _END_OURS, number, until)
            del self._hung[0]

    def lose(self, text: str, *, is_hung: bool = False) -> None:
        """Take leave of a connection that is of no use any more."""
        self.error = text
        logger.warning("the log writer lost its connection: %s", text)
        if is_hung and self._connection is not None:
            with suppress(Error):
                self._hung.append(self._connection.pgconn.backend_pid)
        self.disconnect()
        self.lost_at = monotonic()
        if not self._is_proved:
            self._dialer.back_off()

    def disconnect(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def forget(self) -> psycopg.Connection[Any] | None:
        """Give the connection up without a word to the server; return it."""
        connection, self._connection = self._connection, None
        return connection

    def abandon(self) -> None:
        """Disconnect, and close what an attempt under way may still bring."""
        self.disconnect()
        self._dialer.abandon()
