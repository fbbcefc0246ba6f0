"""One collector that several threads want something of in one moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ai_platform.runtime import MetricsCollector
from ai_platform.runtime._interval import Row
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.database import Database


def rows(database: Database) -> list[dict[str, Any]]:
    """Return what the rows tell beside their numbers."""
    query = "SELECT extra FROM monitoring.metrics"
    return [extra for (extra,) in database.connect().execute(query)]


def test_flushes_at_once_write_each_row_once(database: Database) -> None:
    """An interval that ends, and threads that flush: one of them writes at a time."""
    url = database.login("app").url
    with (
        MetricsCollector(url, node_id="n1", interval=0.02) as collector,
        ThreadPoolExecutor(4) as threads,
    ):
        assert all(threads.map(lambda _: collector.flush(), range(40)))

    written = rows(database)
    assert collector.written == len(written)
    assert sum(extra["samples"] for extra in written) == collector.samples
    assert (collector.connects, collector.dropped) == (1, {})


def test_a_row_on_its_way_is_not_pushed_out(database: Database) -> None:
    """A full buffer gives up what waits, not what may be in the database already."""
    blocker = database.connect(autocommit=False)
    url = database.login("app").url
    now = datetime.now(UTC).replace(tzinfo=None)
    with (
        MetricsCollector(url, node_id="n1", interval=60, buffer_rows=1) as collector,
        ThreadPoolExecutor(1) as thread,
    ):
        until(lambda: collector.is_registered)
        blocker.execute("LOCK TABLE monitoring.metrics IN ACCESS EXCLUSIVE MODE")
        flushed = thread.submit(collector.flush)
        until(lambda: collector._store._on_the_way)
        for number in (1, 2):
            collector._store.keep(Row(now, number, 1, 1, 1, "{}"))
        blocker.rollback()

        assert flushed.result()
        assert collector.dropped == {"buffer_full": 1}
        assert collector.written == len(rows(database)) == 2
