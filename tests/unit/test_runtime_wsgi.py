from __future__ import annotations

import sys
import threading
import time
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any
from uuid import UUID
from wsgiref.handlers import SimpleHandler
from wsgiref.util import setup_testing_defaults

import pytest
from flask import Flask, Response, abort, request

from ai_platform.runtime import WSGIRequestLogMiddleware
from tests.support.records import Records

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE = "0af7651916cd43dd8448eb211c80319c"


def answer(app: Any, **environ: Any) -> bytes:
    """Run one request as a server of the standard library does."""
    setup_testing_defaults(environ)
    out = BytesIO()
    SimpleHandler(BytesIO(), out, StringIO(), environ).run(app)
    return out.getvalue()


def fine(environ: Any, start_response: Any) -> list[bytes]:
    """Answer 200."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def recorded(app: Any = fine, *, options: Any = None, **environ: Any) -> Any:
    """Return the record of one request."""
    records = Records()
    answer(WSGIRequestLogMiddleware(app, records, **(options or {})), **environ)
    return records.only


def test_a_request_fills_the_record() -> None:
    """Every column that HTTP knows, with credentials redacted."""
    record = recorded(
        PATH_INFO="/a",
        SCRIPT_NAME="/api",
        QUERY_STRING="x=1&token=s",
        REQUEST_METHOD="POST",
        REMOTE_ADDR="192.0.2.1",
        REMOTE_USER="ann",
        HTTP_USER_AGENT="curl/8",
        HTTP_REFERER="https://u:pw@host/",
        HTTP_TRACEPARENT=f"00-{TRACE}-b7ad6b7169203331-01",
    )

    assert record.url == "/api/a?x=1&token=REDACTED"
    assert (record.method, record.status, record.auth) == ("POST", 200, "ann")
    assert (record.remote_ip, record.user_agent) == ("192.0.2.1", "curl/8")
    assert record.referer == "https://REDACTED@host/"
    assert record.trace_id == UUID(TRACE)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"PATH_INFO": "/\xc3\xa9 \x00?"}, "/%C3%A9%20%00%3F"),
        ({"PATH_INFO": "/\xff"}, "/%EF%BF%BD"),
        ({"PATH_INFO": "/a", "RAW_URI": "/%61?x=1", "QUERY_STRING": "x=1"}, "/%61?x=1"),
        ({"PATH_INFO": "/a", "REQUEST_URI": "http://x/a"}, "/a"),
    ],
)
def test_the_url_is_what_was_asked_for(environ: dict[str, Any], url: str) -> None:
    """As the client wrote it where the server kept that, else encoded again."""
    assert recorded(**environ).url == url


@pytest.mark.parametrize("piece", ["a", "é", "\xf0\x9f\x97\x93", "%", "/token=s3cr"])
def test_an_endless_path_costs_no_time(piece: str) -> None:
    """Ten million characters are stored like ten thousand, and as quickly."""
    endless = "/" + piece * (10_000_000 // len(piece))
    began = time.thread_time()
    long = recorded(PATH_INFO=endless).url
    took = time.thread_time() - began

    assert long == recorded(PATH_INFO="/" + piece * (50_000 // len(piece))).url
    assert long is not None
    assert len(long) <= 4096
    assert "s3cr" not in long
    assert took < 0.1


def lazy(environ: Any, start_response: Any) -> Iterator[bytes]:
    """Answer as a generator: nothing happens before the first chunk."""
    start_response("201 Created", [])
    yield b"a"
    yield b"b"


def written(environ: Any, start_response: Any) -> list[bytes]:
    """Answer through the callable of old."""
    write = start_response("202 Accepted", [])
    write(b"ab")
    return []


def corrected(environ: Any, start_response: Any) -> list[bytes]:
    """Begin an answer, then make it an error before anything is sent."""
    start_response("200 OK", [])
    try:
        raise LookupError  # noqa: TRY301
    except LookupError:
        start_response("503 Busy", [], sys.exc_info())
    return [b"ab"]


@pytest.mark.parametrize(
    ("app", "status"), [(lazy, 201), (written, 202), (corrected, 503)]
)
def test_every_way_to_answer_counts(app: Any, status: int) -> None:
    """Generators, write() and a status that was changed in time."""
    records = Records()
    out = answer(WSGIRequestLogMiddleware(app, records))

    assert out.endswith(b"ab")
    assert out.startswith(f"HTTP/1.0 {status}".encode())
    assert records.only.status == status


def explode(environ: Any, start_response: Any) -> list[bytes]:
    """Fail before the answer."""
    raise LookupError


def explode_lazily(environ: Any, start_response: Any) -> Iterator[bytes]:
    """Fail where a server asks for the first chunk."""
    yield from ()
    raise LookupError


def explode_late(environ: Any, start_response: Any) -> Iterator[bytes]:
    """Fail in the middle of the answer."""
    start_response("200 OK", [])
    yield b"a"
    raise LookupError


@pytest.mark.parametrize(
    ("app", "status"), [(explode, 500), (explode_lazily, 500), (explode_late, 200)]
)
def test_a_failing_application_is_recorded(app: Any, status: int) -> None:
    """Once, with the kind of error; the error itself goes on to the server."""
    record = recorded(app)

    assert (record.status, record.meta) == (status, {"error": "LookupError"})


def test_the_record_waits_for_close() -> None:
    """The application's own close() runs, and the duration ends with it."""
    records, closed = Records(), []

    class Body(list[bytes]):
        def close(self) -> None:
            closed.append(len(records))

    app = WSGIRequestLogMiddleware(lambda *_: Body([b"a", b"b"]), records)
    body: Any = app({}, lambda *_: lambda _: None)

    assert list(body) == [b"a", b"b"]
    assert records == []
    body.close()
    assert (closed, len(records)) == ([0], 1)


def test_a_body_that_was_not_read_is_499() -> None:
    """The server closes a generator whose client left before it began."""
    records = Records()
    body: Any = WSGIRequestLogMiddleware(lazy, records)({}, lambda *_: lambda _: None)
    body.close()
    body.close()

    assert records.only.status == 499


def test_a_single_chunk_keeps_its_length() -> None:
    """Servers take Content-Length from a body of one chunk; they still can."""
    assert b"Content-Length: 2" in answer(WSGIRequestLogMiddleware(fine, Records()))


def shop() -> Flask:
    """Return an application with a stream, an error of its own and a fault."""
    app = Flask("shop")

    @app.get("/items/<number>")
    def item(number: str) -> Response:
        request.environ["tenant"] = int(number)
        if number == "7":
            abort(404)
        if number == "8":
            raise RuntimeError
        return Response(iter([number, "!"]))

    return app


def test_flask_is_recorded_in_threads() -> None:
    """Many at a time: each record has its own url, tenant and status."""
    records, app = Records(), shop()
    app.wsgi_app = WSGIRequestLogMiddleware(  # type: ignore[method-assign]
        app.wsgi_app, records, organization_id=lambda environ: environ["tenant"]
    )

    def ask(number: int) -> None:
        with app.test_client() as web:
            web.get(f"/items/{number}?token=s").close()

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    unusual = {7: 404, 8: 500}
    assert sorted(record.organization_id or 0 for record in records) == [*range(10)]
    for record in records:
        number = record.organization_id or 0
        assert record.url == f"/items/{number}?token=REDACTED"
        assert record.status == unusual.get(number, 200)


def test_options_work_as_for_asgi() -> None:
    """Paths left out, proxies, headers and callbacks over the environ."""
    records = Records()
    app = WSGIRequestLogMiddleware(
        fine,
        records,
        skip=["/healthz"],
        trusted_proxies=["127.0.0.1"],
        headers=["X-Request-Id"],
        meta=lambda environ: environ["missing"],
    )
    answer(app, PATH_INFO="/healthz")
    answer(
        app,
        REMOTE_ADDR="127.0.0.1",
        HTTP_X_FORWARDED_FOR="6.6.6.6, 198.51.100.7",
        HTTP_X_REQUEST_ID="7",
    )

    assert records.only.remote_ip == "198.51.100.7"
    assert records.only.meta == {"headers": {"x-request-id": "7"}}
    assert app.failures == {"meta": 1}
