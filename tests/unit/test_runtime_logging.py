from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from logging.config import dictConfig
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from ai_platform.runtime import LogHandler
from tests.support.records import Records

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE = "0af76519-16cd-43dd-8448-eb211c80319c"


@pytest.fixture
def records() -> Iterator[Records]:
    """Give what a handler on the root logger pushes."""
    kept = Records()
    handler = LogHandler(kept)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield kept
    root.removeHandler(handler)
    root.setLevel(level)


def test_a_message_becomes_a_row(records: Records) -> None:
    """Where from, how loud, what: all of it can be searched."""
    logging.getLogger("shop.cart").warning("sold %d of %s", 3, "tea")
    row = records.only

    assert (row.method, row.url, row.status) == ("LOG", "shop.cart", None)
    assert row.meta is not None
    assert row.meta["level"] == "WARNING"
    assert row.meta["message"] == "sold 3 of tea"
    assert row.meta["source"].startswith("test_runtime_logging.test_a_message_")
    assert row.created is not None
    assert timedelta(0) <= datetime.now(UTC) - row.created < timedelta(seconds=10)


def test_extra_fields_find_their_columns(records: Records) -> None:
    """The rest goes to meta, and so does what does not fit."""
    extra = {
        "url": "/a?token=s",
        "status": "201",
        "duration_ms": 12.6,
        "trace_id": TRACE,
        "organization_id": "three",
        "auth": None,
        "level": "mine",
        "meta": {"password": "s", "basket": [1, 2]},
    }
    logging.getLogger("shop").info("x", extra=extra)
    row = records.only

    assert (row.url, row.status, row.duration_ms) == ("/a?token=REDACTED", 201, 13)
    assert (row.trace_id, row.auth, row.organization_id) == (UUID(TRACE), None, None)
    assert row.meta is not None
    assert (row.meta["level"], row.meta["extra_level"]) == ("INFO", "mine")
    assert row.meta["organization_id"] == "three"
    assert (row.meta["password"], row.meta["basket"]) == ("REDACTED", [1, 2])


def test_an_exception_is_kept_without_secrets(records: Records) -> None:
    """Type, place and text of the traceback; credentials of a URL in it not."""
    try:
        raise ValueError("postgresql://u:hunter2@h/x")  # noqa: TRY301
    except ValueError:
        logging.getLogger("shop").exception("failed with token=%s", "hunter2")
    meta = records.only.meta or {}

    assert meta["message"] == "failed with token=REDACTED"
    assert "ValueError: postgresql://REDACTED@h/x" in meta["exception"]
    assert "hunter2" not in meta["message"] + meta["exception"].splitlines()[-1]


@pytest.mark.parametrize("value", [2**31, -1, True, "x", float("nan"), [1]])
def test_a_number_that_does_not_fit_is_kept(records: Records, value: Any) -> None:
    """A row with it in the column would be set aside as a whole."""
    logging.getLogger("shop").info("x", extra={"status": value})

    assert records.only.status is None
    assert "status" in (records.only.meta or {})


class Silent:
    """An object whose repr fails."""

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("template", "arguments", "message"),
    [
        ("%d apples", ("two",), "%d apples % ('two',)"),
        ("%s and %s", ("one",), "%s and %s % ('one',)"),
        ("of %s", (Silent(),), "of %s % <tuple>"),
        ("a\x00b\ud800", (), "a\N{REPLACEMENT CHARACTER}b?"),
    ],
)
def test_bad_formats_lose_no_record(
    capsys: pytest.CaptureFixture[str],
    template: str,
    arguments: tuple[Any, ...],
    message: str,
) -> None:
    """Template and arguments are told as they are; nothing is printed."""
    kept = Records()
    record = {"name": "shop", "msg": template, "args": arguments}
    LogHandler(kept).handle(logging.makeLogRecord(record))

    assert (kept.only.meta or {})["message"] == message
    assert capsys.readouterr().err == ""


def test_long_messages_are_cut() -> None:
    """One message cannot fill the buffer of a service."""
    kept = Records()
    handler = LogHandler(kept, longest=100)
    handler.emit(logging.makeLogRecord({"name": "x", "msg": "a" * 1_000_000}))

    assert len((kept.only.meta or {})["message"]) == 100


def test_access_records_are_taken_apart(records: Records) -> None:
    """Those of uvicorn by their arguments, those of Werkzeug by their line."""
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "[::1]:47", "GET", "/a?token=s", "1.1", 200
    )
    logging.getLogger("werkzeug").info(
        '192.0.2.1 - - [22/Nov/2026 06:00:00] "%s" %s %s',
        "\x1b[33mGET /b?token=s HTTP/1.1\x1b[0m",
        "404",
        "-",
    )
    logging.getLogger("werkzeug").info(" * Running on http://127.0.0.1:5000")
    first, second, third = records

    assert (first.method, first.url, first.status) == ("GET", "/a?token=REDACTED", 200)
    assert first.remote_ip == "::1"
    assert (second.method, second.url) == ("GET", "/b?token=REDACTED")
    assert (second.status, second.remote_ip) == (404, "192.0.2.1")
    assert (third.method, third.url) == ("LOG", "werkzeug")


@pytest.mark.parametrize("name", ["ai_platform.runtime", "psycopg", "psycopg.pool"])
def test_what_the_writer_says_does_not_return(records: Records, name: str) -> None:
    """A writer that cannot write would otherwise write that it cannot write."""
    logging.getLogger(name).error("no connection")

    assert records == []


def test_a_push_that_logs_does_not_recurse() -> None:
    """Whatever logger it uses; other threads are not silenced meanwhile."""
    rows: list[str] = []
    logger = logging.getLogger("elsewhere")

    class Talker:
        def push(self, record: Any, /) -> None:
            rows.append(record.meta["message"])
            logger.warning("pushed")
            if len(rows) == 1:
                other = threading.Thread(target=logger.warning, args=("other",))
                handler.release()
                other.start()
                other.join(timeout=60)
                handler.acquire()

    handler = LogHandler(Talker())
    logger.addHandler(handler)
    try:
        logger.warning("first")
    finally:
        logger.removeHandler(handler)

    assert rows == ["first", "other"]


@pytest.mark.parametrize("shown", [True, False])
def test_faults_are_for_logging_to_print(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, shown: bool
) -> None:
    """Never raised into the service; `logging.raiseExceptions` decides the rest."""

    class Broken:
        def push(self, record: Any, /) -> None:
            raise MemoryError(record)

    monkeypatch.setattr(logging, "raiseExceptions", shown)
    LogHandler(Broken()).handle(logging.makeLogRecord({"name": "x", "msg": "y"}))

    assert ("MemoryError" in capsys.readouterr().err) is shown


def test_it_is_configured_by_a_mapping() -> None:
    """As services do it, the level given by name."""
    kept = Records()
    handler = {
        "()": "ai_platform.runtime.LogHandler",
        "writer": SimpleNamespace(push=kept.push),
        "level": "WARNING",
    }
    loggers = {"shop.configured": {"handlers": ["rows"], "level": "DEBUG"}}
    dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"rows": handler},
            "loggers": loggers,
        }
    )
    logger = logging.getLogger("shop.configured")
    logger.info("quiet")
    logger.error("loud")
    logger.handlers.clear()

    assert (kept.only.meta or {})["message"] == "loud"
