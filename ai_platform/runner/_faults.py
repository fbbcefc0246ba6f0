"""Turn what a failing revision throws into one line with a next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alembic.util import CommandError

from ai_platform.connection import first_line
from ai_platform.errors import BadValue, CannotConnect, PlatformError, Refused

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

__all__ = [
    "Interrupted",
    "MigrationFailed",
    "explain",
    "is_passing",
    "sqlstate",
    "translate",
]

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
    "42P06": _EXISTS,
    "42723": _EXISTS,
}
_WRONG_NAME: Final = (
    "Can't locate revision",
    "No such revision",
    "didn't produce",
    "Ambiguous",
    "Not a valid downgrade target",
)
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
    error: Exception, *, revision: str | None = None, statement: str | None = None
) -> PlatformError:
    """Return what happened in one line: revision, server text, SQLSTATE, statement."""
    inner = getattr(error, "orig", None) or error
    state = sqlstate(error)
    where = f"revision {revision}: " if revision else ""
    text = first_line(inner)
    if state is None or state in _GONE:
        return CannotConnect(
            f"{where}the server went away: {text}",
            hint="when it is back, run the same command again: finished revisions stay",
        )
    statement = statement or getattr(error, "statement", None)
    shown = f" in: {' '.join(statement.split())[:120]}" if statement else ""
    told = getattr(getattr(inner, "diag", None), "message_hint", None)
    return Refused(
        f"{where}{text} (SQLSTATE {state}){shown}",
        hint=told or _HINTS.get(state) or "correct the cause, then run it again",
    )


def translate(error: CommandError) -> PlatformError:
    """Return what Alembic says as an error of ours: a wrong name is a usage error."""
    text = str(error)
    plain = text[:1].lower() + text[1:].rstrip(".")
    if any(sign in text for sign in _WRONG_NAME):
        return BadValue(plain, hint="platform db history")
    return Refused(plain)
