"""`platform maintenance`, archives and policies as a person or a timer runs them."""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import signal
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.days import today
from tests.support.programs import CHECKOUT, SCRIPTS
from tests.support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database
    from tests.support.programs import Run

OLD = datetime.now(UTC) - timedelta(days=60)
DAY = f"logs.request_logs_{OLD:%Y%m%d}"
LOGS = "public.request_logs"
ENV = "/etc/platform/maintenance.env"


class Platform:
    """``call("maintenance run")`` as the migrator, with its exit code checked."""

    def __init__(self, run: Run, database: Database) -> None:
        self._run = run
        self.database = database
        self._watch = database.connect()

    def __call__(self, words: str, *, code: int = 0, **env: str) -> Any:
        """Return stdout and stderr of a command that ends with *code*."""
        done = self._run(
            "platform",
            *shlex.split(words),
            env=self.database.environment("migrator", **env),
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def json(self, words: str, *, code: int = 0) -> Any:
        """Return what the command says with --json."""
        return json.loads(self(f"{words} --json", code=code).stdout)

    def sessions(self) -> int:
        """Return how many sessions of commands are left."""
        query = """SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database()
                      AND application_name = 'platform'"""
        return int(self._watch.execute(query).fetchall()[0][0])

    def start(self, words: str) -> subprocess.Popen[str]:
        """Start a command and return its process."""
        return subprocess.Popen(
            [SCRIPTS / "platform", *shlex.split(words)],
            env=self.database.environment("migrator"),
            cwd=CHECKOUT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def call(run: Run, database: Database) -> Platform:
    """Give the caller of the commands."""
    return Platform(run, database)


@pytest.fixture
def expired(call: Platform) -> Platform:
    """Give the caller on a database whose first log days have expired."""
    call(f"partitions apply --table {LOGS} --at {OLD:%Y-%m-%d}")
    return call


def test_a_run_tells_each_part(expired: Platform, tmp_path: Path) -> None:
    """In words and in JSON, with every step; the variable names the archive."""
    told = expired("maintenance run", PLATFORM_ARCHIVE=str(tmp_path)).stdout
    again = expired.json("maintenance run --only prune --only analyze")

    assert [line.split()[0] for line in told.splitlines()[1:]] == [
        "detaches",
        "partitions",
        "statistics",
        "prune",
        "analyze",
        "expiry",
    ]
    assert (tmp_path / f"{DAY}.csv.gz").exists()
    assert [(work["work"], work["steps"]) for work in again] == [
        ("prune", []),
        ("analyze", []),
    ]


def test_a_dry_run_of_all_changes_nothing(expired: Platform, tmp_path: Path) -> None:
    """What a night would do is shown, and the folder is not even made."""
    folder = tmp_path / "archive"

    works = expired.json(f"maintenance run --dry-run --archive {folder}")

    assert {work["outcome"] for work in works} == {"planned"}
    assert len(works[3]["steps"]) == 16
    assert not folder.exists()


def test_trouble_leaves_with_one(expired: Platform, database: Database) -> None:
    """An open SELECT delays the removal: a timer sees it in the exit code."""
    reader = database.connect(autocommit=False)
    reader.execute("SELECT count(*) FROM request_logs")

    done = expired("maintenance run --wait 0.2", code=1)

    assert re.search(r"prune +delayed", done.stdout)
    assert "1 of 6 parts need attention" in done.stderr
    reader.rollback()
    expired("maintenance run")


def test_health_leaves_with_one_when_the_horizon_is_short(call: Platform) -> None:
    """No partitions: nobody looks at words, a monitor looks at the exit code."""
    drop = f"DROP TABLE logs.request_logs_{today():%Y%m%d}"
    call("maintenance run")
    assert "covered until" in call("maintenance health").stdout
    call.database.connect().execute(drop.encode())

    found = {one["subject"]: one for one in call.json("maintenance health", code=1)}

    assert not found[LOGS]["is_well"]
    assert found["logs.audit_log"]["is_well"]


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.torture),
        (signal.SIGTERM, 143),
        (signal.SIGKILL, -9),
    ],
)
@pytest.mark.slow
def test_a_stopped_archive_drops_nothing(
    expired: Platform, tmp_path: Path, stop: signal.Signals, code: int
) -> None:
    """In mid-COPY: the rows are there, and the next run removes the half file."""
    watch = expired.database.connect()
    watch.execute(
        """INSERT INTO request_logs (id, created, url)
           SELECT gen_random_uuid(), %s, g::text FROM generate_series(1, 300000) g""",
        [OLD.replace(tzinfo=None)],
    )
    process = expired.start(f"partitions prune --archive {tmp_path}")
    until(lambda: any(f.stat().st_size > 8192 for f in parts(tmp_path)))
    process.send_signal(stop)
    _, told = process.communicate(timeout=60)

    assert (process.returncode, "Traceback" in told) == (code, False)
    assert len(parts(tmp_path)) == (1 if stop == signal.SIGKILL else 0)
    until(lambda: expired.sessions() == 0)
    assert rows_of(expired, DAY) == 300_000
    expired(f"maintenance run --archive {tmp_path}")
    assert parts(tmp_path) == []
    assert restored(expired, tmp_path)["rows"] == 300_000


def parts(folder: Path) -> list[Path]:
    """Return the files that are not finished."""
    return list(folder.glob(".platform-*.part"))


def rows_of(call: Platform, table: str) -> int:
    """Return how many rows *table* has."""
    query = f"SELECT count(*) FROM {table}".encode()
    return int(call.database.connect().execute(query).fetchall()[0][0])


def restored(call: Platform, folder: Path) -> Any:
    """Load the old day into a table of its own."""
    return call.json(f"partitions restore {folder}/{DAY}.csv.gz --into logs.back")


def test_the_way_into_an_archive_and_back(expired: Platform, tmp_path: Path) -> None:
    """Planned, archived, looked at, loaded, refused a second time."""
    file = tmp_path / f"{DAY}.csv.gz"
    steps = expired.json(f"partitions prune --archive {tmp_path}")
    assert [step["action"] for step in steps[:2]] == ["archive", "drop"]

    foretold = expired.json(f"partitions restore {file} --into logs.b --dry-run")
    assert (foretold["is_done"], foretold["into"]) == (False, "logs.b")
    assert restored(expired, tmp_path)["is_done"]
    assert (
        "exists already"
        in expired(f"partitions restore {file} --into logs.back", code=2).stderr
    )
    told = expired(f"partitions restore {file}.json", code=4).stderr
    assert "has no manifest beside it" in told
    expired(f"partitions restore {tmp_path}/nothing.csv.gz", code=2)


def test_status_counts_and_lists(call: Platform, database: Database) -> None:
    """Sizes for people, exact rows on request, each partition on request."""
    day = today()
    call("partitions apply")
    conn = database.connect()
    conn.execute("INSERT INTO request_logs (id) VALUES (gen_random_uuid())")

    told = call(f"partitions status --count --partitions --table {LOGS}").stdout
    found = call.json(f"partitions status --count --table {LOGS}")[0]

    assert re.search(r"\d+\.\d kB +1 ", told)
    assert told.count("logs.request_logs_") == 8
    assert (found["rows"], found["each"][0]["rows"]) == (1, 1)
    assert found["oldest_row"] == found["newest_row"]
    assert found["oldest_row"].startswith(f"{day:%Y-%m-%d}")


def test_a_policy_is_shown_and_changed(call: Platform) -> None:
    """Before beside after; what follows from it; a wrong value changes nothing."""
    assert "7 days" in call(f"partitions policy {LOGS}").stdout
    done = call(f"partitions policy {LOGS} --durable --retention 30d --ahead 9")
    assert re.search(r"retention +7 days +30 days", done.stdout)
    assert "new partitions are durable" in done.stderr

    call(f"partitions policy {LOGS} --ahead 0", code=2)
    call("partitions policy public.nothing --ahead 9", code=2)
    after = call.json(f"partitions policy {LOGS}")["after"]
    assert (after["ahead"], after["is_durable"]) == (9, True)


def test_a_reader_is_shown_a_policy(call: Platform, run: Run) -> None:
    """To look needs no more than a reader's login; to change needs the owner."""
    words = ("platform", "partitions", "policy", LOGS)
    env = call.database.environment("readonly")

    assert "7 days" in run(*words, env=env, check=True).stdout
    for more in (("--ahead", "9"), ("--ahead", "9", "--dry-run")):
        assert run(*words, *more, env=env).returncode == 4


@pytest.mark.slow
def test_durable_mode_is_no_drift(call: Platform, run: Run, database: Database) -> None:
    """Days of before may be UNLOGGED still; one that begins after must be logged."""
    day = today()
    call("partitions apply")
    call(f"partitions policy {LOGS} --durable")
    check = ("platform", "db", "check")
    coming = run(*check, env=database.environment())
    call("partitions apply")
    converted = run(*check, env=database.environment())

    assert (coming.returncode, converted.returncode) == (4, 0), converted.stdout
    tomorrow = day + timedelta(days=1)
    assert f"logs.request_logs_{tomorrow:%Y%m%d}: persistence" in coming.stdout
    assert f"logs.request_logs_{day:%Y%m%d}:" not in coming.stdout


def test_rewriting_is_asked_for(call: Platform, database: Database) -> None:
    """Bytes and wait are told before; without a yes nothing is rewritten."""
    call("partitions apply")
    conn = database.connect()
    conn.execute("INSERT INTO request_logs (id) VALUES (gen_random_uuid())")
    call(f"partitions policy {LOGS} --durable")

    told = call("partitions apply --convert-all", code=2).stderr
    assert "bytes are rewritten, readers and writers wait" in told
    assert "add --yes" in told
    done = call("partitions apply --convert-all --yes")
    assert len(re.findall("done +convert", done.stdout)) == 8


def test_a_crontab_line_is_a_command(call: Platform, tmp_path: Path) -> None:
    """What is printed runs as it stands, once the file with the URL is there."""
    folder = tmp_path / "arch 100%"
    told = call(f"maintenance schedule --cron --at 9:05 --archive '{folder}'").stdout
    line = told.splitlines()[-1]

    assert line.startswith("5 9 * * * ")
    secrets = tmp_path / "env"
    url = call.database.login("migrator").url
    secrets.write_text(f"DATABASE_URL={shlex.quote(url)}\n")
    # cron takes \% for %, and a bare % for the end
    command = line.split(" ", 5)[5].replace(r"\%", "%").replace(ENV, str(secrets))
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    subprocess.run(["sh", "-c", command], env=clean, check=True, cwd=tmp_path)
    assert folder.is_dir()
    assert url not in told


def test_units_name_the_time_in_utc(call: Platform) -> None:
    """A service and its timer, with nothing secret in them."""
    told = call("maintenance schedule --systemd --at 00:10").stdout

    assert "OnCalendar=*-*-* 00:10:00 UTC" in told
    assert f"EnvironmentFile={ENV}" in told
    assert "postgresql://" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("maintenance run --only drop", "'drop'"),
        ("maintenance run --only prune --skip prune", "nothing is left"),
        ("maintenance run --archive /proc/nowhere --only prune", "can be archived"),
        ("maintenance schedule", "for what"),
        ("maintenance schedule --cron --systemd", "for what"),
        ("maintenance schedule --cron --at 24:00", "'24:00'"),
        ("maintenance schedule --cron --at noon", "'noon'"),
        (f"partitions policy {LOGS} --granularity hour", "'hour'"),
        (f"partitions policy {LOGS} --retention -3d", "must be positive"),
        (f"partitions policy {LOGS} --retention 5", "has no unit"),
        (f"partitions policy {LOGS} --retention ' 1.5'", "has no unit"),
        ("partitions restore /nowhere/x.csv.gz --into back", "no file /nowhere/x"),
        ("partitions restore / --into back", "no file /"),
    ],
)
def test_bad_words_are_answered(call: Platform, words: str, told: str) -> None:
    """One line and a code that says whose fault it is."""
    expected = 1 if "run --archive" in words else 2

    done = call(words, code=expected)

    assert told in done.stdout + done.stderr


@pytest.mark.torture
@pytest.mark.timeout(600)
def test_killed_runs_lose_and_double_nothing(expired: Platform, tmp_path: Path) -> None:
    """Kill -9 at thirty moments: each row ends in one file, once."""
    expired.database.connect().execute(
        """INSERT INTO request_logs (id, created, url)
           SELECT gen_random_uuid(), %s + g * interval '1.5 s', g::text
             FROM generate_series(1, 400000) g""",
        [OLD.replace(tzinfo=None, hour=0, minute=0)],
    )
    chance = random.Random(3)  # noqa: S311 - no secret
    killed = 0
    for _ in range(30):
        process = expired.start(f"maintenance run --archive {tmp_path}")
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=chance.uniform(0.3, 1.6))
        killed += process.poll() is None
        process.kill()
        process.communicate()
    until(lambda: expired.sessions() == 0)
    expired(f"maintenance run --archive {tmp_path}")

    files = list(tmp_path.glob("*.csv.gz"))
    said = [json.loads((tmp_path / f"{file.name}.json").read_text()) for file in files]
    assert killed > 3
    assert sum(one["rows"] for one in said) == 400_000
    assert len({one["table"] for one in said}) == len(files) == 8
    assert parts(tmp_path) == []
    expired("maintenance health")
