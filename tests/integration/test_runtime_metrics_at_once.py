"""One collector that several threads want something of in one moment."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ai_platform.runtime._interval import Row
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.support.collectors import Service


def test_flushes_at_once_write_each_row_once(service: Service) -> None:
    """An interval that ends, and threads that flush: one of them writes at a time."""
    collector = service(interval=0.02)
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(lambda _: collector.flush(), range(40)))
    assert collector.close()

    written = [extra for _, _, extra in service.rows()]
    assert collector.written == len(written)
    assert sum(extra["samples"] for extra in written) == collector.samples
    assert (collector.connects, collector.dropped) == (1, {})


def test_a_row_on_its_way_is_not_pushed_out(service: Service) -> None:
    """A full buffer gives up what waits, not what may be in the database already."""
    blocker = service.database.connect(autocommit=False)
    now = datetime.now(UTC).replace(tzinfo=None)
    collector = service(buffer_rows=1)
    until(lambda: collector.is_registered)
    blocker.execute("LOCK TABLE monitoring.metrics IN ACCESS EXCLUSIVE MODE")
    with ThreadPoolExecutor(1) as thread:
        flushed = thread.submit(collector.flush)
        until(lambda: collector._store._on_the_way)
        for number in (1, 2):
            collector._store.keep(Row(now, number, 1, 1, 1, "{}"))
        blocker.rollback()

        assert flushed.result()
    assert collector.dropped == {"buffer_full": 1}
    assert collector.written == len(service.rows()) == 2


def test_flush_during_close_returns_false(service: Service) -> None:
    """Who closes does not have another thread's flush raise, or wait any longer."""
    blocker = service.database.connect(autocommit=False)
    collector = service()
    until(lambda: collector.is_registered)
    blocker.execute("LOCK TABLE monitoring.metrics IN ACCESS EXCLUSIVE MODE")
    with ThreadPoolExecutor(1) as thread:
        flushed = thread.submit(collector.flush, 60)
        until(lambda: collector._store._on_the_way)
        assert collector.close(0.1)

        assert flushed.result() is False


def test_a_flush_that_gives_up_ends_no_other(service: Service) -> None:
    """The write that it waited for goes on; a close meanwhile signs off as ever."""
    blocker = service.database.connect(autocommit=False)
    collector = service(interval=0.2)
    until(lambda: collector.is_registered)
    blocker.execute("LOCK TABLE monitoring.metrics IN ACCESS EXCLUSIVE MODE")
    until(lambda: collector._store._on_the_way)
    with ThreadPoolExecutor(2) as threads:
        flushed = threads.submit(collector.flush, 0.5)
        tasks = partial(asyncio.all_tasks, collector._loop)
        until(lambda: len(tasks()) > 2 or flushed.done())
        closed = threads.submit(collector.close, 60)
        assert flushed.result() is False
        blocker.rollback()

        assert closed.result()
    assert (service.node() or ())[1] == "down"
    assert collector.written == len(service.rows())
