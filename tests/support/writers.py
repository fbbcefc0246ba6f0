"""Both log writers through one handle, and the books they must keep."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ai_platform.runtime import AsyncLogWriter, LogWriter

from .waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator

    import psycopg

    from ai_platform.runtime import SetAside
    from tests.support.database import Database

__all__ = ["Writing", "until"]

STORED = "SELECT url, count(*) FROM public.request_logs GROUP BY 1"


class Writing:
    """A writer in use; *kind* is thread or asyncio. Set aside lands in `aside`.

    It has a minute for each batch: a slow machine is no fault of the server.
    """

    def __init__(self, kind: str, url: str, **options: Any) -> None:
        self.aside: list[SetAside] = []
        settings = {
            "fallback": self.aside.extend,
            "flush_interval_s": 0.05,
            "flush_timeout_s": 60.0,
            "drain_on_sigterm": False,
            **options,
        }
        self._loop: asyncio.AbstractEventLoop | None = None
        self.writer: LogWriter | AsyncLogWriter
        if kind == "thread":
            self.writer = LogWriter(url, **settings)
        else:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever)
            self._thread.start()
            self.writer = AsyncLogWriter(url, **settings)

    def push(self, records: Iterable[Any]) -> None:
        """Push *records* where a service would: in the loop, or in this thread."""
        self._here_or_there(lambda: [self.writer.push(one) for one in records])

    def urls(self, *urls: object) -> None:
        """Push one record for each of *urls*."""
        self.push([{"url": str(url)} for url in urls])

    def give_batches(self, flush_timeout_s: float) -> None:
        """Give each batch that begins from now on so many seconds."""
        delivery = self.writer._delivery
        options = replace(delivery._options, flush_timeout_s=flush_timeout_s)
        delivery._options = options

    def flush(self, timeout_s: float = 90.0) -> bool:
        """Flush as the kind does it."""
        return self._wait(self.writer.flush(timeout_s))

    def close(self, timeout_s: float = 10.0) -> bool:
        """Close as the kind does it."""
        return self._wait(self.writer.close(timeout_s))

    def end(self) -> None:
        """Close the writer, and end its loop."""
        if self._loop is None:
            self.close()
        elif self._loop.is_running():
            self.close()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def check_books(self, connection: psycopg.Connection[Any]) -> dict[str, int]:
        """Return how often each url is stored, after adding everything up.

        Every record ended in exactly one place, and the table agrees.
        """
        writer = self.writer
        stored: dict[str, int] = dict(connection.execute(STORED).fetchall())
        aside = sum(writer.set_aside.values())
        assert writer.pending == 0
        assert writer.pushed == writer.written + aside + sum(writer.dropped.values())
        assert sum(stored.values()) == writer.written
        assert set(stored.values()) <= {1}
        if "fallback_failed" not in writer.dropped:
            assert len(self.aside) == aside
        return stored

    def reasons(self) -> dict[str, list[str]]:
        """Return the urls that were set aside, by reason."""
        found: dict[str, list[str]] = {}
        for one in self.aside:
            record: Any = one.record
            found.setdefault(one.reason, []).append(record["url"])
        return found

    def _here_or_there(self, work: Callable[[], object]) -> None:
        async def there() -> None:
            work()

        if self._loop is None:
            work()
        else:
            asyncio.run_coroutine_threadsafe(there(), self._loop).result()

    def _wait(self, result: bool | Coroutine[Any, Any, bool]) -> bool:  # noqa: FBT001
        if isinstance(result, bool):
            return result
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(result, self._loop).result()


@pytest.fixture(params=["thread", "asyncio"])
def kind(request: pytest.FixtureRequest) -> str:
    """Give the kind of writer: each test with it runs for both."""
    return str(request.param)


@pytest.fixture
def open_writer(kind: str) -> Iterator[Callable[..., Writing]]:
    """Give ``open_writer(url, …)``; what it opened is closed in the end."""
    opened: list[Writing] = []

    def make(url: str, **options: Any) -> Writing:
        opened.append(Writing(kind, url, **options))
        return opened[-1]

    yield make
    for writing in opened:
        writing.end()


@pytest.fixture
def writing(database: Database, open_writer: Callable[..., Writing]) -> Writing:
    """Give a writer of the test's database, as a login of log_writer."""
    return open_writer(database.login("log_writer").url)
