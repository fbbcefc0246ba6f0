"""What a failed command says, and the exit code it leaves with."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ai_platform.errors import BadValue, CannotConnect, PlatformError, Refused
from ai_platform.text import printable

__all__ = ["EXIT_INTERRUPTED", "EXIT_READER_LEFT", "Failure", "explain", "report"]

EXIT_INTERRUPTED = 130
EXIT_READER_LEFT = 141
"""As a program that SIGPIPE has ended: ``platform … | head -1`` found nothing."""

# SQLSTATE classes and codes that mean: there is no usable connection
_NO_CONNECTION = ("08", "28", "3D000", "53300", "57P01", "57P02", "57P03")
_HINTS = {
    "25006": "connect to the primary, or reset default_transaction_read_only",
    "3F000": "platform db upgrade",
    "40": "run the command again",
    "42501": "use a login that may SET ROLE platform_owner",
    "42704": "platform db upgrade",
    "42883": "platform db upgrade",
    "42P01": "platform db upgrade",
    "42703": "platform db upgrade",
    "53100": "free some space on the disk of the server",
    "55P03": "another session holds the lock; try again",
    "57014": "the statement was cancelled; try again",
}
_URL_PASSWORD = re.compile(r"(://[^/@:\s]*):[^@\s]*@")


@dataclass(frozen=True, slots=True)
class Failure:
    """One line for people, the next step, and the exit code."""

    message: str
    hint: str | None
    exit_code: int
    error: BaseException


def explain(error: BaseException) -> Failure:
    """Return what to say about *error*; an unknown one is a fault of ours (1)."""
    if isinstance(error, PlatformError):
        return Failure(error.message, error.hint, error.exit_code, error)
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
        return Failure("interrupted", None, EXIT_INTERRUPTED, error)
    for known in (_usage, _alembic, _database, _full_disk):
        failure = known(error)
        if failure is not None:
            return failure
    if isinstance(error, OSError) and error.strerror:
        place = f": {error.filename}" if error.filename else ""
        return Failure(f"{error.strerror.lower()}{place}", None, 1, error)
    text = (str(error).strip().splitlines() or [""])[0]
    return Failure(
        f"unexpected {type(error).__name__}: {text}",
        "PLATFORM_DEBUG=1 shows where; please report it",
        1,
        error,
    )


def report(failure: Failure, *, as_json: bool) -> int:
    """Write *failure* to stderr and return its exit code."""
    if os.environ.get("PLATFORM_DEBUG") == "1":
        traceback.print_exception(failure.error)
    message = _clean(failure.message)
    hint = failure.hint and _clean(failure.hint)
    if as_json:
        fields = {"error": message, "next": hint, "exit_code": failure.exit_code}
        lines = [json.dumps(fields, ensure_ascii=False)]
    else:
        lines = [f"platform: {message}", *([f"next: {hint}"] if hint else [])]
    with suppress(OSError):  # a full disk takes no error text either
        print(*lines, sep="\n", file=sys.stderr)  # noqa: T201 - this is the printer
    return failure.exit_code


def _clean(text: str) -> str:
    return printable(_URL_PASSWORD.sub(r"\1:***@", " ".join(text.split())))


def _full_disk(error: BaseException) -> Failure | None:
    if not (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        return None
    place = error.filename or "the file that the output goes to"
    hint = "free some space, then run the command again"
    return Failure(f"no space left on the disk for {place}", hint, 4, error)


def _usage(error: BaseException) -> Failure | None:
    """Explain what Typer says of a command line."""
    text = getattr(error, "format_message", None)
    if text is None:
        return None
    ctx = getattr(error, "ctx", None)
    hint = f"{ctx.command_path} --help" if ctx else "platform --help"
    message = text().strip() or "missing command"
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(message + "\n\n")
        message = "missing command"
    message = (message[0].lower() + message[1:]).removesuffix(".")
    return Failure(message, hint, BadValue.exit_code, error)


def _alembic(error: BaseException) -> Failure | None:
    """Explain a CommandError; its class is known only when Alembic is loaded."""
    module = sys.modules.get("alembic.util.exc")
    if module is None or not isinstance(error, module.CommandError):
        return None
    cause = error.__cause__
    if isinstance(cause, PlatformError):
        return Failure(cause.message, cause.hint, cause.exit_code, error)
    return Failure(str(error), None, Refused.exit_code, error)


def _database(error: BaseException) -> Failure | None:
    """Explain an error of psycopg, bare or wrapped by SQLAlchemy.

    SQLAlchemy's own text holds the statement with its parameters: never shown.
    """
    psycopg = sys.modules.get("psycopg")
    original: Any = getattr(error, "orig", None) or error
    if psycopg is None or not isinstance(original, psycopg.Error):
        return None
    state = original.sqlstate or ""
    primary = original.diag.message_primary
    message = primary or (str(original).strip().splitlines() or ["no text"])[0]
    lost = isinstance(original, psycopg.OperationalError) and (
        not state or state.startswith(_NO_CONNECTION)
    )
    hint = next((_HINTS[key] for key in (state, state[:2]) if key in _HINTS), None)
    if lost:
        return Failure(message, "platform status", CannotConnect.exit_code, error)
    return Failure(message, hint or original.diag.message_hint, 4, error)
