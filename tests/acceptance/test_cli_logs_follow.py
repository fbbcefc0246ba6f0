"""`platform logs tail --follow`: through restarts, until the reader has enough."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.environment import clean_environment
from tests.support.programs import SCRIPTS
from tests.support.requests_logged import copy_requests, write_requests
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ai_platform.server import EmbeddedServer
    from tests.support.database import Database
    from tests.support.programs import Run

# the gate and `make torture` run them
pytestmark = pytest.mark.slow


class Followed:
    """A running `platform logs tail --follow`; `read` waits for so many lines."""

    def __init__(self, env: Mapping[str, str], *words: str, stdout: int) -> None:
        self.process = subprocess.Popen(
            [SCRIPTS / "platform", "logs", "tail", "-f", "--every", "0.1", *words],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
        self._rest: dict[int, bytes] = {}

    def read(self, lines: int = 1, *, stream: Any = None) -> list[str]:
        """Return the next *lines* of stdout, or of *stream*; fail after a minute."""
        handle = (stream or self.process.stdout).fileno()
        ends = time.monotonic() + 60
        text = self._rest.pop(handle, b"")
        while text.count(b"\n") < lines and time.monotonic() < ends:
            if select.select([handle], [], [], 0.2)[0]:
                text += os.read(handle, 65536)
        assert text.count(b"\n") >= lines, text
        *found, self._rest[handle] = text.split(b"\n", lines)
        return [line.decode() for line in found]

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Send a signal; return the exit code and what else was said on stderr."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors.decode()


@contextmanager
def _following(
    database: Database | None = None,
    *words: str,
    stdout: int = subprocess.PIPE,
    env: Mapping[str, str] | None = None,
) -> Iterator[Followed]:
    if database is not None:
        env = database.environment("readonly")
    followed = Followed(env or {}, *words, stdout=stdout)
    try:
        yield followed
    finally:
        followed.process.kill()
        followed.process.communicate()


def test_follow_goes_on_until_ctrl_c(logged: Database) -> None:
    """New rows come as they are written; the end is 130, with one line."""
    write_requests(logged, {"url": "/old"})
    with _following(logged) as followed:
        assert "/old" in followed.read()[0]
        write_requests(logged, {"url": "/one"}, {"url": "/two"})
        assert {line.split()[5] for line in followed.read(2)} == {"/one", "/two"}

        assert followed.end() == (130, "platform: interrupted\n")


def test_follow_holds_nothing_open(logged: Database) -> None:
    """Between two looks there is no transaction that would delay a removal."""
    query = """SELECT state FROM pg_stat_activity
                WHERE usename = 't_readonly' AND datname = current_database()"""
    with _following(logged, "--every", "60") as followed:
        write_requests(logged, {})
        watch = logged.connect()
        until(lambda: watch.execute(query).fetchall() == [("idle",)])
        assert followed.process.poll() is None


def test_follow_outlives_its_connection(logged: Database) -> None:
    """What was written meanwhile is shown once, and stderr says what happened."""
    with _following(logged) as followed:
        # the first answer comes over a connection of its own, the second does not
        for url in ("/first", "/second"):
            write_requests(logged, {"url": url})
            assert url in followed.read()[0]
        connection = logged.connect()
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 't_readonly' AND datname = %s",
            [logged.name],
        )
        write_requests(logged, {"url": "/meanwhile"})

        assert "/meanwhile" in followed.read()[0]
        lost, again = followed.read(2, stream=followed.process.stderr)
        assert "connection lost, trying again" in lost
        assert again == "connected again"
        write_requests(logged, {"url": "/after"})
        assert "/after" in followed.read()[0]


@pytest.mark.torture
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_follow_outlives_the_server(
    embedded: Callable[..., EmbeddedServer], run: Run, mode: str
) -> None:
    """Stopped in order or killed, which empties the log: what comes after is shown."""
    server = embedded()
    server.start()
    env = clean_environment(DATABASE_URL=server.url())
    run("platform", "db", "upgrade", env=env, timeout=120, check=True)
    run("platform", "partitions", "apply", env=env, check=True)
    with _following(env=env) as followed:
        for number in range(2):
            for url in (f"/{number}", f"/{number}/again"):
                with psycopg.connect(server.url()) as connection:
                    copy_requests(connection, {"url": url})
                assert url in followed.read()[0]
            server.stop(mode=mode)
            lost = followed.read(2, stream=followed.process.stderr)
            assert all("connection lost" in line for line in lost)
            server.start()
            again = followed.read(stream=followed.process.stderr)[0]
            while "connection lost" in again:
                again = followed.read(stream=followed.process.stderr)[0]
            assert again == "connected again"


def test_follow_notices_that_the_reader_left(logged: Database) -> None:
    """Also when there is nothing to write: `… --follow | head -1` comes to its end."""
    reading, writing = os.pipe()
    write_requests(logged, {})
    with _following(logged, stdout=writing) as followed:
        os.close(writing)
        assert os.read(reading, 9)
        os.close(reading)

        assert followed.process.wait(60) == 141
