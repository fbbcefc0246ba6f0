from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from starlette.responses import StreamingResponse
from starlette.websockets import WebSocket

from ai_platform.errors import BadValue
from ai_platform.runtime import RequestLogMiddleware
from tests.support.records import Records, http_scope, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TRACE = "0af7651916cd43dd8448eb211c80319c"
START = {"type": "http.response.start", "status": 200, "headers": []}
END = {"type": "http.response.body", "body": b"ok"}


async def fine(scope: Any, receive: Any, send: Any) -> None:
    """Answer 200."""
    await send(START)
    await send(END)


def recorded(scope: Any, app: Any = fine, **options: Any) -> Any:
    """Return the record of one request."""
    records = Records()
    serve(RequestLogMiddleware(app, records, **options), scope)
    return records.only


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
    assert 30 <= (records.only.duration_ms or 0) < 5000


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


@pytest.mark.parametrize(
    ("scope", "url"),
    [
        ({"path": "/é /\x00?#"}, "/%C3%A9%20/%00%3F%23"),
        ({"path": "/é", "raw_path": b"/%c3%a9"}, "/%c3%a9"),
        ({"path": "/a", "raw_path": b"/a?x=1", "query_string": b"x=1"}, "/a?x=1"),
        ({"path": "/api/a", "root_path": "/api"}, "/api/a"),
        ({"path": "/a", "root_path": "/api"}, "/api/a"),
        ({"path": "/a", "query_string": b"\xff=1"}, "/a?ÿ=1"),
    ],
)
def test_the_url_is_what_was_asked_for(scope: dict[str, Any], url: str) -> None:
    """With the prefix of a proxy, encoded, without a byte the table refuses."""
    assert recorded(http_scope(**scope)).url == url


def test_long_values_are_cut_after_redaction() -> None:
    """A secret at the cut is not a shorter secret."""
    key = "pk_abcdefgh_" + "s3cr" * 10
    for length in range(4040, 4100):
        scope = http_scope("/", query_string=b"q=" + b"-" * length + key.encode() * 60)
        url = recorded(scope).url
        assert len(url) <= 4096
        assert "s3cr" not in url


def test_selected_headers_go_to_meta() -> None:
    """Those of a name that means a secret without their value."""
    headers = {"X-Request-Id": "7", "X-Api-Key": "s", "Accept": "*/*"}
    record = recorded(
        http_scope(headers=headers),
        headers=["X-Request-ID", "x-api-key"],
        meta=lambda scope: {"path": scope["path"], "password": "s"},
    )

    assert record.meta == {
        "path": "/",
        "password": "REDACTED",
        "headers": {"x-request-id": "7", "x-api-key": "REDACTED"},
    }


@pytest.mark.parametrize(
    ("user", "auth"),
    [
        (SimpleNamespace(is_authenticated=True, username="ann"), "ann"),
        (SimpleNamespace(is_authenticated=True, identity=7), "7"),
        (SimpleNamespace(is_authenticated=False, username="ann"), None),
        (None, None),
    ],
)
def test_the_caller_is_who_was_authenticated(user: Any, auth: str | None) -> None:
    """An id that a middleware inside has verified, never a header."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["user"] = user
        await fine(scope, receive, send)

    assert recorded(http_scope(headers={"Authorization": "x"}), app).auth == auth


def test_callbacks_say_who_called() -> None:
    """From what the service left in the scope."""
    record = recorded(
        http_scope(caller="ann", tenant=3),
        auth=lambda scope: scope["caller"],
        organization_id=lambda scope: scope["tenant"],
    )

    assert (record.auth, record.organization_id) == ("ann", 3)


def test_failing_callbacks_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    """The record is pushed without them; they are named once in the log."""
    records = Records()

    def fail(scope: Any) -> Any:
        return scope["missing"]

    def minus_one(scope: Any) -> int:
        return -1

    app = RequestLogMiddleware(
        fine, records, auth=fail, organization_id=minus_one, meta=fail
    )
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            serve(app, http_scope())

    assert [record.status for record in records] == [200] * 3
    assert app.failures == {"auth": 3, "organization_id": 3, "meta": 3}
    assert len(caplog.records) == 3


def test_a_failing_writer_harms_no_request() -> None:
    """Whatever its push raises stays here, and is counted."""

    class Broken:
        def push(self, record: Any, /) -> None:
            raise MemoryError(record)

    app = RequestLogMiddleware(fine, Broken())

    assert serve(app, http_scope()) == [START, END]
    assert app.failures == {"push": 1}


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        (None, "198.51.100.7", "198.51.100.7"),
        ("testclient", "198.51.100.7", "testclient"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_only_trusted_proxies_are_believed(
    peer: str | None, said: str, client: str
) -> None:
    """The rightmost address that is no proxy of ours; what stands left is hearsay."""
    scope = http_scope(
        client=peer and (peer, 1),
        headers={"X-Forwarded-For": said, "Forwarded": "for=6"},
    )
    trusted = ["10.0.0.0/8", "unix"]

    assert recorded(scope, trusted_proxies=trusted).remote_ip == client
    assert recorded(scope).remote_ip == peer


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ('For="[2001:db8::7]:443";proto=https', "2001:db8::7"),
        ("for=6.6.6.6, for=198.51.100.7;by=10.0.0.9, for=10.0.0.2", "198.51.100.7"),
        ("for=6.6.6.6, for=_hidden", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
    ],
)
def test_the_standard_header_is_read_when_named(said: str, client: str) -> None:
    """RFC 7239, with ports, quotes and hidden names."""
    headers = {"Forwarded": said, "X-Forwarded-For": "6.6.6.6"}
    scope = http_scope(client=("10.0.0.1", 1), headers=headers)
    options = {"trusted_proxies": "10.0.0.0/8", "forwarded_header": "Forwarded"}

    assert recorded(scope, **options).remote_ip == client


@pytest.mark.parametrize(
    "said",
    [
        f"ff-{TRACE}-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-b7ad6b7169203331-01-x",
        f"01-{TRACE}-b7ad6b7169203331-01x",
        f"00-{TRACE.upper()}-b7ad6b7169203331-01",
        "x",
        "",
    ],
)
def test_an_invalid_trace_is_none(said: str) -> None:
    """A row without a trace is better than one under a wrong one."""
    assert recorded(http_scope(headers={"traceparent": said})).trace_id is None


def test_a_later_trace_version_is_read() -> None:
    """The standard promises that its beginning stays."""
    said = f"01-{TRACE}-b7ad6b7169203331-01-more"

    assert recorded(http_scope(headers={"traceparent": said})).trace_id == UUID(TRACE)


async def late(scope: Any) -> Any:
    """Return nothing, later."""


@pytest.mark.parametrize(
    "options",
    [
        {"trusted_proxies": ["10.0.0.0/99"]},
        {"trusted_proxies": ["proxy.example"]},
        {"forwarded_header": "X-Real-IP"},
        {"auth": late},
    ],
)
def test_unusable_options_are_refused(options: dict[str, Any]) -> None:
    """When the service starts, not with its first request."""
    with pytest.raises(BadValue, match="got"):
        RequestLogMiddleware(fine, Records(), **options)
