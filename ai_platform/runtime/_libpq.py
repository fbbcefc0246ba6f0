"""COPY and small queries over libpq, as generators that never block.

Only what psycopg documents in `psycopg.pq` is used. Each function yields what it
waits for (see `_effects`); *meanwhile* is called instead of waiting, as long as it
returns True: that is how encoding overlaps with the server's work.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final, TypeAlias

from psycopg import Error, pq

from ._effects import READ, WRITE, Ready, Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg.pq.abc import PGconn, PGresult

__all__ = ["Failed", "Lost", "TimedOut", "Until", "copy", "query"]

Until: TypeAlias = "Callable[[], float]"
"""Returns the end of a wait, of time.monotonic, as it stands now."""

_DATA: Final = frozenset({pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK})
_LOOK_S: Final = 0.2
"""How often a wait looks whether its end has been brought forward."""
_Field = pq.DiagnosticField


class Lost(Exception):
    """The connection is gone. *may_be_written*: the last answer did not come back."""

    def __init__(self, text: str, *, may_be_written: bool = False) -> None:
        super().__init__(text)
        self.may_be_written = may_be_written
        self.transaction: bytes | None = None


class TimedOut(Lost):
    """The time was over; the connection is of no use any more."""


class Failed(Exception):
    """The server refused; nothing of it was written."""

    def __init__(self, result: PGresult) -> None:
        text = (result.error_field(_Field.MESSAGE_PRIMARY) or b"").decode(
            "utf8", "replace"
        )
        super().__init__(" ".join(text.split()))
        self.sqlstate = (result.error_field(_Field.SQLSTATE) or b"").decode("ascii")
        self.constraint = result.error_field(_Field.CONSTRAINT_NAME)
        severity = result.error_field(_Field.SEVERITY_NONLOCALIZED) or b""
        self.is_fatal = severity in {b"FATAL", b"PANIC"}


def _nothing() -> bool:
    return False


def query(
    conn: PGconn, statement: bytes, parameters: Sequence[bytes], until: Until
) -> Steps[list[bytes | None]]:
    """Run *statement*; return the first row, as text, or an empty list.

    Raises Failed, TimedOut or Lost.
    """
    try:
        conn.send_query_params(statement, list(parameters))
    except Error as error:
        raise Lost(_line(error)) from None
    first: list[bytes | None] = []
    while (result := (yield from _result(conn, until, _nothing))) is not None:
        if result.status not in _DATA:
            yield from _rest(conn, until)
            raise _trouble(conn, result)
        if result.ntuples:
            first = [result.get_value(0, n) for n in range(result.nfields)]
    return first


def copy(
    conn: PGconn,
    statement: bytes,
    chunks: Sequence[bytes],
    until: Until,
    meanwhile: Callable[[], bool],
) -> Steps[None]:
    """Run *statement*, one SELECT of the transaction's id and a COPY, with *chunks*.

    Both are one message and so one transaction, committed before it is answered.
    Raises Failed, TimedOut or Lost; the latter two with the id of the transaction
    where the commit may have happened.
    """
    transaction: bytes | None = None
    try:
        conn.send_query(statement)
        while True:
            result = yield from _result(conn, until, meanwhile)
            if result is None or result.status == pq.ExecStatus.COPY_IN:
                break
            if result.status not in _DATA:
                yield from _rest(conn, until)
                raise _trouble(conn, result)
            transaction = result.get_value(0, 0)
        for chunk in chunks:
            conn.put_copy_data(chunk)
            yield from _sent(conn, until, meanwhile)
    except Error as error:
        raise Lost(_line(error)) from None
    yield from _ended(conn, until, meanwhile, transaction)


def _ended(
    conn: PGconn,
    until: Until,
    meanwhile: Callable[[], bool],
    transaction: bytes | None,
) -> Steps[None]:
    """End the COPY and take the answer; from here on it may be written."""
    failed: Failed | None = None
    lost: Lost | None = None
    is_written = False
    try:
        conn.put_copy_end()
        while (result := (yield from _result(conn, until, meanwhile))) is not None:
            if result.status in _DATA:
                # the server says so after the commit, so nothing can undo it
                is_written = True
                continue
            failed = failed or _refusal(conn, result)
    except Error as error:
        lost = Lost(_line(error))
    except Lost as error:
        lost = error
    if is_written:
        return  # whoever uses the connection next learns that it is lost
    if failed is not None:
        raise failed
    if lost is not None:
        lost.may_be_written = True
        lost.transaction = transaction
        raise lost


def _rest(conn: PGconn, until: Until) -> Steps[None]:
    """Take what follows an error, so that the connection is free again."""
    while (yield from _result(conn, until, _nothing)) is not None:
        pass


def _trouble(conn: PGconn, result: PGresult) -> Lost | Failed:
    """Return what an error means; without a SQLSTATE libpq itself made it."""
    failed = Failed(result)
    if failed.sqlstate:
        return failed
    return Lost(_line(conn.error_message or str(failed)))


def _refusal(conn: PGconn, result: PGresult) -> Failed:
    """Return why the server refused; raises Lost where the connection ends with it."""
    trouble = _trouble(conn, result)
    if isinstance(trouble, Lost) or trouble.is_fatal:
        raise Lost(str(trouble))
    return trouble


def _sent(conn: PGconn, until: Until, meanwhile: Callable[[], bool]) -> Steps[None]:
    """Return when everything has gone to the server."""
    while conn.flush():
        if (yield from _wait(conn, READ | WRITE, until, meanwhile)) & READ:
            conn.consume_input()


def _result(
    conn: PGconn, until: Until, meanwhile: Callable[[], bool]
) -> Steps[PGresult | None]:
    """Return the next result, None after the last."""
    try:
        yield from _sent(conn, until, meanwhile)
        while conn.is_busy():
            if (yield from _wait(conn, READ, until, meanwhile)) & READ:
                conn.consume_input()
        return conn.get_result()
    except Error as error:
        raise Lost(_line(error)) from None


def _wait(
    conn: PGconn, events: int, until: Until, meanwhile: Callable[[], bool]
) -> Steps[int]:
    """Wait for the socket of *conn*; a look between two pieces of other work."""
    fd = conn.socket
    while meanwhile():
        if ready := (yield Ready(fd, events, 0.0)):
            return ready
    ready = yield Ready(fd, events, min(until(), monotonic() + _LOOK_S))
    if not ready and monotonic() >= until():
        raise TimedOut("the server did not answer in time")
    return ready


def _line(error: Error | bytes | str) -> str:
    """Return the first line of what libpq says."""
    text = error.decode("utf8", "replace") if isinstance(error, bytes) else str(error)
    return (text.strip().splitlines() or ["connection lost"])[0].strip()
