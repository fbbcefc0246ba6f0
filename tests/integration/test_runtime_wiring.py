from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.support.documents import blocks
from tests.support.programs import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.database import Database

FASTAPI, FLASK, PLAIN = range(3)
SERVERS = {
    FASTAPI: ("uvicorn", "service:app", "--port", "0"),
    FLASK: ("flask", "--app", "service", "run", "--port", "0"),
}
KEY = "pk_abcdefgh_" + "s3cr" * 10 + "abc"


@contextmanager
def serving(kind: int, database: Database, folder: Path) -> Iterator[str]:
    """Run the service of the page as written; give its URL, end it by SIGTERM."""
    path = folder / "service.py"
    path.write_text(blocks("python", "docs/logging.md", "Wiring a service")[kind])
    program, *arguments = SERVERS[kind]
    server = subprocess.Popen(
        [SCRIPTS / program, *arguments],
        cwd=folder,
        env=database.environment("log_writer", PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    said = ""
    try:
        assert server.stdout is not None
        for line in server.stdout:
            said += line
            if found := re.search(r"unning on (http://[\d.:]+)", line):
                yield found[1]
                break
        else:
            pytest.fail(said)
        server.send_signal(signal.SIGTERM)
        said += server.communicate(timeout=120)[0]
        assert "Traceback" not in said, said
    finally:
        server.kill()
        server.wait()


def ask(url: str, target: str) -> None:
    """Get *target* until the server closes: a body is complete before its record is."""
    host = urlsplit(url).netloc
    lines = (
        f"GET {target} HTTP/1.1",
        f"Host: {host}",
        "User-Agent: tests",
        f"Referer: {url}{target}",
        "Connection: close",
    )
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=60) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        while connection.recv(65536):
            pass


def rows(database: Database, query: str) -> list[Any]:
    """Return rows of request_logs as a dashboard reads them."""
    return database.connect("readonly").execute(query.encode()).fetchall()


@pytest.mark.parametrize("kind", [FASTAPI, FLASK])
def test_a_service_wired_as_written_logs(
    kind: int, database: Database, tmp_path: Path
) -> None:
    """Requests over HTTP arrive, redacted; SIGTERM comes before the next flush."""
    with serving(kind, database, tmp_path) as url:
        for number in range(20):
            ask(url, f"/x/{KEY}?n={number}&token=s3cr")

    found = rows(
        database,
        "SELECT url, referer, method, status, remote_ip, user_agent,"
        " abs(extract(epoch FROM (now() AT TIME ZONE 'UTC') - created)) < 120,"
        " duration_ms < 60000"
        " FROM request_logs ORDER BY id",
    )
    path = "/x/pk_abcdefgh_REDACTED?n={}&token=REDACTED"
    fixed = ("GET", 404, "127.0.0.1", "tests", True, True)
    assert [row[0] for row in found] == [path.format(n) for n in range(20)]
    assert {row[2:] for row in found} == {fixed}
    assert "s3cr" not in str(found)


def test_messages_wired_as_written_arrive(database: Database) -> None:
    """A script that only ends leaves nothing behind in its buffer."""
    script = blocks("python", "docs/logging.md", "Wiring a service")[PLAIN]
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=database.environment("log_writer"),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )

    assert done.stderr == "INFO:root:order 7 shipped\n"
    columns = "method, url, organization_id, duration_ms, meta->>'message'"
    assert rows(database, f"SELECT {columns} FROM request_logs") == [
        ("LOG", "root", 3, 12, "order 7 shipped")
    ]


HOSTILE = """
import logging
from ai_platform.runtime import LogHandler, LogWriter, WSGIRequestLogMiddleware

writer = LogWriter()
log = logging.getLogger("shop")
log.addHandler(LogHandler(writer))
log.warning("nul \\x00 and \\ud800", extra={"note": "\\x00", "n": float("nan")})
log.warning("%d", "not a number", extra={"status": 10**12, "odd": object()})

def app(environ, start_response):
    start_response("200 OK", [])
    return [b""]

wrapped = WSGIRequestLogMiddleware(app, writer, meta=lambda environ: {"a": "\\x00"})
environ = {"REQUEST_METHOD": "G\\x00T", "PATH_INFO": "/\\x00\\xff",
           "QUERY_STRING": "\\x00=\\ud800", "HTTP_USER_AGENT": "\\x00" * 9999,
           "HTTP_REFERER": "//" + "x" * 99999, "REMOTE_ADDR": "\\x00"}
wrapped(environ, lambda *_: None).close()
writer.close()
print(writer.written, writer.pushed)
"""


def test_hostile_requests_are_stored_not_set_aside(database: Database) -> None:
    """NUL, lone surrogates, endless values: a client cannot keep out of the log."""
    done = subprocess.run(
        [sys.executable, "-c", HOSTILE],
        env=database.environment("log_writer"),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )

    assert done.stdout == "3 3\n", done.stderr
    assert rows(database, "SELECT count(*) FROM request_logs") == [(3,)]
