"""`platform logs` as a person at a terminal, a pipe and a browser meet it."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import psycopg
import pytest

from ai_platform.names import READONLY
from commands._database import session
from tests.support.documents import commands
from tests.support.environment import clean_environment
from tests.support.programs import SCRIPTS
from tests.support.requests_logged import copy_requests, ensure_days, now
from tests.support.servers import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ai_platform.server import EmbeddedServer
    from tests.support.database import Database
    from tests.support.programs import Run
    from tests.support.standby import Pair

HOSTILE = "/\x1b[31m\x9b2J\r\n<script>alert(1)</script>\u202e[bold]\u2028"


@pytest.fixture
def logged(database: Database) -> Database:
    """Give a database that has partitions for today and its neighbours."""
    day = timedelta(days=1)
    ensure_days(database.connect(), now() - day, now(), now() + day)
    return database


def _write(database: Database, *rows: dict[str, Any]) -> None:
    copy_requests(database.connect("log_writer"), *rows)


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
        """Return the next *lines* of stdout, or of *stream*; fail after 20 seconds."""
        handle = (stream or self.process.stdout).fileno()
        until = time.monotonic() + 20
        text = self._rest.pop(handle, b"")
        while text.count(b"\n") < lines and time.monotonic() < until:
            if select.select([handle], [], [], 0.2)[0]:
                text += os.read(handle, 65536)
        assert text.count(b"\n") >= lines, text
        *found, self._rest[handle] = text.split(b"\n", lines)
        return [line.decode() for line in found]

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Send a signal; return the exit code and what else was said on stderr."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=20)
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


def test_a_request_is_a_line(logged: Database, run: Run) -> None:
    """Time in UTC, status, method, duration, url, caller, address; newest last."""
    at = now().replace(microsecond=123_000)
    row = {"created": at, "url": "/v1/x", "method": "GET", "status": 200}
    _write(logged, {"url": "/new", "created": at + timedelta(seconds=1)})
    _write(logged, {**row, "auth": "user:1", "remote_ip": "::1", "duration_ms": 12})

    done = run("platform", "logs", "tail", env=logged.environment("readonly"))

    first, second = done.stdout.splitlines()
    words = [f"{at:%Y-%m-%d}", f"{at:%H:%M:%S}.123Z", "200", "GET", "12", "ms"]
    assert first.split() == [*words, "/v1/x", "user:1", "::1"]
    assert second.split()[2:] == ["-", "-", "-", "/new", "-", "-"]


def test_no_row_steers_the_terminal(logged: Database, run: Run) -> None:
    """One line a row, whatever it holds, and no character that a terminal obeys."""
    text = {"url": HOSTILE, "method": HOSTILE, "auth": HOSTILE, "remote_ip": HOSTILE}
    _write(logged, text, {}, {"url": "/" + "x" * 10_000})

    done = run("platform", "logs", "tail", env=logged.environment("readonly"))

    assert len(done.stdout.splitlines()) == 3
    assert "x" * 10_000 in done.stdout
    assert r"\x1b[31m\x9b2J\r\n<script>" in done.stdout
    assert all(char.isprintable() for char in done.stdout if char != "\n")


def test_json_has_every_column(logged: Database, run: Run) -> None:
    """One object a line, safe to print, and equal to what was written."""
    meta = {"t": HOSTILE, "n": 12345678901234567890.5}
    _write(logged, {"url": HOSTILE, "meta": json.dumps(meta), "status": 500}, {})

    words = ("logs", "tail", "--json", "--status", "5xx")
    done = run("platform", *words, env=logged.environment("readonly"))

    (line,) = done.stdout.splitlines()
    row = json.loads(line)
    assert all(char.isprintable() for char in line)
    assert (row["url"], row["meta"]["t"], row["status"]) == (HOSTILE, HOSTILE, 500)
    assert row["created"].endswith("+00:00")
    assert set(row) >= {"id", "trace_id", "referer", "user_agent", "organization_id"}


def test_colour_is_for_terminals(logged: Database) -> None:
    """A status has one at a terminal, and a long line is cut there."""
    _write(logged, {"url": "/" + "x" * 500, "status": 503})
    master, slave = pty.openpty()
    for more, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        subprocess.run(
            [SCRIPTS / "platform", "logs", "tail"],
            env={**logged.environment("readonly"), "TERM": "xterm", **more},
            stdout=slave,
            check=True,
        )
        text = os.read(master, 65536).decode()
        assert ("\x1b[31;1m503\x1b[0m" in text) is coloured
        assert "…" in text
    os.close(master)
    os.close(slave)


def test_follow_goes_on_until_ctrl_c(logged: Database) -> None:
    """New rows come as they are written; the end is 130, with one line."""
    _write(logged, {"url": "/old"})
    with _following(logged) as followed:
        assert "/old" in followed.read()[0]
        _write(logged, {"url": "/one"}, {"url": "/two"})
        assert {line.split()[5] for line in followed.read(2)} == {"/one", "/two"}

        assert followed.end() == (130, "platform: interrupted\n")


def test_follow_holds_nothing_open(logged: Database) -> None:
    """Between two looks there is no transaction that would delay a removal."""
    query = "SELECT state FROM pg_stat_activity WHERE usename = 't_readonly'"
    with _following(logged, "--every", "60") as followed:
        _write(logged, {})
        connection = logged.connect()
        for _ in range(100):
            states = connection.execute(query + " AND datname = %s", [logged.name])
            if (found := states.fetchall()) == [("idle",)]:
                break
            time.sleep(0.1)
        assert found == [("idle",)]
        assert followed.process.poll() is None


def test_follow_outlives_its_connection(logged: Database) -> None:
    """What was written meanwhile is shown once, and stderr says what happened."""
    with _following(logged) as followed:
        _write(logged, {"url": "/before"})
        followed.read()
        connection = logged.connect()
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 't_readonly' AND datname = %s",
            [logged.name],
        )
        _write(logged, {"url": "/meanwhile"})

        assert "/meanwhile" in followed.read()[0]
        lost, again = followed.read(2, stream=followed.process.stderr)
        assert "connection lost, trying again" in lost
        assert again == "connected again"
        _write(logged, {"url": "/after"})
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
            with psycopg.connect(server.url()) as connection:
                copy_requests(connection, {"url": f"/{number}"})
            assert f"/{number}" in followed.read()[0]
            server.stop(mode=mode)
            lost = followed.read(2, stream=followed.process.stderr)
            assert all("connection lost" in line for line in lost)
            server.start()
            again = followed.read(stream=followed.process.stderr)[0]
            while "connection lost" in again:
                again = followed.read(stream=followed.process.stderr)[0]
            assert again == "connected again"


def test_a_standby_says_why(pair: Pair, run: Run) -> None:
    """There are no unlogged rows there; the refusal tells so and what to do."""
    rows(pair.primary, "SELECT * FROM monitoring.ensure_partitions()")
    pair.catch_up()

    for command in ("tail", "stats"):
        done = run("platform", "logs", command, env=pair.environment)
        assert (done.returncode, done.stdout) == (4, "")
        assert "UNLOGGED partitions are not replicated" in done.stderr
        assert "ask the primary" in done.stderr


def test_follow_notices_that_the_reader_left(logged: Database) -> None:
    """Also when there is nothing to write: `… --follow | head -1` comes to its end."""
    reading, writing = os.pipe()
    _write(logged, {})
    with _following(logged, stdout=writing) as followed:
        os.close(writing)
        assert os.read(reading, 9)
        os.close(reading)

        assert followed.process.wait(20) == 141


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("tail", "--since", "yesterday"), "yesterday"),
        (("tail", "--since", "10x"), "10x"),
        (("tail", "--since", "2026-02-30"), "2026-02-30"),
        (("tail", "--status", "6xy"), "6xy"),
        (("tail", "--status", ""), "not a status"),
        (("tail", "--status", "300-200"), "300-200"),
        (("tail", "-f", "--until", "1h"), "--follow"),
        (("tail", "--org", "0"), "--org"),
        (("tail", "--org", "99999999999"), "--org"),
        (("tail", "-n", "-1"), "--lines"),
        (("tail", "--every", "0"), "--every"),
        (("tail", "--late", "0s"), "0s"),
        (("tail", "--late", "2d"), "--late"),
        (("stats", "--by", "password"), "password"),
        (("stats", "--bucket", "often"), "often"),
        (("stats", "--top", "0"), "--top"),
        (("stats", "--html", "/"), "folder"),
    ],
)
def test_bad_values_are_explained(run: Run, words: tuple[str, ...], told: str) -> None:
    """Before a server is asked: exit code 2, the value, and what to write instead."""
    nowhere = clean_environment(DATABASE_URL="postgresql://nobody@127.0.0.1:9/x")
    done = run("platform", "logs", *words, env=nowhere)

    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "next: " in done.stderr


def test_bad_windows_are_explained(logged: Database, run: Run) -> None:
    """What only the server's clock can tell, and what PostgreSQL cannot hold."""
    for words, told in (
        (("tail", "--since", "1h", "--until", "2h"), "later than --since"),
        (("stats", "--bucket", "1ms"), "one second"),
        (("stats", "--bucket", "1s", "--since", "9d"), "buckets"),
        (("tail", "--url", "/\udcff"), "UTF-8"),
    ):
        done = run("platform", "logs", *words, env=logged.environment("readonly"))
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr
        assert "next: " in done.stderr


@pytest.mark.parametrize(
    ("since", "until"),
    [("999999999w", "1d"), ("0001-01-01", "9999-12-31"), ("1d", "9999-12-31")],
)
def test_far_times_are_no_error(
    logged: Database, run: Run, since: str, until: str
) -> None:
    """The whole calendar may be asked for."""
    for command in ("tail", "stats"):
        words = ("logs", command, "--since", since, "--until", until)
        done = run("platform", *words, env=logged.environment("readonly"))
        assert done.returncode == 0, done.stderr
        assert "no " in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["tail", "stats"])
def test_an_application_is_refused(logged: Database, run: Run, command: str) -> None:
    """A tenant's login reads the view of its own rows, and is told so."""
    done = run("platform", "logs", command, env=logged.environment("app"))

    assert (done.returncode, done.stdout) == (4, "")
    assert "may not act as platform_readonly" in done.stderr
    assert "logs.tenant_request_logs" in done.stderr


def test_nothing_found_is_said(logged: Database, run: Run) -> None:
    """Exit code 0: there is nothing wrong with a quiet day."""
    env = logged.environment("readonly")
    tail = run("platform", "logs", "tail", env=env)
    stats = run("platform", "logs", "stats", env=env)

    assert (tail.returncode, tail.stdout, stats.returncode) == (0, "", 0)
    assert "no such request" in tail.stderr
    assert "no requests" in stats.stdout


def test_a_long_question_is_given_up(logged: Database, run: Run) -> None:
    """A time limit is an answer with a next step, and so is a lock."""
    holder = logged.connect(autocommit=False)
    holder.execute("LOCK TABLE request_logs")

    words = ("logs", "stats", "--timeout", "0.2")
    done = run("platform", *words, env=logged.environment("readonly"))

    assert done.returncode == 4
    assert "needs more than 0.2 s" in done.stderr
    assert "--timeout" in done.stderr


def _some(logged: Database) -> None:
    _write(
        logged,
        *(
            {
                "created": now() - timedelta(minutes=n),
                "url": f"/v1/things/{n}?q={n}",
                "status": 500 if n % 10 == 0 else 200,
                "duration_ms": n,
            }
            for n in range(1, 101)
        ),
        {"url": HOSTILE, "status": 404},
    )


def test_figures_speak_to_people_and_programs(logged: Database, run: Run) -> None:
    """A chart and tables, or JSON with every figure of every bucket."""
    _some(logged)
    env = logged.environment("readonly", TZ="Asia/Tokyo", PGTZ="Asia/Tokyo")

    text = run("platform", "logs", "stats", "--since", "2h", env=env).stdout
    found = json.loads(
        run("platform", "logs", "stats", "--since", "2h", "--json", env=env).stdout
    )

    assert "UTC" in text
    assert "█" in text
    assert re.search(r"/v1/things/:id +100 +10 +10\.0 +0 +50 +95 +99", text)
    assert all(char.isprintable() for char in text if char != "\n")
    assert (found["total"]["requests"], found["total"]["server_errors"]) == (101, 10)
    assert sum(one["figures"]["requests"] for one in found["buckets"]) == 101


def test_figures_are_of_one_moment(logged: Database) -> None:
    """What arrives between two questions is in the answers of neither."""
    count = "SELECT count(*) FROM request_logs"
    target = logged.login("readonly")
    with session(target, READONLY, steady=True) as begin, begin() as connection:
        before = connection.execute(count).fetchone()
        _write(logged, {})
        assert connection.execute(count).fetchone() == before == (0,)


def test_a_chart_in_ascii(logged: Database, run: Run) -> None:
    """A terminal that knows no blocks gets characters that it knows."""
    _some(logged)
    env = logged.environment("readonly", PYTHONIOENCODING="ascii", COLUMNS="60")

    done = run("platform", "logs", "stats", "--since", "2h", env=env)

    assert done.stdout.isascii()
    assert "#" in done.stdout
    assert r"\u" not in done.stdout.partition("most requests")[0]


@pytest.fixture
def report(logged: Database, run: Run, tmp_path: Path) -> Path:
    """Write the page about some requests and return where it is."""
    _some(logged)
    path = tmp_path / "new" / "report.html"
    words = ("logs", "stats", "--since", "2h", "--html", str(path))
    run("platform", *words, env=logged.environment("readonly"), check=True)
    return path


def test_the_page_is_whole(report: Path) -> None:
    """Well-formed, no address in it, every figure in its plots and tables."""
    text = report.read_text(encoding="utf-8")
    root = ET.fromstring(text.partition("\n")[2])  # noqa: S314 - our own

    assert not re.search(r"https?:|url\(|@import|\b(src|href)=", text)
    said = "".join(root.itertext())
    for figure in ("101", "9.90 %", "0.99 %", "95 ms", "/v1/things/:id", "<script>"):
        assert figure in said
    names = {title.text for title in root.findall(".//h2")}
    assert {"Latency", "Most requests by url", "Statuses"} <= names
    assert len(root.findall(".//polyline")) >= 4
    assert [path.name for path in report.parent.iterdir()] == ["report.html"]


class _Elements(HTMLParser):
    """Count the elements of a page by name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, int] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Count one."""
        del attrs
        self.found[tag] = self.found.get(tag, 0) + 1


def test_a_browser_reads_the_page(report: Path, tmp_path: Path) -> None:
    """What it makes of the file has the same elements: none was refused or moved."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    words = "--headless --no-sandbox --disable-gpu --no-first-run --disable-sync"
    more = "--disable-background-networking --disable-component-update --dump-dom"
    done = subprocess.run(
        [
            chromium,
            *words.split(),
            *more.split(),
            f"--user-data-dir={tmp_path / 'profile'}",
            report.as_uri(),
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )

    assert _Elements(done.stdout).found == _Elements(report.read_text()).found


def test_a_page_is_replaced_as_a_whole(
    logged: Database, run: Run, report: Path
) -> None:
    """A link to it, and its mode, stay; a folder without room is a plain refusal."""
    link = report.with_name("link.html")
    link.symlink_to(report)
    report.write_text("old")
    report.chmod(0o640)
    words = ("logs", "stats", "--since", "2h", "--html")
    env = logged.environment("readonly")

    run("platform", *words, str(link), env=env, check=True)
    refused = run("platform", *words, "/dev/null/report.html", env=env)

    assert link.is_symlink()
    assert report.read_text().startswith("<!DOCTYPE html>")
    assert report.stat().st_mode & 0o777 == 0o640
    assert refused.returncode == 2
    assert "cannot write" in refused.stderr


def test_the_guide_can_be_typed(logged: Database, tmp_path: Path) -> None:
    """Each line of the section works; one that follows is ended by Ctrl-C."""
    _some(logged)
    env = logged.environment("readonly")
    env["PATH"] = f"{SCRIPTS}{os.pathsep}{env['PATH']}"
    lines = commands("docs/logging.md", "Reading")
    assert len(lines) >= 6
    for line in lines:
        follows = "--follow" in line
        words = f"timeout --preserve-status -s INT 2 {line}" if follows else line
        done = subprocess.run(
            ["sh", "-c", words], cwd=tmp_path, env=env, capture_output=True, check=False
        )
        assert done.returncode == (130 if follows else 0), (line, done.stderr)
    assert (tmp_path / "report.html").is_file()


def test_help_is_quick() -> None:
    """The groups are shown without loading what talks to a database."""
    program = (
        "import sys, commands.logs; "
        "print([m for m in ('psycopg', 'rich', 'sqlalchemy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
