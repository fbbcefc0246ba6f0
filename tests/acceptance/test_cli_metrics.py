"""`platform metrics` as a person, a timer and a supervisor run it."""

from __future__ import annotations

import json
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from ai_platform.reading import metrics as reading
from ai_platform.reading.window import Window
from tests.support.days import today
from tests.support.documents import blocks, commands
from tests.support.programs import SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database
    from tests.support.programs import Run

HOSTILE = "n\x1b[31m<script>alert(1)</script>"


class Metrics:
    """``call("show", …)``: the command with its exit code checked."""

    def __init__(self, run: Run, database: Database) -> None:
        self._run = run
        self.database = database

    def __call__(self, *words: str, code: int = 0, login: str = "app") -> Any:
        """Return what a command that ends with *code* printed."""
        env = self.database.environment(login)
        done = self._run("platform", "metrics", *words, env=env)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def write(self, days_ago: int = 0, node: str = "n1", **more: Any) -> datetime:
        """Store one row as another client would; return its time."""
        # a minute ago, but in the first minute of a day
        midnight = today()
        at = max(datetime.now(UTC) - timedelta(minutes=1), midnight)
        at -= timedelta(days=days_ago)
        admin = self.database.connect()
        admin.execute(
            """SELECT monitoring.create_partition('monitoring.metrics',
                   date_trunc('day', %(at)s, 'UTC'),
                   date_trunc('day', %(at)s, 'UTC') + interval '1 day', true,
                   'monitoring')""",
            {"at": at},
        )
        self.database.connect("log_writer").execute(
            """INSERT INTO monitoring.metrics (time, node_id, sys_mem_mb, extra)
               VALUES (%s, %s, %s, %s::jsonb)""",
            [at.replace(tzinfo=None), node, 512, json.dumps(more)],
        )
        return at


@pytest.fixture
def call(run: Run, database: Database) -> Metrics:
    """Give the caller of the commands."""
    return Metrics(run, database)


@pytest.mark.parametrize("login", ["app", "log_writer"])
def test_one_row_is_collected(call: Metrics, login: str) -> None:
    """Database, machine and process in one row; either role may."""
    done = call("collect", "--once", "--node-id", "db-1", "--json", login=login)

    row = json.loads(done.stdout)
    assert row["node_id"] == "db-1"
    assert {"database.size_mb", "database.waiting_locks", "machine.load_1m"} <= set(
        row["extra"]["values"]
    )
    query = "SELECT node_id FROM monitoring.metrics"
    assert call.database.connect().execute(query).fetchall() == [("db-1",)]


def test_others_may_not_collect(call: Metrics) -> None:
    """A reader is refused with the role that is missing."""
    refused = call("collect", "--once", code=4, login="readonly").stderr

    assert "may not act as platform_app" in refused
    assert "next:" in refused


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)]
)
def test_collecting_ends_cleanly(call: Metrics, number: int, code: int) -> None:
    """Ctrl-C and a supervisor's SIGTERM: the node is down, nothing is thrown."""
    process = subprocess.Popen(
        [SCRIPTS / "platform", "metrics", "collect", "--every", "100ms", "--json"],
        env=call.database.environment("app", PB_NODE_ID="db-1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        rows = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)

    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert {row["node_id"] for row in rows} == {"db-1/collect"}
    query = "SELECT kind, status FROM monitoring.nodes"
    assert call.database.connect().execute(query).fetchall() == [("database", "down")]


def test_a_refresh_archives_first(call: Metrics) -> None:
    """What it did, in numbers; a second run finds nothing new."""
    call.write(days_ago=1)

    first = json.loads(call("refresh", "--json", login="migrator").stdout)
    second = json.loads(call("refresh", "--json", login="migrator").stdout)

    assert (first["archived"], first["days"], first["nodes"]) == (1, 1, 1)
    assert second["archived"] == 0


def test_a_worker_archives_only(call: Metrics) -> None:
    """The right of a worker is enough for the archive, not for the view."""
    call.write(days_ago=1)

    done = call("refresh", "--archive-only", "--json", login="worker")

    assert json.loads(done.stdout) == {"archived": 1}
    assert "platform_owner" in call("refresh", code=4, login="worker").stderr


def test_nodes_are_shown_to_readers(call: Metrics) -> None:
    """A table with each node, a chart, and held connections by name."""
    held = {"pool": "main", "seconds": 41.0, "by": "thread t", "at": "app.py:7 handle"}
    call.write(held=[held])

    shown = call("show", login="readonly").stdout

    assert "n1" in shown
    assert "512" in shown
    assert "app.py:7 handle" in shown
    assert "Memory, all nodes" in shown


def test_days_come_from_the_archive(call: Metrics) -> None:
    """Archived days and the one that goes on, each once."""
    for days_ago in (0, 1, 2):
        call.write(days_ago)
    call("refresh", login="migrator")

    days = json.loads(call("show", "--days", "7", "--json", login="readonly").stdout)

    assert [(day["samples"], day["is_archived"]) for day in days] == [
        (1, True),
        (1, True),
        (1, False),
    ]


@pytest.mark.parametrize("words", [("--since", "2h"), ("--days", "3")])
def test_a_page_needs_nothing_else(
    call: Metrics, tmp_path: Path, words: tuple[str, str]
) -> None:
    """Well-formed, with plots, without scripts, whatever a node calls itself."""
    call.write(node=HOSTILE)
    file = tmp_path / "metrics.html"

    call("show", *words, "--html", str(file), login="readonly")

    page = file.read_text(encoding="utf-8")
    tree = ET.fromstring(page.partition("\n")[2])  # noqa: S314 - our own page
    assert {"svg", "table"} <= {node.tag.rpartition("}")[2] for node in tree.iter()}
    assert "<script" not in page
    assert "\x1b" not in page + call("show").stdout


def test_one_node_is_shown_alone(call: Metrics) -> None:
    """--node leaves the others out; an unknown one has nothing to show."""
    call.write(node="n1")
    call.write(node="n2")

    found = json.loads(call("show", "--node", "n2", "--json").stdout)

    assert {point["node_id"] for point in found["points"]} == {"n2"}
    assert "no node" in call("show", "--node", "n3").stderr


def test_old_partitions_are_not_read(call: Metrics) -> None:
    """The last hour of thirty days costs the partition of today."""
    for days_ago in range(4):
        call.write(days_ago)
    now = datetime.now(UTC)
    values = {
        "bucket": timedelta(minutes=1),
        "since": Window(now - timedelta(minutes=1)).since.replace(tzinfo=None),
        "until": now.replace(tzinfo=None),
        "node": None,
    }
    plan = call.database.connect("readonly").execute(
        "EXPLAIN " + reading._POINTS, values
    )

    read = {line.split(" on ")[1] for (line,) in plan if " on metrics_" in line}
    assert 1 <= len(read) <= 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("collect", "--every", "5"), "not a duration"),
        (("collect", "--node-id", " "), "--node-id"),
        (("refresh", "--wait", "-1"), "--wait"),
        (("show", "--since", "yesterday"), "yesterday"),
        (("show", "--since", "1h", "--days", "2"), "two questions"),
        (("show", "--days", "0"), "--days"),
        (("show", "--html", "/"), "folder"),
    ],
)
def test_a_bad_value_is_named(call: Metrics, words: tuple[str, ...], told: str) -> None:
    """Exit code 2, one line, and what to do next."""
    error = call(*words, code=2).stderr

    assert told in error
    assert "next:" in error


def test_an_empty_database_names_the_upgrade(run: Run, empty: Database) -> None:
    """Exit code 4 and the command that comes first, for each of the three."""
    for word in ("collect", "refresh", "show"):
        done = run("platform", "metrics", word, env=empty.environment())
        assert done.returncode == 4
        assert "next: platform db upgrade" in done.stderr


def test_no_server_is_one_line(run: Run, database: Database) -> None:
    """Exit code 3 without a traceback, for each of the three."""
    env = database.environment() | {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}
    for word in ("collect", "refresh", "show"):
        done = run("platform", "metrics", word, env=env)
        assert done.returncode == 3
        assert "cannot connect" in done.stderr


def test_the_services_of_the_document_run(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five lines, for a synchronous and for an asynchronous service."""
    monkeypatch.setenv("DATABASE_URL", database.login("app").url)
    monkeypatch.setenv("PB_NODE_ID", "api-1")
    examples = blocks("python", "docs/metrics.md")
    for body in examples:
        exec(compile(body, "docs/metrics.md", "exec"), {})  # noqa: S102 - our own text

    query = "SELECT count(*) FROM monitoring.metrics WHERE node_id = 'api-1'"
    found = database.connect().execute(query).fetchone()
    assert found is not None
    assert found[0] >= len(examples) >= 2


def test_the_commands_of_the_document_run(
    run: Run, database: Database, tmp_path: Path
) -> None:
    """Each line as it stands, but for the one that goes on until Ctrl-C."""
    lines = [
        line
        for line in commands("docs/metrics.md")
        if line != "platform metrics collect --every 10s"
    ]
    assert len(lines) >= 4
    for line in lines:
        done = run(*line.split(), env=database.environment(), cwd=tmp_path)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
