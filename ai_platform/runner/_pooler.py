"""Tell PgBouncer in transaction mode from a server, before anything is locked.

Behind it session locks and SET end up on whatever server session comes next. The
cancel key that a client receives names its backend; a pooler invents its own, so a
difference from `pg_backend_pid()` shows a pooler of any kind. Whether it hands the
backend on between transactions is then tried with a second client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ai_platform.connection import Target, connect
from ai_platform.errors import Refused

if TYPE_CHECKING:
    import psycopg

__all__ = ["refuse_transaction_pooler"]

_TRIES = 20


def refuse_transaction_pooler(
    target: Target, connection: psycopg.Connection[Any]
) -> None:
    """Raise Refused when *connection* does not keep its server session."""
    if connection.info.backend_pid == _server_pid(connection):
        return
    if not _shares_backends(target, connection):
        return
    raise Refused(
        f"{target.shown} is a connection pooler in transaction mode: "
        "session locks and settings do not hold there",
        hint="give the address of the server itself, or of a pool in session mode",
    )


def _shares_backends(target: Target, first: psycopg.Connection[Any]) -> bool:
    """Return whether a second client ever gets the server session of the first."""
    seen = {_server_pid(first)}
    with connect(target, application_name="platform-probe") as second:
        for _ in range(_TRIES):
            second.execute("BEGIN")
            taken = _server_pid(second)
            second.execute("COMMIT")
            if taken in seen:
                return True
            seen.add(_server_pid(first))
            if len(seen) > 1:
                return True
    return False


def _server_pid(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    if row is None:  # pragma: no cover - a SELECT without FROM always has one row
        raise AssertionError
    return int(row[0])
