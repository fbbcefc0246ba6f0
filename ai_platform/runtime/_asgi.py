"""Record the requests of an ASGI application: FastAPI, Starlette, any other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

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
    from ._redaction import Redactor

__all__ = ["RequestLogMiddleware"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_SWITCHED: Final = 101
_FORBIDDEN: Final = 403
_WEBSOCKET: Final = "WEBSOCKET"


class RequestLogMiddleware:
    """Pushes one record for each request of *app* to *writer*.

    *auth* and *organization_id* say from the scope who called; by default the user
    that an authentication middleware left there, never the Authorization header.
    *meta* gives extra fields, *headers* names request headers to keep, *skip* paths
    not to record (`/static/*` all below). *trusted_proxies* are addresses or networks
    (`unix` for a Unix socket) whose *forwarded_header* names the client.

    The record is pushed with the last chunk of the body. An exception of the
    application is 500, a client that went before the answer 499; a WebSocket is one
    record at its end, with 101 or the status of its refusal. Nothing here raises into
    a request: what a callback failed to say is missing and counted in *failures*.

    Raises BadValue for an option that cannot be used.
    """

    def __init__(  # noqa: PLR0913 - every one but two has a default
        self,
        app: App,
        writer: Pusher,
        *,
        auth: Callable[[Scope], str | None] | None = None,
        organization_id: Callable[[Scope], int | None] | None = None,
        meta: Callable[[Scope], Mapping[str, Any] | None] | None = None,
        headers: Iterable[str] = (),
        skip: Iterable[str] = (),
        trusted_proxies: Iterable[str] = (),
        forwarded_header: str = X_FORWARDED_FOR,
        redactor: Redactor | None = None,
    ) -> None:
        self.app = app
        self._log = ExchangeLog(
            writer,
            auth=auth or _user,
            organization_id=organization_id,
            meta=meta,
            headers=headers,
            skip=skip,
            trusted_proxies=trusted_proxies,
            forwarded_header=forwarded_header,
            redactor=redactor,
        )
        self.failures = self._log.failures
        self._wanted = {name.encode("latin-1"): name for name in self._log.wanted}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of the server; records HTTP and WebSocket."""
        kind = scope["type"]
        if kind not in {"http", "websocket"} or self._log.skips(scope["path"]):
            await self.app(scope, receive, send)
            return
        exchange = self._begun(scope)
        watch = _Http if kind == "http" else _WebSocket
        await watch(exchange, self._log, receive, send).run(self.app)

    def _begun(self, scope: Scope) -> Exchange:
        client = scope.get("client")
        query = scope.get("query_string") or b""
        return Exchange(
            context=scope,
            method=scope.get("method") or _WEBSOCKET,
            path=_path(scope),
            query=query.decode("latin-1"),
            peer=client[0] if client else None,
            headers=self._chosen(scope["headers"]),
        )

    def _chosen(self, headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
        chosen: dict[str, str] = {}
        for raw, value in headers:
            if name := self._wanted.get(raw):
                text = value.decode("utf-8", "replace")
                chosen[name] = f"{chosen[name]}, {text}" if name in chosen else text
        return chosen


class _Http:
    """One HTTP request between server and application."""

    def __init__(
        self, exchange: Exchange, log: ExchangeLog, receive: Receive, send: Send
    ) -> None:
        self._exchange = exchange
        self._log = log
        self._receive = receive
        self._send = send
        self._is_gone = False
        self._is_whole = False
        self._trailers = False

    async def run(self, app: App) -> None:
        exchange = self._exchange
        try:
            await app(exchange.context, self.receive, self.send)
        except Exception as error:
            exchange.notes["error"] = type(error).__name__
            raise
        except BaseException:  # cancelled, by asyncio or by trio: the client is gone
            self._is_gone = True
            raise
        finally:
            self._finish()

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect" and self._exchange.status is None:
            self._is_gone = True
        return message

    async def send(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError:  # as the specification has it where the client is gone
            self._is_gone = True
            raise
        kind = message["type"]
        if kind == "http.response.start":
            if not self._is_gone:
                self._exchange.status = message["status"]
            self._trailers = bool(message.get("trailers"))
        elif kind.startswith("http.response.") and self._is_last(kind, message):
            self._exchange.ended = monotonic()
            self._is_whole = True
            self._finish()

    def _is_last(self, kind: str, message: Message) -> bool:
        if kind == "http.response.trailers":
            return not message.get("more_trailers")
        bodies = {
            "http.response.body",
            "http.response.zerocopysend",
            "http.response.pathsend",
        }
        return kind in bodies and not message.get("more_body") and not self._trailers

    def _finish(self) -> None:
        exchange = self._exchange
        if exchange.status is None:
            exchange.status = CLIENT_CLOSED if self._is_gone else FAILED
        elif not self._is_whole and not exchange.notes:
            exchange.notes["aborted"] = True  # the status went out, the body did not
        self._log.push(exchange)


class _WebSocket:
    """One WebSocket between server and application: a record at its end."""

    def __init__(
        self, exchange: Exchange, log: ExchangeLog, receive: Receive, send: Send
    ) -> None:
        self._exchange = exchange
        self._log = log
        self._receive = receive
        self._send = send

    async def run(self, app: App) -> None:
        exchange = self._exchange
        try:
            await app(exchange.context, self.receive, self.send)
        except Exception as error:
            exchange.notes["error"] = type(error).__name__
            if exchange.status is None:
                exchange.status = FAILED
            raise
        finally:
            if exchange.status is None:
                exchange.status = CLIENT_CLOSED
            self._log.push(exchange)

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._closed(message)
        return message

    async def send(self, message: Message) -> None:
        await self._send(message)
        kind = message["type"]
        if kind == "websocket.accept":
            self._exchange.status = _SWITCHED
        elif kind == "websocket.http.response.start":
            self._exchange.status = message["status"]
        elif kind == "websocket.close":
            if self._exchange.status is None:
                self._exchange.status = _FORBIDDEN
            self._closed(message)

    def _closed(self, message: Message) -> None:
        # the side that closes first says why
        self._exchange.notes.setdefault("close_code", message.get("code", 1000))


def _path(scope: Scope) -> str:
    raw: bytes | None = scope.get("raw_path")
    if raw:
        # some clients for tests put the query there as well
        path = raw.partition(b"?")[0].decode("latin-1")
    else:
        path = quoted_path(scope["path"])
    root = quoted_path(scope.get("root_path") or "").rstrip("/")
    # older servers left the prefix out of the path
    return path if f"{path}/".startswith(f"{root}/") else root + path


def _user(scope: Scope) -> str | None:
    """Return the id of the user that an authentication middleware found."""
    user = scope.get("user")
    if user is None or not getattr(user, "is_authenticated", False):
        return None
    for name in ("username", "identity"):
        try:
            found = getattr(user, name)
        except (AttributeError, NotImplementedError):
            continue
        if found:
            return str(found)
    return None
