"""Run an upgrade in a child process and end it at a chosen statement."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Literal

import psycopg
import sqlalchemy as sa

from ai_platform.errors import PlatformError
from ai_platform.runner import _journal, command

from .programs import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_platform.connection import Target

__all__ = ["FAULTS", "Fault", "migrate_until"]

Fault = Literal["kill", "terminate", "stop"]
FAULTS: tuple[Fault, ...] = ("kill", "terminate", "stop")


def migrate_until(  # noqa: PLR0913 - a fault has that many sides, most by name
    target: Target,
    fault: Fault,
    statement: int,
    *,
    stop_server: Callable[[], object] = lambda: None,
    revision: str = "head",
    ini: Path = CHECKOUT / "alembic.ini",
) -> bool:
    """Upgrade to *revision* in a child; strike at *statement* of the first step.

    ``kill`` is SIGKILL of the client, ``terminate`` ends its backend, ``stop`` calls
    *stop_server* for a hard stop. Returns whether the fault came to be.
    """
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        _strike_at(statement, fault, target, stop_server)
        try:
            command("upgrade", revision, target=target, ini=ini)
        except PlatformError:
            os._exit(3)
        except BaseException:  # noqa: BLE001 - a child must not return into pytest
            os._exit(4)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status) == signal.SIGKILL
    code = os.waitstatus_to_exitcode(status)
    if code == 4:
        raise AssertionError("the run ended with an error that is not ours")
    return code != 0


def _strike_at(
    statement: int, fault: Fault, target: Target, stop_server: Callable[[], object]
) -> None:
    """Count the statements of the first step; at *statement* cause the fault."""
    seen = -1
    start = _journal.Journal.start

    def started(*args: object, **kwargs: object) -> None:
        nonlocal seen
        start(*args, **kwargs)  # type: ignore[arg-type]
        seen = max(seen, 0)

    def executing(connection: sa.Connection, *_: object) -> None:
        nonlocal seen
        if seen >= 0:
            seen += 1
        if seen == statement:
            _cause(fault, target, connection, stop_server)

    _journal.Journal.start = started  # type: ignore[method-assign]
    sa.event.listen(sa.Engine, "before_cursor_execute", executing)


def _cause(
    fault: Fault,
    target: Target,
    connection: sa.Connection,
    stop_server: Callable[[], object],
) -> None:
    if fault == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault == "stop":
        stop_server()
    else:
        pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        with psycopg.connect(target.url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
