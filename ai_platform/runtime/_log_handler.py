"""Send what a service says through `logging` where its requests go."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ._access import access_fields
from ._bounded import bounded
from ._columns import taken
from ._record import RequestRecord
from ._redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._exchange import Pusher

__all__ = ["LogHandler"]

METHOD: Final = "LOG"
LONGEST: Final = 16384
"""Characters of a message or a traceback that are kept."""
_IGNORED: Final = ("ai_platform.runtime", "psycopg")
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "asctime",
    "message",
    "taskName",
}
_plain: Final = logging.Formatter()


class LogHandler(logging.Handler):
    """Pushes each record of `logging` to *writer* as a row of `request_logs`.

    `method` is LOG, `url` the name of the logger, `meta` holds level, logger, source,
    message, exception and what `extra=` gave. Columns named in `extra=` (url, method,
    status, auth, remote_ip, user_agent, referer, organization_id, duration_ms,
    trace_id) are those of the row; access records of uvicorn and Werkzeug are taken
    apart. Credentials are taken out, long texts cut at *longest* characters.

    It may hang on the root logger: what the writer and psycopg say themselves, and
    what a push says (loggers in *ignore*), never comes back here. Nothing is raised;
    `logging.raiseExceptions` decides, as ever, whether a fault is printed.
    """

    def __init__(
        self,
        writer: Pusher,
        level: int | str = logging.NOTSET,
        *,
        redactor: Redactor | None = None,
        longest: int = LONGEST,
        ignore: Iterable[str] = (),
    ) -> None:
        super().__init__(level)
        self._writer = writer
        self._redactor = redactor or Redactor()
        self._longest = longest
        self._ignored = frozenset((*_IGNORED, *ignore))
        self._ignored_below = tuple(f"{name}." for name in self._ignored)
        self._here = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Push *record*; called by logging, in any thread."""
        name = record.name
        if name in self._ignored or name.startswith(self._ignored_below):
            return
        if getattr(self._here, "is_busy", False):
            return  # said by the push itself
        self._here.is_busy = True
        try:
            self._writer.push(self._row(record))
        except Exception:  # noqa: BLE001 - logging never raises into a service
            self.handleError(record)
        finally:
            self._here.is_busy = False

    def _row(self, record: logging.LogRecord) -> RequestRecord:
        message, extra = _message(record), _extra(record)
        columns, rest = taken({**access_fields(record, message), **extra})
        row = RequestRecord(
            created=datetime.fromtimestamp(record.created, UTC),
            url=record.name,
            method=METHOD,
            meta=self._meta(rest, self._said(record, message)),
        )
        for column, value in columns.items():
            setattr(row, column, self._column(column, value))
        row.url = row.url and bounded(row.url, self._redactor.url)
        return row

    def _column(self, column: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        links = {"url", "referer"}
        redact = self._redactor.url if column in links else self._redactor.text
        return bounded(value, redact)

    def _said(self, record: logging.LogRecord, message: str) -> dict[str, Any]:
        trace = _traceback(record)
        said = {
            "level": record.levelname,
            "logger": self._text(record.name),
            "source": f"{record.module}.{record.funcName}:{record.lineno}",
            "message": self._text(message),
            "exception": trace and self._text(trace),
            "stack": record.stack_info and self._text(record.stack_info),
        }
        return {name: value for name, value in said.items() if value}

    def _meta(self, rest: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
        """Return *said* with the *rest*, moved aside where it has a name of ours."""
        shown: dict[str, Any] = self._redactor.data(rest)
        moved = {
            f"extra_{name}" if name in said else name: value
            for name, value in shown.items()
        }
        return {**moved, **said}

    def _text(self, text: str) -> str:
        return bounded(text, self._redactor.text, self._longest)


def _message(record: logging.LogRecord) -> str:
    """Return the message; with arguments that do not fit, template and arguments."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a bad % must not lose the record
        return f"{_safely(record.msg)} % {_safely(record.args)}"


def _safely(value: Any) -> str:
    try:
        return value if isinstance(value, str) else repr(value)
    except Exception:  # noqa: BLE001 - a __repr__ of somebody else
        return f"<{type(value).__name__}>"


def _traceback(record: logging.LogRecord) -> str:
    if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
        try:
            return _plain.formatException(record.exc_info)
        except Exception:  # noqa: BLE001 - an exception whose __str__ fails
            return type(record.exc_info[1]).__name__
    return record.exc_text or ""


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    """Return what `extra=` gave; a mapping named meta is spread out."""
    extra = {
        name: value for name, value in vars(record).items() if name not in _STANDARD
    }
    extra.pop("color_message", None)  # uvicorn's second form of the message
    meta = extra.get("meta")
    if isinstance(meta, dict):
        del extra["meta"]
        return {**{str(name): value for name, value in meta.items()}, **extra}
    return extra
