"""Removal beside readers, writers, crashes and another removal."""

from __future__ import annotations

import signal
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from psycopg import sql

from ai_platform.errors import CannotConnect
from ai_platform.maintenance import partitions
from tests.support.programs import CHECKOUT, SCRIPTS
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from ai_platform.maintenance.partitions import Step
    from tests.support.database import Database

LOGS = "public.request_logs"
OLD = datetime.now(UTC) - timedelta(days=60)


@pytest.fixture
def keeper(database: Database) -> psycopg.Connection[Any]:
    """Give the migrator's connection to a database with eight expired log days."""
    conn = database.connect("migrator")
    partitions.apply(conn, now=OLD, table=LOGS)
    return conn


@pytest.fixture
def watch(database: Database) -> psycopg.Connection[Any]:
    """Give a superuser's connection to look with."""
    return database.connect()


@pytest.fixture
def reader(database: Database, keeper: Any) -> psycopg.Connection[Any]:
    """Give a session with a long SELECT on the parent in an open transaction."""
    return long_select(database)


def long_select(database: Database) -> psycopg.Connection[Any]:
    """Return a session with a SELECT on the parent in an open transaction."""
    conn = database.connect(autocommit=False)
    conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    conn.execute("SELECT count(*) FROM request_logs")
    return conn


@contextmanager
def pruning(conn: psycopg.Connection[Any], wait_s: float) -> Iterator[Future[Any]]:
    """Prune in another thread; wait for it at the end."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(partitions.prune, conn, table=LOGS, wait_s=wait_s)


def pending(watch: psycopg.Connection[Any]) -> list[str]:
    """Return the partitions that are half detached."""
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhdetachpending"
    return [row[0] for row in watch.execute(query)]


def waiting(watch: psycopg.Connection[Any]) -> set[int]:
    """Return the server processes of this database that wait for a lock."""
    query = """SELECT pid FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    return {row[0] for row in watch.execute(query)}


def others(watch: psycopg.Connection[Any]) -> list[int]:
    """Return the server processes of this database that are of no test."""
    query = """SELECT pid FROM pg_stat_activity
                WHERE datname = current_database() AND application_name <> 'tests'
                  AND backend_type = 'client backend'"""
    return [row[0] for row in watch.execute(query)]


def log(writer: psycopg.Connection[Any]) -> None:
    """Write one row as services do: COPY by a member of the log writer."""
    with writer.cursor().copy("COPY request_logs (id, url) FROM STDIN") as copy:
        copy.write_row((uuid4(), "/"))


def outcomes(steps: list[Step]) -> list[str]:
    """Return what became of each step."""
    return [step.outcome for step in steps]


def test_a_long_select_delays_and_a_later_run_finishes(
    database: Database, keeper: Any, watch: Any, reader: Any
) -> None:
    """The removal gives up in time, says so, and the next run goes on."""
    steps = partitions.prune(keeper, table=LOGS, wait_s=0.5)

    assert outcomes(steps) == ["delayed"] * 8
    # whose transaction it is: the next thing that one would look up
    assert f"session {reader.info.backend_pid}" in steps[0].detail
    assert len(pending(watch)) == 1
    assert "half detached" in partitions.status(keeper, table=LOGS)[0].problems[0]

    reader.rollback()
    steps = partitions.prune(keeper, table=LOGS)

    assert ["detach", *["drop"] * 8] == [step.action for step in steps]
    assert {"done"} == set(outcomes(steps))
    assert partitions.prune(keeper) == []


def test_no_writer_waits_for_a_delayed_removal(
    database: Database, keeper: Any, watch: Any, reader: Any
) -> None:
    """While the removal waits for a SELECT, COPY and INSERT go on at once."""
    writer = database.connect("log_writer")
    writer.execute("SET lock_timeout = '100ms'")

    with pruning(keeper, 2) as pruned:
        until(lambda: keeper.info.backend_pid in waiting(watch))
        while not pruned.done():
            log(writer)
            assert waiting(watch) <= {keeper.info.backend_pid}

    assert "delayed" in outcomes(pruned.result())


@pytest.mark.slow
def test_a_writer_gets_its_partition_meanwhile(
    database: Database, keeper: Any, watch: Any
) -> None:
    """A writer that finds no partition can make it while a removal is stuck."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    name = sql.Identifier("logs", f"request_logs_{tomorrow:%Y%m%d}")
    watch.execute(sql.SQL("DROP TABLE {}").format(name))
    long_select(database)
    writer = database.connect("log_writer")
    writer.execute("SET lock_timeout = '2s'")
    ensure = "SELECT monitoring.ensure_partition_for('public.request_logs', %s)"

    with pruning(keeper, 3) as pruned:
        until(lambda: bool(pending(watch)))
        made = writer.execute(ensure, [tomorrow]).fetchone()

    assert made == (f"logs.request_logs_{tomorrow:%Y%m%d}",)
    assert "delayed" in outcomes(pruned.result())


def test_a_second_prune_leaves_the_first_alone(
    database: Database, keeper: Any, watch: Any, reader: Any
) -> None:
    """Two at once: one works, the other says that it does."""
    with pruning(keeper, 60):
        until(lambda: bool(pending(watch)))
        second = partitions.prune(database.connect("migrator"), table=LOGS)
        reader.rollback()

    assert outcomes(second) == ["busy"]
    assert partitions.prune(keeper, table=LOGS) == []


def test_a_terminated_prune_is_finished_by_the_next(
    database: Database, keeper: Any, watch: Any, reader: Any
) -> None:
    """The server session dies in the middle of DETACH CONCURRENTLY."""
    backend = keeper.info.backend_pid
    with pruning(keeper, 120) as pruned:
        until(lambda: backend in waiting(watch))
        watch.execute("SELECT pg_terminate_backend(%s)", [backend])
        with pytest.raises(CannotConnect, match="connection was lost"):
            pruned.result()
    reader.rollback()
    database.until_gone(backend)

    assert len(pending(watch)) == 1
    steps = partitions.prune(database.connect("migrator"), table=LOGS)
    assert {"done"} == set(outcomes(steps))
    assert pending(watch) == []


def test_a_crash_before_the_drop_is_finished_by_the_next(
    database: Database, keeper: Any
) -> None:
    """The session dies between DETACH and DROP: the table is found and dropped."""
    conn, backend = database.connect(), keeper.info.backend_pid
    conn.execute(
        """CREATE FUNCTION public.die() RETURNS event_trigger LANGUAGE plpgsql
           SECURITY DEFINER AS
           $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$;
           CREATE EVENT TRIGGER die ON ddl_command_start
             WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION public.die()"""
    )
    with pytest.raises(CannotConnect, match="connection was lost"):
        partitions.prune(keeper, table=LOGS)
    database.until_gone(backend)
    conn.execute("DROP EVENT TRIGGER die")

    again = database.connect("migrator")
    assert len(partitions.status(again, table=LOGS)[0].leftovers) == 1
    assert outcomes(partitions.prune(again, table=LOGS)) == ["done"] * 8
    assert partitions.status(again, table=LOGS)[0].problems == []


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_command_frees_the_way(
    database: Database, keeper: Any, reader: Any, watch: Any, stop: signal.Signals
) -> None:
    """Ctrl-C or kill -9: its server session lets go, and the next run finishes."""
    command = subprocess.Popen(
        [SCRIPTS / "platform", "partitions", "prune", "--wait", "120"],
        env=database.environment("migrator"),
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: bool(pending(watch)))
    command.send_signal(stop)
    assert command.wait(timeout=60) == {signal.SIGKILL: -9, signal.SIGINT: 130}[stop]
    until(lambda: not others(watch))
    reader.rollback()

    assert {"done"} == set(outcomes(partitions.prune(keeper, table=LOGS)))
    assert pending(watch) == []


def test_apply_names_a_half_detached_partition(
    database: Database, keeper: Any, reader: Any
) -> None:
    """Its range cannot be made again before the detach is finished."""
    partitions.prune(keeper, table=LOGS, wait_s=0.1)

    step = partitions.apply(keeper, now=OLD, table=LOGS)[0]

    assert step.outcome == "delayed"
    assert "platform partitions prune" in step.detail


def test_a_reader_of_the_partition_delays_the_drop(
    database: Database, keeper: Any
) -> None:
    """Who reads the leaf itself is waited for; the rest of the table lives on."""
    first = partitions.prune(keeper, table=LOGS, dry_run=True)[0].partition
    direct = database.connect(autocommit=False)
    direct.execute(f"SELECT FROM {first}".encode())

    steps = partitions.prune(keeper, table=LOGS, wait_s=0.3)
    assert steps[0].outcome == "delayed"
    log(database.connect("log_writer"))

    direct.rollback()
    assert {"done"} == set(outcomes(partitions.prune(keeper, table=LOGS)))
