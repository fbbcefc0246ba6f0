"""`platform partitions` as a person or a timer runs it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.database import Database
    from tests.support.programs import Run

OLD = (datetime.now(UTC) - timedelta(days=60)).date().isoformat()
LATER = (datetime.now(UTC) + timedelta(days=60)).date().isoformat()


class Partitions:
    """``call("plan", …)``: the command as the migrator, with its exit code checked."""

    def __init__(self, run: Run, database: Database) -> None:
        self._run = run
        self._database = database

    def __call__(self, *words: str, code: int = 0, login: str = "migrator") -> Any:
        """Return stdout and stderr of a command that ends with *code*."""
        env = self._database.environment(login)
        done = self._run("platform", "partitions", *words, env=env)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def json(self, *words: str, code: int = 0) -> Any:
        """Return what the command says with --json."""
        return json.loads(self(*words, "--json", code=code).stdout)


@pytest.fixture
def call(run: Run, database: Database) -> Partitions:
    """Give the caller of the commands."""
    return Partitions(run, database)


def test_the_way_of_a_partition(call: Partitions) -> None:
    """Planned, made, listed as expired, dropped; then there is nothing to do."""
    planned = call.json("plan", "--at", OLD, "--table", "public.request_logs")
    made = call.json("apply", "--at", OLD, "--table", "public.request_logs")
    expired = call.json("prune", "--dry-run")
    dropped = call.json("prune")

    names = [step["partition"] for step in planned]
    assert len(names) == 8
    for steps in (made, expired, dropped):
        assert names == [step["partition"] for step in steps]
    assert "nothing to do" in call("prune").stderr


def test_a_dry_run_of_apply_is_the_plan(call: Partitions) -> None:
    """Nothing is made, and the words are the same."""
    planned = call("plan", "--at", LATER).stdout

    assert planned == call("apply", "--dry-run", "--now", LATER).stdout
    assert planned == call("plan", "--at", LATER).stdout


def test_status_speaks_to_people_and_programs(call: Partitions) -> None:
    """A table of tables, or JSON with every figure."""
    call("apply")

    assert "public.request_logs" in call("status").stdout
    found = {one["parent"]: one for one in call.json("status")}
    assert found["public.request_logs"]["problems"] == []
    assert found["logs.audit_log"]["granularity"] == "month"


def test_status_is_a_health_check(call: Partitions) -> None:
    """Seen from a later day the horizon is short: exit code 1."""
    found = call.json("status", "--at", LATER, code=1)

    assert any(one["problems"] for one in found)


def test_status_names_what_is_switched_off(call: Partitions) -> None:
    """A table that nobody looks after any more is not simply absent."""
    call("policy", "logs.audit_log", "--disable")

    assert "logs.audit_log: its policy is switched off" in call("status").stderr


def test_the_application_may_ask_for_status(call: Partitions) -> None:
    """No right of the owner is needed to look; changing is refused with advice."""
    call("apply")

    assert "logs.audit_log" in call("status", login="app").stdout
    refused = call("apply", login="app", code=4).stderr
    assert "may not act as platform_owner" in refused
    assert "next:" in refused


def test_a_delay_leaves_with_one(call: Partitions, database: Database) -> None:
    """An open SELECT delays the removal; a timer sees it in the exit code."""
    call("apply", "--at", OLD, "--table", "request_logs")
    reader = database.connect(autocommit=False)
    reader.execute("SELECT count(*) FROM request_logs")

    done = call("prune", "--wait", "0.2", code=1)
    assert "delayed" in done.stdout
    assert "need attention" in done.stderr
    call("status", code=1)

    reader.rollback()
    call("prune")
    call("status")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("plan", "--at", "2026-02-30"), "2026-02-30"),
        (("apply", "--now", "gestern"), "gestern"),
        (("plan", "--at", "9999-12-31"), "9999-12-31"),
        (("prune", "--at", LATER), "in the future"),
        (("status", "--table", '"; DROP TABLE users; --'), "DROP TABLE users"),
        (("prune", "--wait", "-1"), "--wait"),
        (("apply", "--wait", "nan"), "--wait"),
    ],
)
def test_a_bad_value_is_named(
    call: Partitions, words: tuple[str, ...], told: str
) -> None:
    """Exit code 2, one line with the value, and what to do next."""
    error = call(*words, code=2).stderr

    assert told in error
    assert "next:" in error


def test_a_policy_that_cannot_be_followed(call: Partitions, database: Database) -> None:
    """The other tables are served; the exit code tells of the one that is not."""
    database.connect().execute(
        """INSERT INTO monitoring.partition_policies
                  (parent_table, partition_schema, granularity)
           VALUES ('logs.nowhere', 'logs', 'day')"""
    )

    steps = call.json("apply", "--at", LATER, code=1)

    assert {"logs.nowhere"} == {s["parent"] for s in steps if s["outcome"] == "failed"}
    assert any(s["outcome"] == "done" for s in steps)


def test_an_empty_database_names_the_upgrade(run: Run, empty: Database) -> None:
    """Exit code 4 and the command that comes first."""
    done = run("platform", "partitions", "status", env=empty.environment())

    assert done.returncode == 4
    assert "next: platform db upgrade" in done.stderr


def test_no_server_is_one_line(run: Run, database: Database) -> None:
    """Exit code 3 without a traceback."""
    env = database.environment() | {"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}

    done = run("platform", "partitions", "plan", env=env)

    assert done.returncode == 3
    assert "cannot connect" in done.stderr
