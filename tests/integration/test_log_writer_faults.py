"""Both log writers when the connection, the table or the server fails them."""

from __future__ import annotations

import gc
import random
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.proxy import Proxy
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.database import Database
    from tests.support.writers import Writing

COPY_DONE = b"c\0\0\0\x04"
SESSIONS = """SELECT count(*) FROM pg_stat_activity
               WHERE application_name LIKE 'log_writer%%' AND datname = %s"""


@pytest.fixture
def proxy(database: Database) -> Iterator[Proxy]:
    """Give a wire to the test's database, for a login of log_writer."""
    with Proxy(database.login("log_writer")) as wire:
        yield wire


@pytest.fixture
def sessions(database: Database) -> Callable[[], int]:
    """Give a counter of the sessions that log writers have open."""
    watch = database.connect()

    def count() -> int:
        row = watch.execute(SESSIONS, [database.name]).fetchone()
        assert row is not None
        return int(row[0])

    return count


def once(happen: Callable[[], object]) -> Callable[[bytes], None]:
    """Return what calls *happen* at the first end of a COPY that passes by."""
    waiting = [happen]

    def seen(data: bytes) -> None:
        if data.endswith(COPY_DONE) and waiting:
            waiting.pop()()

    return seen


def cut() -> None:
    """End a connection of the proxy from within."""
    raise ConnectionError


def test_an_answer_that_got_lost_is_asked_for(
    database: Database, proxy: Proxy, open_writer: Callable[..., Writing]
) -> None:
    """The commit happened and the client does not know: the rows are there once."""
    lost: list[bytes] = []
    ended: list[bool] = []

    def steal(data: bytes) -> None:
        if ended and not lost:
            lost.append(data)
            cut()

    proxy.on_client = once(lambda: ended.append(True))
    proxy.on_server = steal
    writing = open_writer(proxy.url)
    writing.urls(*range(100))
    assert writing.flush()

    assert b"COPY 100" in lost[0]
    assert writing.writer._delivery.link.connects == 2
    assert (writing.writer.written, writing.aside) == (100, [])
    assert len(writing.check_books(database.connect())) == 100


def test_an_end_that_never_came_is_repeated(
    database: Database, proxy: Proxy, open_writer: Callable[..., Writing]
) -> None:
    """The commit did not happen and the client does not know: it is done again."""
    proxy.on_client = once(cut)
    writing = open_writer(proxy.url)
    writing.urls(*range(100))
    assert writing.flush()

    assert writing.writer._delivery.link.connects == 2
    assert len(writing.check_books(database.connect())) == 100


def test_a_late_answer_is_asked_for(
    database: Database, proxy: Proxy, open_writer: Callable[..., Writing]
) -> None:
    """A commit whose answer hangs beyond the timeout counts as written."""
    hung, ends = threading.Event(), threading.Event()

    def hang(data: bytes) -> None:
        if b"COPY 10\0" in data and not hung.is_set():
            hung.set()
            ends.wait(60)

    proxy.on_server = hang
    writing = open_writer(proxy.url, flush_timeout_s=0.3)
    batches = 0
    while not hung.is_set():  # a batch of a slow machine may not come that far
        writing.urls(*range(batches, batches + 10))
        batches += 10
        assert writing.flush(30)

    ends.set()
    assert len(writing.check_books(database.connect())) >= 10


@pytest.mark.slow
def test_rows_in_doubt_do_not_spin(
    proxy: Proxy, open_writer: Callable[..., Writing]
) -> None:
    """With an answer lost, the wire dead and the buffer filling the processor rests."""

    def lose_all(_: bytes) -> None:
        proxy.hold()
        proxy.cut()

    proxy.on_client = once(lambda: setattr(proxy, "on_server", lose_all))
    writing = open_writer(proxy.url, buffer_size=100, batch_size=100)
    writing.urls(*range(10))
    time.sleep(0.5)
    writing.urls(*range(10, 70))
    time.sleep(1.0)
    begun = time.process_time()
    time.sleep(0.5)

    spent = time.process_time() - begun
    proxy.on_server = bytes
    proxy.resume()
    assert spent < 0.25


def test_a_transaction_left_open_is_ended(
    database: Database,
    proxy: Proxy,
    open_writer: Callable[..., Writing],
    sessions: Callable[[], int],
) -> None:
    """What hangs before its end is ended by the next connection, and never stored."""
    held, ends = threading.Event(), threading.Event()
    writing = open_writer(proxy.url)
    writing.urls("before")
    assert writing.flush()
    proxy.on_client = once(lambda: (held.set(), ends.wait(60)))
    writing.give_batches(0.3)
    batches = 0
    while not held.is_set():  # a batch of a slow machine may not come that far
        writing.urls(*range(batches, batches + 10))
        batches += 10
        assert writing.flush(30)

    until(lambda: sessions() == 1)
    ends.set()
    writing.give_batches(60)
    writing.urls("next")
    assert writing.flush()
    stored = set(writing.check_books(database.connect()))
    assert stored >= {"before", "next"}
    assert stored.isdisjoint(writing.reasons()["timeout"])


@pytest.mark.slow
def test_a_lock_held_too_long_leaves_no_session(
    database: Database,
    open_writer: Callable[..., Writing],
    sessions: Callable[[], int],
) -> None:
    """Batches behind a lock are set aside, their backends ended, nothing comes late."""
    blocker = database.connect(autocommit=False)
    blocker.execute("LOCK TABLE request_logs IN ACCESS EXCLUSIVE MODE")
    url = database.login("log_writer").url
    writing = open_writer(url, flush_timeout_s=0.2)
    while writing.writer.set_aside.get("timeout", 0) < 4:
        writing.urls("behind")
        assert writing.flush()
    until(lambda: sessions() <= 2)
    blocker.rollback()
    writing.give_batches(60)
    writing.urls("free")
    assert writing.flush()

    assert set(writing.check_books(database.connect())) == {"free"}
    until(lambda: sessions() == 1)


def test_a_wire_that_hangs_is_noticed(
    database: Database, proxy: Proxy, open_writer: Callable[..., Writing]
) -> None:
    """Idle or in the middle: within the timeout, and counted exactly."""
    writing = open_writer(proxy.url)
    writing.urls("before")
    assert writing.flush()
    proxy.hold()
    writing.give_batches(0.3)
    writing.urls("held")
    assert writing.flush(30)
    proxy.resume()
    writing.give_batches(60)
    writing.urls("after")
    assert writing.flush()

    assert set(writing.check_books(database.connect())) == {"before", "after"}
    assert writing.reasons() == {"timeout": ["held"]}


def test_sessions_may_be_ended_at_any_moment(
    database: Database, proxy: Proxy, open_writer: Callable[..., Writing]
) -> None:
    """No row twice, none missing, whenever the backend or the wire is cut."""
    end = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE application_name LIKE 'log_writer%%' AND datname = %s"""
    admin, chance = database.connect(), random.Random(1)  # noqa: S311 - no secret
    writing = open_writer(proxy.url, batch_size=20, flush_interval_s=0.01)
    for number in range(60):
        writing.urls(*range(number * 50, number * 50 + 50))
        time.sleep(chance.uniform(0, 0.01))
        if number % 3:
            admin.execute(end, [database.name])
        else:
            proxy.cut()
    assert writing.flush()

    assert writing.aside == []
    assert len(writing.check_books(admin)) == 3000


def test_reconnects_leave_nothing_behind(
    proxy: Proxy, open_writer: Callable[..., Writing]
) -> None:
    """Fifty lost connections later there are as many files and threads as before."""

    def count() -> tuple[int, int]:
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    def is_as_before() -> bool:
        # other tests' connections may still come to their end meanwhile
        return all(now <= then for now, then in zip(count(), before, strict=True))

    writing = open_writer(proxy.url)
    writing.urls("x")
    assert writing.flush()
    before = count()
    for _ in range(50):
        proxy.cut()
        writing.urls("x")
        assert writing.flush()

    assert writing.writer.written == 51
    until(is_as_before)


def test_no_server_at_all_is_no_hurry(open_writer: Callable[..., Writing]) -> None:
    """Refused from the start: the fallback gets all, in its time, with the reason."""
    writing = open_writer("host=127.0.0.1 port=1 user=u dbname=d", flush_timeout_s=0.2)
    while "refused" not in writing.writer.last_error:
        writing.urls("first")
        assert writing.flush()
    writing.urls(*range(10))
    assert writing.flush()

    assert writing.writer.set_aside == {"disconnected": writing.writer.pushed}
    assert "refused" in writing.aside[-1].error
    assert not writing.writer.is_connected


@pytest.mark.slow
def test_a_long_outage_does_not_fill_the_buffer(
    open_writer: Callable[..., Writing],
) -> None:
    """After a second the fallback gets batches early, so that nothing is dropped."""
    writing = open_writer(
        "host=127.0.0.1 port=1 user=u dbname=d",
        buffer_size=100,
        batch_size=20,
        flush_timeout_s=3600,
    )
    for number in range(400):
        until(lambda: writing.writer.pending < 95)
        writing.urls(number)
    writing.close(0.2)

    assert writing.writer.dropped == {}
    assert len(writing.aside) == 400


def test_closing_respects_its_time(
    proxy: Proxy, open_writer: Callable[..., Writing]
) -> None:
    """close() in the middle of connecting to what does not answer ends in time."""
    proxy.hold()
    writing = open_writer(proxy.url)
    writing.urls(*range(5))
    until(lambda: proxy.accepted)
    begun = time.monotonic()

    writing.close(0.3)

    assert time.monotonic() - begun < 5
    assert writing.writer.pending == 0
    assert len(writing.aside) == 5


@pytest.mark.parametrize(
    ("harm", "remedy", "state"),
    [
        (
            "REVOKE INSERT ON request_logs FROM platform_log_writer",
            "GRANT INSERT ON request_logs TO platform_log_writer",
            "42501",
        ),
        (
            "ALTER TABLE request_logs RENAME TO gone",
            "ALTER TABLE gone RENAME TO request_logs",
            "42P01",
        ),
        (
            "ALTER TABLE request_logs RENAME auth TO caller",
            "ALTER TABLE request_logs RENAME caller TO auth",
            "42703",
        ),
        ("DROP TABLE request_logs CASCADE", "", "42P01"),
    ],
)
def test_what_the_server_refuses_is_set_aside(
    database: Database, writing: Writing, harm: str, remedy: str, state: str
) -> None:
    """At once and with the reason; when the harm is undone, rows are stored again."""
    admin = database.connect()
    writing.urls("before")
    assert writing.flush()
    admin.execute(harm.encode())
    writing.urls("1", "2")
    assert writing.flush()

    assert writing.reasons() == {"refused": ["1", "2"]}
    assert writing.aside[0].error.startswith(state)
    if remedy:
        admin.execute(remedy.encode())
        writing.urls("after")
        assert writing.flush()
        assert set(writing.check_books(admin)) == {"before", "after"}


def test_a_server_that_only_reads_is_left(
    database: Database, open_writer: Callable[..., Writing]
) -> None:
    """25006, as a standby says it: look for the primary again, which may be back."""
    admin = database.connect()
    setting = f'ALTER DATABASE "{database.name}" SET default_transaction_read_only TO '
    admin.execute((setting + "on").encode())
    writing = open_writer(database.login("log_writer").url)
    writing.urls("patient")
    until(lambda: writing.writer._delivery.link.connects > 1)
    assert writing.writer.pending == 1
    admin.execute((setting + "off").encode())

    assert writing.flush()
    assert set(writing.check_books(database.connect())) == {"patient"}


def test_a_million_pushes_are_bounded(
    database: Database, open_writer: Callable[..., Writing], kind: str
) -> None:
    """What does not fit is dropped and counted; memory holds the buffer, no more."""
    if kind == "asyncio":
        pytest.skip("a burst that holds the loop is dropped by any buffer")
    writing = open_writer(database.login("log_writer").url, buffer_size=1000)
    push, most = writing.writer.push, 0
    for number in range(1_000_000):
        push({"url": "x"})
        if not number % 1000:
            most = max(most, writing.writer.pending)
    assert writing.flush()

    numbers = writing.writer
    assert most <= 3000
    assert numbers.pushed == 1_000_000
    assert numbers.written + numbers.dropped["buffer_full"] == 1_000_000
