"""A list in place of a writer, and an ASGI server of a few lines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ai_platform.runtime import RequestLogMiddleware, RequestRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["END", "START", "Records", "fine", "http_scope", "recorded", "serve"]

START = {"type": "http.response.start", "status": 200, "headers": []}
END = {"type": "http.response.body", "body": b"ok"}


class Records(list[RequestRecord]):
    """Keeps what is pushed."""

    def push(self, record: RequestRecord, /) -> None:
        """Take *record*."""
        self.append(record)

    @property
    def only(self) -> RequestRecord:
        """Return the one record there is."""
        (record,) = self
        return record


def http_scope(path: str = "/", **more: Any) -> dict[str, Any]:
    """Return the scope of a GET, its headers given as a dict of texts."""
    headers = more.pop("headers", {})
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "client": ("192.0.2.1", 4711),
        "headers": [
            (name.lower().encode(), value.encode()) for name, value in headers.items()
        ],
        **more,
    }


def serve(
    app: Callable[..., Any], scope: dict[str, Any], incoming: Iterable[Any] = ()
) -> list[dict[str, Any]]:
    """Run one connection as a server would; return the messages of *app*.

    *incoming* messages come first, then nothing more does.
    """
    messages = list(incoming) or [{"type": "http.request", "body": b""}]
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


async def fine(scope: Any, receive: Any, send: Any) -> None:
    """Answer 200."""
    await send(START)
    await send(END)


def recorded(scope: Any, app: Any = fine, **options: Any) -> Any:
    """Return the record of one request."""
    records = Records()
    serve(RequestLogMiddleware(app, records, **options), scope)
    return records.only
