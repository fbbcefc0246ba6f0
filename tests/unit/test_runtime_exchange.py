from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from ai_platform.errors import BadValue
from ai_platform.runtime import RequestLogMiddleware
from tests.support.records import END, START, Records, fine, http_scope, recorded, serve

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("scope", "url"),
    [
        ({"path": "/é /\x00?#"}, "/%C3%A9%20/%00%3F%23"),
        ({"path": "/é", "raw_path": b"/%c3%a9"}, "/%c3%a9"),
        ({"path": "/a", "raw_path": b"/a?x=1", "query_string": b"x=1"}, "/a?x=1"),
        ({"path": "/api/a", "root_path": "/api"}, "/api/a"),
        ({"path": "/a", "root_path": "/api"}, "/api/a"),
        ({"path": "/apiary", "root_path": "/api/"}, "/api/apiary"),
        ({"path": "/api", "root_path": "/api"}, "/api"),
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
