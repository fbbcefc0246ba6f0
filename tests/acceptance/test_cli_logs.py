"""`platform logs` at a terminal and in a pipe."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.environment import clean_environment
from tests.support.programs import SCRIPTS
from tests.support.requests_logged import HOSTILE, now, write_requests
from tests.support.servers import rows

if TYPE_CHECKING:
    from tests.support.database import Database
    from tests.support.programs import Run
    from tests.support.standby import Pair


def test_a_request_is_a_line(logged: Database, run: Run) -> None:
    """Time in UTC, status, method, duration, url, caller, address; newest last."""
    at = now().replace(microsecond=123_000)
    row = {"created": at, "url": "/v1/x", "method": "GET", "status": 200}
    write_requests(logged, {"url": "/new", "created": at + timedelta(seconds=1)})
    write_requests(
        logged, {**row, "auth": "user:1", "remote_ip": "::1", "duration_ms": 12}
    )

    done = run("platform", "logs", "tail", env=logged.environment("readonly"))

    first, second = done.stdout.splitlines()
    words = [f"{at:%Y-%m-%d}", f"{at:%H:%M:%S}.123Z", "200", "GET", "12", "ms"]
    assert first.split() == [*words, "/v1/x", "user:1", "::1"]
    assert second.split()[2:] == ["-", "-", "-", "/new", "-", "-"]


def test_no_row_steers_the_terminal(logged: Database, run: Run) -> None:
    """One line a row, whatever it holds, and no character that a terminal obeys."""
    text = {"url": HOSTILE, "method": HOSTILE, "auth": HOSTILE, "remote_ip": HOSTILE}
    write_requests(logged, text, {}, {"url": "/" + "x" * 10_000})

    done = run("platform", "logs", "tail", env=logged.environment("readonly"))

    assert len(done.stdout.splitlines()) == 3
    assert "x" * 10_000 in done.stdout
    assert r"\x1b[31m\x9b2J\r\n<script>" in done.stdout
    assert all(char.isprintable() for char in done.stdout if char != "\n")


def test_json_has_every_column(logged: Database, run: Run) -> None:
    """One object a line, safe to print, and equal to what was written."""
    meta = {"t": HOSTILE, "n": 12345678901234567890.5}
    write_requests(
        logged, {"url": HOSTILE, "meta": json.dumps(meta), "status": 500}, {}
    )

    words = ("logs", "tail", "--json", "--status", "5xx")
    done = run("platform", *words, env=logged.environment("readonly"))

    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert all(char.isprintable() for char in line)
    assert (found["url"], found["status"]) == (HOSTILE, 500)
    assert found["meta"]["t"] == HOSTILE
    assert found["created"].endswith("+00:00")
    assert set(found) >= {"id", "trace_id", "referer", "user_agent", "organization_id"}


def test_colour_is_for_terminals(logged: Database) -> None:
    """A status has one at a terminal, and a long line is cut there."""
    write_requests(logged, {"url": "/" + "x" * 500, "status": 503})
    master, slave = pty.openpty()
    for more, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        subprocess.run(
            [SCRIPTS / "platform", "logs", "tail"],
            env={**logged.environment("readonly"), "TERM": "xterm", **more},
            stdout=slave,
            check=True,
        )
        text = _line(master)
        assert ("\x1b[31;1m503\x1b[0m" in text) is coloured
        assert "…" in text
    os.close(master)
    os.close(slave)


def _line(terminal: int) -> str:
    """Return the next line at *terminal*; it may arrive in pieces."""
    text = b""
    while not text.endswith(b"\n"):
        text += os.read(terminal, 1)
    return text.decode()


def test_a_standby_says_why(pair: Pair, run: Run) -> None:
    """There are no unlogged rows there; the refusal tells so and what to do."""
    rows(pair.primary, "SELECT * FROM monitoring.ensure_partitions()")
    pair.catch_up()

    for command in ("tail", "stats"):
        done = run("platform", "logs", command, env=pair.environment)
        assert (done.returncode, done.stdout) == (4, "")
        assert "UNLOGGED partitions are not replicated" in done.stderr
        assert "ask the primary" in done.stderr


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
        (("stats", "--since", "8000-01-01"), "--since is in the future"),
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
    assert "no such request; --since 3d" in tail.stderr
    assert "no requests" in stats.stdout
    for words, told in (("--since 9d", "no such request\n"), ("-n 0", "")):
        done = run("platform", "logs", "tail", *words.split(), env=env)
        assert (done.returncode, done.stderr) == (0, told)


def test_a_long_question_is_given_up(logged: Database, run: Run) -> None:
    """A time limit is an answer with a next step, and so is a lock."""
    holder = logged.connect(autocommit=False)
    holder.execute("LOCK TABLE request_logs")

    words = ("logs", "stats", "--timeout", "0.2")
    done = run("platform", *words, env=logged.environment("readonly"))

    assert done.returncode == 4
    assert "needs more than 0.2 s" in done.stderr
    assert "--timeout" in done.stderr


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
