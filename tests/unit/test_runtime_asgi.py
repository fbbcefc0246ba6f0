from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from starlette.responses import StreamingResponse
from starlette.websockets import WebSocket

from ai_platform.runtime import RequestLogMiddleware
from tests.support.records import START, Records, fine, http_scope, recorded, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_request_fills_the_record() -> None:
    """Every column that HTTP knows, with credentials redacted."""
    headers = {
        "User-Agent": "curl/8",
        "Referer": "https://u:pw@host/x?token=s",
        "Authorization": "Bearer s",
        "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
    }
    scope = http_scope("/a", query_string=b"x=1&api_key=s", headers=headers)
    record = recorded(scope)

    assert record.url == "/a?x=1&api_key=REDACTED"
    assert (record.method, record.status, record.auth) == ("GET", 200, None)
    assert (record.remote_ip, record.user_agent) == ("192.0.2.1", "curl/8")
    assert record.referer == "https://REDACTED@host/x?token=REDACTED"
    assert record.trace_id == UUID(TRACE)
    assert (record.meta, record.organization_id, record.id) == (None, None, None)
    assert datetime.now(UTC) - record.created < timedelta(seconds=10)


async def explode(scope: Any, receive: Any, send: Any) -> None:
    """Fail before the answer."""
    raise LookupError("password=hunter2")


async def explode_late(scope: Any, receive: Any, send: Any) -> None:
    """Fail in the middle of the answer."""
    await send(START)
    raise LookupError


@pytest.mark.parametrize(("app", "status"), [(explode, 500), (explode_late, 200)])
def test_a_failing_application_is_recorded(app: Any, status: int) -> None:
    """The error goes on to the server; the status is what the client was told."""
    records = Records()
    with pytest.raises(LookupError):
        serve(RequestLogMiddleware(app, records), http_scope())

    assert records.only.status == status
    assert records.only.meta == {"error": "LookupError"}


async def silent(scope: Any, receive: Any, send: Any) -> None:
    """Answer nothing."""


async def deaf(scope: Any, receive: Any, send: Any) -> None:
    """Answer a client that is gone."""
    assert (await receive())["type"] == "http.disconnect"
    await fine(scope, receive, send)


@pytest.mark.parametrize(("app", "status"), [(silent, 500), (deaf, 499)])
def test_no_answer_has_a_status(app: Any, status: int) -> None:
    """A server makes 500 of silence; a client that left heard nothing."""
    records = Records()
    gone = [{"type": "http.disconnect"}]
    serve(RequestLogMiddleware(app, records), http_scope(), gone)

    assert records.only.status == status


def test_a_cancelled_request_is_499() -> None:
    """The cancellation goes on: the application is not kept from ending."""
    records = Records()

    async def cancel() -> None:
        async def wait(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.Event().wait()

        middleware = RequestLogMiddleware(wait, records)
        unused: Any = None
        task = asyncio.ensure_future(middleware(http_scope(), unused, unused))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel())
    assert records.only.status == 499


def test_a_broken_pipe_is_499() -> None:
    """Servers that raise OSError from send say so that the client is gone."""

    async def send(message: Any) -> None:
        raise BrokenPipeError

    records = Records()
    unused: Any = None
    with pytest.raises(BrokenPipeError):
        asyncio.run(RequestLogMiddleware(fine, records)(http_scope(), unused, send))
    assert records.only.status == 499


def test_a_stream_lasts_until_its_last_chunk() -> None:
    """The record comes with the end of the body, and not after background work."""
    records = Records()
    seen: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0.01)
            seen.append(len(records))
            yield b"x"

    async def later() -> None:
        seen.append(len(records))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        response = StreamingResponse(body(), background=SimpleNamespace())  # type: ignore[arg-type]
        response.background = later  # type: ignore[assignment]
        await response(scope, receive, send)

    serve(RequestLogMiddleware(app, records), http_scope())

    assert seen == [0, 0, 0, 1]
    assert 30 <= (records.only.duration_ms or 0) < 60_000


def test_an_aborted_stream_says_so() -> None:
    """The client was told 200 and left in the middle: both are true."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        assert (await receive())["type"] == "http.disconnect"

    records = Records()
    gone = [{"type": "http.disconnect"}]
    serve(RequestLogMiddleware(app, records), http_scope(), gone)

    assert (records.only.status, records.only.meta) == (200, {"aborted": True})


def shop(records: Records) -> FastAPI:
    """Return an application with a route, an error of its own and a fault."""
    app = FastAPI()
    app.add_middleware(RequestLogMiddleware, writer=records)

    @app.get("/items/{number}")
    async def item(number: int) -> dict[str, int]:
        await asyncio.sleep(0.001 * (number % 3))
        if number == 99:
            raise HTTPException(404)
        if number == 98:
            raise RuntimeError
        return {"number": number}

    return app


def test_requests_at_once_do_not_mix() -> None:
    """Fifty at a time: each record has its own url, agent and status."""
    records = Records()
    transport = httpx.ASGITransport(shop(records), raise_app_exceptions=False)

    async def ask() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as web:
            await asyncio.gather(
                *(
                    web.get(f"/items/{n}?n={n}", headers={"User-Agent": str(n)})
                    for n in range(50, 100)
                )
            )

    asyncio.run(ask())

    unusual = {"98": 500, "99": 404}
    assert len(records) == 50
    for record in records:
        agent = record.user_agent or ""
        assert record.url == f"/items/{agent}?n={agent}"
        assert record.status == unusual.get(agent, 200)


async def chat(scope: Any, receive: Any, send: Any) -> None:
    """Accept, answer once, close with a code of its own; refuse on /no."""
    socket = WebSocket(scope, receive, send)
    if scope["path"] == "/no":
        await socket.close(4403)
        return
    await socket.accept()
    await socket.close(4001)


@pytest.mark.parametrize(
    ("path", "status", "code"), [("/", 101, 4001), ("/no", 403, 4403)]
)
def test_a_websocket_is_one_record(path: str, status: int, code: int) -> None:
    """Its beginning, its length and how it ended."""
    scope = http_scope(path, type="websocket")
    del scope["method"]
    records = Records()
    serve(RequestLogMiddleware(chat, records), scope, [{"type": "websocket.connect"}])

    assert (records.only.method, records.only.status) == ("WEBSOCKET", status)
    assert records.only.meta == {"close_code": code}


def test_a_lifespan_passes_through() -> None:
    """Start and end of the application are no requests."""
    records = Records()
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = serve(shop(records), {"type": "lifespan"}, incoming)

    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert records == []


def test_paths_can_be_left_out() -> None:
    """Health checks by their path, whole branches with a star."""
    records = Records()
    app = RequestLogMiddleware(fine, records, skip=["/healthz", "/static/*"])
    for path in ("/healthz", "/static/a/b.css", "/healthz/deep", "/static"):
        assert len(serve(app, http_scope(path))) == 2

    assert [record.url for record in records] == ["/healthz/deep", "/static"]
