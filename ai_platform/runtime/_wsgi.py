"""Record the requests of a WSGI application: Flask, Django, any other."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from ._bounded import ENOUGH
from ._client_address import X_FORWARDED_FOR
from ._exchange import (
    CLIENT_CLOSED,
    FAILED,
    Exchange,
    ExchangeLog,
    Pusher,
    quoted_path,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from ._redaction import Redactor

__all__ = ["WSGIRequestLogMiddleware"]


class WSGIRequestLogMiddleware:
    """Pushes one record for each request of *app* to *writer*.

    Options as for RequestLogMiddleware, with the environ in place of the scope; the
    caller is REMOTE_USER by default. The record is pushed when the server closes the
    body, or with the exception that the application raised (500).

    Raises BadValue for an option that cannot be used.
    """

    def __init__(  # noqa: PLR0913 - every one but two has a default
        self,
        app: WSGIApplication,
        writer: Pusher,
        *,
        auth: Callable[[WSGIEnvironment], str | None] | None = None,
        organization_id: Callable[[WSGIEnvironment], int | None] | None = None,
        meta: Callable[[WSGIEnvironment], Mapping[str, Any] | None] | None = None,
        headers: Iterable[str] = (),
        skip: Iterable[str] = (),
        trusted_proxies: Iterable[str] = (),
        forwarded_header: str = X_FORWARDED_FOR,
        redactor: Redactor | None = None,
    ) -> None:
        self.app = app
        self._log = ExchangeLog(
            writer,
            auth=auth or _remote_user,
            organization_id=organization_id,
            meta=meta,
            headers=headers,
            skip=skip,
            trusted_proxies=trusted_proxies,
            forwarded_header=forwarded_header,
            redactor=redactor,
        )
        self.failures = self._log.failures
        self._wanted = {_variable(name): name for name in self._log.wanted}

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Serve one request."""
        if self._log.skips(_text(_decoded_path(environ))):
            return self.app(environ, start_response)
        exchange = self._begun(environ)

        def start(status: str, headers: Any, exc_info: Any = None, /) -> Any:
            write = start_response(status, headers, *([exc_info] if exc_info else []))
            exchange.status = _number(status)
            return write

        try:
            body = self.app(environ, start)
        except BaseException as error:
            _failed(exchange, error)
            self._log.push(exchange)
            raise
        watch = _SizedBody if hasattr(body, "__len__") else _Body
        return watch(body, exchange, self._log)

    def _begun(self, environ: WSGIEnvironment) -> Exchange:
        return Exchange(
            context=environ,
            method=environ.get("REQUEST_METHOD", ""),
            path=_path(environ),
            query=environ.get("QUERY_STRING", ""),
            peer=environ.get("REMOTE_ADDR") or None,
            headers={
                name: _text(environ[variable])
                for variable, name in self._wanted.items()
                if variable in environ
            },
        )


class _Body:
    """The body of an answer; the record is pushed when it is closed."""

    def __init__(
        self, body: Iterable[bytes], exchange: Exchange, log: ExchangeLog
    ) -> None:
        self._body = body
        self._chunks: Iterator[bytes] | None = None
        self._exchange = exchange
        self._log = log
        self._is_whole = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._chunks is None:
                self._chunks = iter(self._body)
            return next(self._chunks)
        except StopIteration:
            self._is_whole = True
            raise
        except BaseException as error:
            _failed(self._exchange, error)
            raise

    def close(self) -> None:
        """Close the body of the application, then push."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            _failed(self._exchange, error)
            raise
        finally:
            self._finish()

    def _finish(self) -> None:
        exchange = self._exchange
        exchange.ended = exchange.ended or monotonic()
        if exchange.status is None:
            # a generator that nobody asked for its first chunk has not begun
            exchange.status = FAILED if self._is_whole else CLIENT_CLOSED
        self._log.push(exchange)


class _SizedBody(_Body):
    """A body of known length: servers derive Content-Length from a single chunk."""

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]


def _failed(exchange: Exchange, error: BaseException) -> None:
    exchange.notes["error"] = type(error).__name__
    if exchange.status is None:
        exchange.status = FAILED


def _number(status: str) -> int | None:
    text = status[:3]
    return int(text) if text.isascii() and text.isdigit() else None


def _variable(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


def _text(value: str) -> str:
    """Return what WSGI hands over as Latin-1 in the UTF-8 that it mostly is."""
    return value.encode("latin-1", "replace").decode("utf-8", "replace")


def _decoded_path(environ: WSGIEnvironment) -> str:
    path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    # a character is a byte here, of which UTF-8 has up to four
    return path[: 4 * ENOUGH]


def _path(environ: WSGIEnvironment) -> str:
    """Return the path as the client wrote it, where the server kept that."""
    for name in ("RAW_URI", "REQUEST_URI"):
        raw = environ.get(name)
        if isinstance(raw, str) and raw.startswith("/"):
            return raw.partition("?")[0]
    return quoted_path(_text(_decoded_path(environ))) or "/"


def _remote_user(environ: WSGIEnvironment) -> str | None:
    return environ.get("REMOTE_USER") or None
