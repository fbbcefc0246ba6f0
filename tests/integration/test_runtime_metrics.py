"""The collector against a server, as the logins that services have."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg_pool import AsyncConnectionPool, ConnectionPool
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from ai_platform.runtime import AsyncMetricsCollector, MetricsCollector
from ai_platform.runtime._interval import Row
from tests.support.collectors import Patient
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.collectors import Service
    from tests.support.database import Database


def test_a_row_tells_of_the_process(service: Service) -> None:
    """Memory, threads and values of the interval, under the node's name."""
    collector = service(values={"depth": lambda: 3})
    until(lambda: collector.latest and collector.latest.values)

    assert collector.flush()

    ((at, node, extra),) = service.rows()
    assert node == "n1"
    assert abs(at.replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=1)
    assert extra["values"]["depth"]["avg"] == 3
    assert extra["mem_mb"]["max"] > 1


def test_a_sample_that_fails_reaches_nobody(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a look meets is counted and logged; flush does not raise it."""
    collector = service()
    until(lambda: collector.is_registered)
    monkeypatch.setattr("ai_platform.runtime._metrics.threads", lambda: 1 / 0)

    collector.flush()

    assert collector.failures["collector"] >= 1
    assert "a sample of n1 failed" in caplog.text


def test_rows_come_by_themselves(service: Service) -> None:
    """One per interval, with the samples taken in it."""
    collector = service(interval=0.1)

    until(lambda: collector.written >= 3)
    assert collector.close()

    rows = [extra for _, _, extra in service.rows()]
    assert sum(extra["samples"] for extra in rows) == collector.samples
    assert min(extra["interval_s"] for extra in rows[:-1]) > 0.09


def test_a_node_is_up_and_then_down(service: Service) -> None:
    """The registry knows who runs what, and that it ended in order."""
    collector = service(kind="worker", version="1.2")
    until(lambda: collector.is_registered)
    assert service.node() == ("worker", "up", "1.2")

    assert collector.close()

    assert service.node() == ("worker", "down", "1.2")
    assert len(service.rows()) == 1


def test_draining_is_an_operators_word(service: Service) -> None:
    """A heartbeat does not take it back."""
    collector = service()
    until(lambda: collector.is_registered)
    service.database.connect().execute(
        "UPDATE monitoring.nodes SET status = 'draining'"
    )

    collector.flush()

    assert service.node() == ("api", "draining", None)


def test_a_log_writer_keeps_no_registry(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """It may write metrics and nothing else: that is said once."""
    collector = service("log_writer")

    assert collector.flush()
    assert collector.flush()

    assert (collector.written, collector.is_registered) == (2, False)
    assert caplog.text.count("the registry of nodes is not kept") == 1


def test_midnight_finds_no_partition(service: Service) -> None:
    """Nobody made tomorrow's, or today's: the collector does, and writes."""
    owner = service.database.connect()
    for (name,) in owner.execute(
        """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'monitoring.metrics'::regclass"""
    ).fetchall():
        owner.execute(
            sql.SQL("DROP TABLE {}").format(sql.Identifier("monitoring", name))
        )

    collector = service("log_writer")

    assert collector.flush()
    assert (collector.partitions_made, len(service.rows())) == (1, 1)


def test_rows_outside_the_window_are_dropped(service: Service) -> None:
    """A clock of 1970 makes no partition; what is right is written."""
    collector = service()
    past = Row(datetime(1970, 1, 1), 1, 1, 1, 1, "{}")  # noqa: DTZ001 - as the column
    collector._store.keep(past)

    assert collector.flush()

    assert collector.dropped == {"outside_window": 1}
    assert (collector.written, len(service.rows())) == (1, 1)


def test_a_refused_row_costs_no_other(service: Service) -> None:
    """What the server cannot take is dropped alone."""
    collector = service()
    now = datetime.now(UTC).replace(tzinfo=None)
    for extra in ("{}", '{"a": "\\u0000"}', "{}"):
        collector._store.keep(Row(now, 1, 1, 1, 1, extra))

    assert collector.flush()

    assert collector.dropped == {"refused": 1}
    assert collector.written == len(service.rows()) == 3


def test_a_lost_connection_is_made_again(service: Service) -> None:
    """A restart of the server costs no row."""
    collector = service()
    assert collector.flush()
    service.database.connect().execute(
        """SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity
            WHERE application_name = 'metrics n1' AND datname = current_database()"""
    )

    collector.flush()
    until(collector.flush)

    assert collector.connects == 2
    assert collector.written == len(service.rows())
    assert collector.dropped == {}


def test_a_server_that_is_away_costs_old_rows(database: Database) -> None:
    """The buffer has an end: the oldest rows go, and are counted."""
    with MetricsCollector(
        "postgresql://x@127.0.0.1:1/x", node_id="n1", interval=60, buffer_rows=2
    ) as collector:
        for _ in range(4):
            assert not collector.flush()
        assert (collector.pending, collector.dropped) == (2, {"buffer_full": 2})
        assert "connect" in collector.last_error

    assert collector.written == collector.pending == 0
    assert collector.dropped["closed"] == 2


def test_a_revoked_right_is_waited_for(service: Service) -> None:
    """Rows are kept while the right is gone, and written when it is back."""
    admin = service.database.connect()
    admin.execute("REVOKE INSERT ON monitoring.metrics FROM platform_app")
    collector = service()

    assert not collector.flush()
    assert "permission denied" in collector.last_error
    admin.execute("GRANT INSERT ON monitoring.metrics TO platform_app")
    assert collector.flush()

    assert (collector.written, collector.last_error) == (2, "")


def test_two_with_one_name_are_told(service: Service) -> None:
    """Both write; the older one says that the name is not its own."""
    older = service()
    until(lambda: older.is_registered)
    newer = service()
    until(lambda: newer.is_registered)

    assert older.flush()
    assert newer.flush()

    assert "another process too" in older.last_error
    assert len(service.rows()) == 2
    older.close()
    assert service.node() == ("api", "up", None)
    newer.close()
    assert service.node() == ("api", "down", None)


def test_a_clock_set_back_stops_nothing(service: Service) -> None:
    """The row is written under the time the clock has, and tells of the jump."""
    collector = service()
    until(lambda: collector.samples)
    collector._interval._wall += timedelta(minutes=5)

    assert collector.flush()

    assert service.rows()[0][2]["clock_jump_s"] == pytest.approx(-300, abs=5)


def test_a_fork_begins_anew(service: Service) -> None:
    """The child has no collector until it starts one; the parent's goes on."""
    collector = service()
    assert collector.flush()
    child = os.fork()
    if child == 0:
        quiet = not collector.flush(0.1) and collector.close(0.1)
        again = Patient(
            service.database.login("app").url, node_id="child", interval=60
        ).start()
        os._exit(0 if quiet and again.flush() and again.close() else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert collector.flush()
    assert [node for _, node, _ in service.rows()].count("child") >= 1
    assert collector.connects == 1


def test_a_psycopg_pool_is_watched(service: Service) -> None:
    """Size, use, waits, and who holds a connection for too long."""
    url = service.database.login("app").url
    with ConnectionPool(url, min_size=1, max_size=1, name="main", open=True) as pool:
        pool.wait()
        collector = service(pools=[pool], held_too_long_s=0.01)
        until(lambda: collector.samples)
        with pool.connection():
            time.sleep(0.02)
            with pytest.raises(psycopg.OperationalError):
                pool.getconn(timeout=0.01)
            assert collector.flush()
            text = collector.prometheus()
        assert collector.held() == []
        collector.close()
        assert "getconn" not in vars(pool)

    extra = service.rows()[0][2]
    assert extra["pools"]["main"]["in_use"]["max"] == 1
    assert extra["pools"]["main"]["waits"] == 1
    assert extra["held"][0]["at"].endswith("test_a_psycopg_pool_is_watched")
    assert 'pool_held_too_long{pool="main"} 1' in text


def test_an_engine_is_watched(service: Service) -> None:
    """SQLAlchemy's pool: size, use, waits and holders, by its events."""
    engine = create_engine(
        service.database.login("app").sqlalchemy_url,
        pool_size=1,
        max_overflow=0,
        pool_timeout=0.01,
    )
    collector = service(pools={"orm": engine}, held_too_long_s=0.01)
    until(lambda: collector.samples)
    with engine.connect():
        time.sleep(0.02)
        with pytest.raises(Exception, match="QueuePool limit"):
            engine.connect()
        assert collector.flush()
    engine.dispose()

    extra = service.rows()[0][2]
    assert extra["pools"]["orm"]["waits"] == 1
    assert extra["held"][0]["at"].endswith("test_an_engine_is_watched")
    assert collector.held() == []


def test_asyncio_tasks_and_lag_are_seen(service: Service) -> None:
    """Tasks of the loop, and how long it was blocked, from outside of it."""
    url = service.database.login("app").url

    async def serve() -> None:
        others = [asyncio.create_task(asyncio.sleep(60)) for _ in range(7)]
        async with AsyncMetricsCollector(url, node_id="n1", interval=0.5) as collector:
            # until() sleeps: a service that blocks its loop
            until(lambda: collector.latest and (collector.latest.lag_ms or 0) > 50)
            assert await collector.flush(60)
        for task in others:
            task.cancel()

    asyncio.run(serve())

    extra = service.rows()[0][2]
    assert extra["tasks"]["max"] >= 8
    assert (
        max(e.get("loop_lag_ms", {}).get("max", 0) for _, _, e in service.rows()) > 50
    )


def test_asynchronous_pools_name_their_holders(service: Service) -> None:
    """The task and the line of the service, through coroutine and greenlet."""
    login = service.database.login("app")

    async def serve() -> list[str]:
        engine = create_async_engine(login.sqlalchemy_url)
        async with AsyncConnectionPool(login.url, min_size=1, open=False) as pool:
            collector = AsyncMetricsCollector(
                login.url, interval=60, pools=[pool, engine], held_too_long_s=0.01
            )
            async with collector, pool.connection(), engine.connect():
                await asyncio.sleep(0.02)
                found = [held.at for held in collector.held()]
            await engine.dispose()
        return found

    found = asyncio.run(serve())

    assert len(found) == 2
    assert all("test_runtime_metrics.py" in at for at in found)


def test_an_ended_loop_ends_the_collector(service: Service) -> None:
    """Nobody closed it: it writes its last row and signs off by itself."""
    url = service.database.login("app").url

    async def serve() -> AsyncMetricsCollector:
        collector = AsyncMetricsCollector(url, node_id="n1", interval=0.5).start()
        await asyncio.sleep(0.1)
        return collector

    collector = asyncio.run(serve())

    until(lambda: service.node() == ("api", "down", None))
    assert collector.written == len(service.rows()) >= 1


def test_the_end_has_a_deadline(service: Service) -> None:
    """A lock on the table does not hold up the end of the service."""
    collector = service()
    until(lambda: collector.is_registered)
    blocker = service.database.connect(autocommit=False)
    blocker.execute("LOCK TABLE monitoring.metrics IN ACCESS EXCLUSIVE MODE")
    began = time.monotonic()

    collector.close(0.3)

    assert time.monotonic() - began < 5
    blocker.rollback()


def test_numbers_can_be_scraped(service: Service, caplog: Any) -> None:
    """Every line of the text is a comment or a name with a number."""
    caplog.set_level(logging.ERROR)
    collector = service(values={"a": lambda: 1, 'b"\n': lambda: 1 / 0})
    collector.flush()

    lines = collector.prometheus().splitlines()

    numbers = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    assert all(float(number) >= 0 for _, _, number in numbers)
    assert ("metrics_written_total", " ", "1") in numbers
    assert json.dumps('b"\n') in collector.prometheus()
