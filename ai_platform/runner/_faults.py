"""Turn what a failing revision throws into one line with a next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alembic.util import CommandError

from ai_platform.connection import first_line
from ai_platform.errors import CannotConnect, PlatformError, Refused

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

__all__ = ["Interrupted", "MigrationFailed", "explain", "is_passing", "sqlstate"]

_PASSING: Final = {"55P03", "40P01", "40001"}
_CONCURRENT: Final = "XX000"  # "tuple concurrently updated": roles are cluster-wide
_EXISTS: Final = "something with this name is there that no revision made: remove it"
_HINTS: Final = {
    "55P03": "a lock was not free in time: run it again, or raise "
    "PLATFORM_LOCK_TIMEOUT (seconds)",
    "57014": "statement_timeout ended it: raise PLATFORM_STATEMENT_TIMEOUT (seconds)",
    "42501": "the login lacks a right: see the ways to install in docs/install.md",
    "53100": "the disk of the server is full: make room, then run it again",
    "42P07": _EXISTS,
    "42710": _EXISTS,
    "42723": _EXISTS,
}
_GONE: Final = ("57P01", "57P02", "57P03", "08006", "08003", "08001", "08000")


class Interrupted(PlatformError):
    """The person pressed Ctrl-C."""

    exit_code = 130


class MigrationFailed(CommandError):
    """What Alembic prints as ``FAILED: …``; *cause* is what `platform` exits with."""

    def __init__(self, cause: PlatformError) -> None:
        next_step = f"; next: {cause.hint}" if cause.hint else ""
        super().__init__(f"{cause.message}{next_step}")
        self.cause = cause


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of *error*, also when SQLAlchemy has wrapped it."""
    inner = getattr(error, "orig", None) or error
    state = getattr(inner, "sqlstate", None)
    return state if isinstance(state, str) else None


def is_passing(error: DBAPIError) -> bool:
    """Return whether the same revision may succeed a moment later."""
    state = sqlstate(error)
    if state == _CONCURRENT:
        return "concurrently" in str(error.orig)
    return state in _PASSING


def explain(
    error: DBAPIError, *, revision: str | None, statement: str
) -> PlatformError:
    """Return what happened in one line: revision, server text, SQLSTATE, statement."""
    inner = error.orig
    state = sqlstate(error)
    where = f"revision {revision}: " if revision else ""
    text = first_line(inner if inner is not None else error)
    if state is None or state in _GONE:
        return CannotConnect(
            f"{where}the server went away: {text}",
            hint="when it is back, run the same command again: the revision that was "
            "running is gone, those before it stay",
        )
    shown = " ".join(statement.split())[:120]
    told = getattr(getattr(inner, "diag", None), "message_hint", None)
    return Refused(
        f"{where}{text} (SQLSTATE {state}) in: {shown}",
        hint=told
        or _HINTS.get(state)
        or "the revision was rolled back; correct the cause, then run it again",
    )
