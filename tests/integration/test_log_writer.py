"""Both log writers, while all is well and with records that are not."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from ai_platform.runtime import RequestRecord, SetAside
from ai_platform.runtime._set_aside import print_json_lines
from tests.support.waiting import until
from tests.unit.test_runtime_counts import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.database import Database
    from tests.support.writers import Writing


def log_writer(database: Database) -> str:
    """Return the URL of a login that may write logs and nothing else."""
    return database.login("log_writer").url


def test_rows_are_what_was_pushed(database: Database, writing: Writing) -> None:
    """The server reads back every field as it was given."""
    now = datetime.now(UTC)
    record = RequestRecord(
        id=UUID(int=7),
        created=now.astimezone(timezone(timedelta(hours=-9))),
        url="/ü?q=1",
        method="GET",
        status=404,
        auth="key-1",
        remote_ip="::1",
        user_agent="agent",
        meta={"n": [1, -2.5, None, True], "t": "\u2028\\"},
        referer="",
        organization_id=-5,
        duration_ms=2**31 - 1,
        trace_id=UUID(int=9),
    )
    writing.push([record, {}])
    assert writing.flush()

    found = (
        database.connect().execute("TABLE request_logs ORDER BY url NULLS LAST")
    ).fetchall()
    assert found[0] == (
        *(UUID(int=7), now.replace(tzinfo=None), "/ü?q=1", "GET", 404, "key-1", "::1"),
        *("agent", record.meta, "", -5, 2**31 - 1, UUID(int=9)),
    )
    assert found[1][0].version == 7
    assert abs(found[1][1] - now.replace(tzinfo=None)) < timedelta(minutes=1)
    assert set(found[1][2:]) == {None}


def test_a_full_batch_does_not_wait(
    database: Database, open_writer: Callable[..., Writing]
) -> None:
    """By size: the second batch goes at once, long before it is old."""
    writing = open_writer(log_writer(database), batch_size=10, flush_interval_s=60)
    writing.urls(*range(20))

    until(lambda: writing.writer.written == 20)
    writing.urls(*range(20, 29))
    time.sleep(0.1)
    assert (writing.writer.pending, writing.writer.written) == (9, 20)
    writing.urls(29)
    until(lambda: writing.writer.written == 30)


def test_a_small_batch_waits_its_time(
    database: Database, open_writer: Callable[..., Writing]
) -> None:
    """By age: what does not fill a batch is written when the interval is over."""
    writing = open_writer(log_writer(database), flush_interval_s=0.2)
    begun = time.monotonic()
    writing.urls(1)

    until(lambda: writing.writer.written == 1)

    assert time.monotonic() - begun > 0.2


def test_flush_is_exact(writing: Writing, database: Database) -> None:
    """When it returns, what was pushed before is in the table."""
    connection = database.connect()
    assert writing.flush(0.0)
    for number in range(30):
        writing.urls(number)
        assert writing.flush()
        assert len(writing.check_books(connection)) == number + 1


def test_closing_ends_everything(writing: Writing, database: Database) -> None:
    """Closing writes what is left, may be repeated, and later pushes are counted."""
    writing.urls(*range(5))

    assert writing.close()
    writing.urls("late")
    assert writing.close()
    assert writing.flush()
    assert writing.writer.dropped == {"closed": 1}
    assert not writing.writer.is_connected
    assert len(writing.check_books(database.connect())) == 5


def test_one_bad_row_spoils_no_batch(writing: Writing, database: Database) -> None:
    """The server's refusal is followed to the row; all others are stored."""
    bad = [17, 18, 60]
    records = [{"url": str(n), "auth": "a"} for n in range(100)]
    for number in bad:
        records[number]["auth"] = "".join(chr(0x4E00 + i * 7) for i in range(4000))
    writing.push(records)
    writing.flush()

    assert writing.reasons() == {"bad_row": [str(n) for n in bad]}
    assert all(one.error.startswith("54000: ") for one in writing.aside)
    assert len(writing.check_books(database.connect())) == 97


def test_one_huge_record_holds_up_no_other(
    writing: Writing, database: Database
) -> None:
    """A megabyte and numbers of a thousand digits are stored, 20 MB are not."""
    records: list[dict[str, Any]] = [{"url": str(n)} for n in range(20)]
    records[7]["meta"] = {"n": [1e308, 10**4000], "text": "x" * 1_000_000}
    records[9]["meta"] = {"text": "x" * 20_000_000}
    writing.push(records)
    writing.flush()

    assert writing.reasons() == {"bad_row": ["9"]}
    assert len(writing.check_books(database.connect())) == 19


def test_rules_of_an_operator_are_respected(
    writing: Writing, database: Database
) -> None:
    """A CHECK and a trigger of somebody else's set aside what they refuse, no more."""
    admin = database.connect()
    admin.execute("ALTER TABLE request_logs ADD CHECK (status < 600)")
    admin.execute(
        """CREATE FUNCTION no_teapots() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN RAISE 'no teapots'; END $$;
           CREATE TRIGGER no_teapots BEFORE INSERT ON request_logs FOR EACH ROW
           WHEN (NEW.status = 418) EXECUTE FUNCTION no_teapots()"""
    )
    writing.push({"url": str(n), "status": 400 + n} for n in range(300))
    writing.flush()

    errors = {one.record["url"]: one.error for one in writing.aside}  # type: ignore[index]
    assert set(errors) == {"18", *map(str, range(200, 300))}
    assert errors["18"] == "P0001: no teapots"
    assert errors["200"].startswith("23514: ")
    assert len(writing.check_books(admin)) == 199


class Rude:
    """An object of which nothing can be had."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_no_object_makes_push_fail(writing: Writing, database: Database) -> None:
    """Whatever is pushed is counted as a bad row, beside the good ones."""
    odd = [None, 1, "x", b"x", [], object(), Rude(), {"url": Rude()}, {"meta": {0}}]
    writing.push([{"url": "a"}, *odd, {"url": "b"}])

    assert writing.flush()
    assert writing.writer.set_aside == {"bad_row": len(odd)}
    assert set(writing.check_books(database.connect())) == {"a", "b"}


def test_a_full_buffer_drops_and_counts(
    database: Database, open_writer: Callable[..., Writing]
) -> None:
    """A burst beyond the buffer is lost in the count of logs_dropped_total."""
    blocker = database.connect(autocommit=False)
    blocker.execute("LOCK TABLE request_logs IN SHARE MODE")
    writing = open_writer(log_writer(database), buffer_size=50, batch_size=10)
    writing.urls(*range(500))
    writing.urls(*range(500, 1000))
    blocker.rollback()
    writing.flush()

    lost = writing.writer.dropped["buffer_full"]
    assert 900 <= lost <= 950
    assert len(writing.check_books(database.connect())) == 1000 - lost


def test_a_fallback_that_fails_is_counted(
    database: Database, open_writer: Callable[..., Writing]
) -> None:
    """Its batch is dropped as fallback_failed; the writer goes on."""

    def fail(records: list[SetAside]) -> None:
        raise OSError(f"no room for {len(records)}")

    writing = open_writer(log_writer(database), fallback=fail)
    writing.push([{"url": "a\0"}, {"url": "b"}])
    writing.flush()
    writing.urls("c")
    writing.flush()

    assert writing.writer.dropped == {"fallback_failed": 1}
    assert set(writing.check_books(database.connect())) == {"b", "c"}


@pytest.mark.slow
def test_a_fallback_that_hangs_keeps_nobody(
    database: Database, open_writer: Callable[..., Writing]
) -> None:
    """close() returns False within its time and a second."""
    hangs, ends = threading.Event(), threading.Event()
    writing = open_writer(
        log_writer(database),
        fallback=lambda _: (hangs.set(), ends.wait(60)),
        flush_interval_s=0.01,
    )
    writing.push([{"url": "a\0"}])
    assert hangs.wait(60)
    begun = time.monotonic()

    try:
        assert not writing.close(0.1)
        assert time.monotonic() - begun < 5
    finally:
        ends.set()


CIRCLE: dict[str, Any] = {}
CIRCLE["again"] = CIRCLE


ODD = {
    "nan": {"meta": {"n": float("nan"), "i": [float("-inf")]}},
    "circle": {"meta": CIRCLE},
    "bytes": {"meta": {b"k": b"\xff", (1, 2): {3}}},
    "surrogate": {"url": "\ud800", "meta": {"\udfff": "\0"}},
    "digits": {"meta": {"n": 10**5000}},
    "objects": {"meta": {"x": object()}, 7: Rude()},
    "lock": RequestRecord(url="\0", meta={"lock": threading.Lock()}),  # type: ignore[dict-item]
    "rude": Rude(),
    "none": None,
}


@pytest.mark.parametrize("name", ODD)
def test_json_lines_are_always_json(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What reads standard output finds one valid object a line, whatever was pushed."""

    def refuse(word: str) -> None:
        raise AssertionError(f"not JSON: {word}")

    print_json_lines([SetAside(ODD[name], "bad_row", "it's\nbad \udfff", 7)] * 2)

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    for line in lines:
        told = json.loads(line, parse_constant=refuse)
        assert (told["reason"], told["pushed_ns"]) == ("bad_row", 7)


def test_the_default_fallback_is_standard_output(
    database: Database,
    open_writer: Callable[..., Writing],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a fallback a record that cannot be written is a line of JSON."""
    writing = open_writer(log_writer(database), fallback=None)
    writing.push([{"url": "/\0", "status": 200}])
    writing.flush()

    line = json.loads(capsys.readouterr().out)
    assert line["record"] == {"url": "/\0", "status": 200}
    assert line["error"] == "text with a NUL byte"


def test_eight_threads_may_push(writing: Writing, database: Database) -> None:
    """From any thread, into either kind: each record arrives once."""

    def work(first: int) -> None:
        for number in range(first, first + 1000):
            writing.writer.push({"url": str(number)})

    threads = [threading.Thread(target=work, args=(n * 1000,)) for n in range(8)]
    writing.urls("first")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writing.flush()

    lost = sum(writing.writer.dropped.values())
    assert writing.writer.pushed == 8001
    assert len(writing.check_books(database.connect())) == 8001 - lost


def test_two_writers_share_a_table(
    database: Database, open_writer: Callable[..., Writing]
) -> None:
    """Each keeps its own books; together they are the table."""
    url = log_writer(database)
    first, second = open_writer(url), open_writer(url)
    for number in range(0, 200, 2):
        first.urls(number)
        second.urls(number + 1)
    assert first.flush()
    assert second.flush()

    assert (first.writer.written, second.writer.written) == (100, 100)
    rows = database.connect().execute("SELECT DISTINCT url FROM request_logs")
    assert len(rows.fetchall()) == 200


def test_the_scrape_adds_up(writing: Writing) -> None:
    """Prometheus sees the numbers that the attributes tell."""
    writing.push([{"url": "a"}, {"url": "b\0"}, {"url": "c"}])
    writing.flush()

    numbers = parsed(writing.writer.prometheus())
    assert numbers["logs_pushed_total", None] == 3
    assert numbers["logs_written_total", None] == 2
    assert numbers["logs_set_aside_total", "bad_row"] == 1
    assert numbers["logs_pending", None] == 0
    assert numbers["logs_connected", None] == 1
    assert numbers["logs_connects_total", None] == 1


def test_odd_days_are_set_aside(writing: Writing, database: Database) -> None:
    """1970 and 2100 are outside of the window; the good rows between are stored."""
    odd = [datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)]
    records: list[dict[str, Any]] = [{"url": str(n)} for n in range(90)]
    for number in range(0, 90, 9):
        records[number]["created"] = odd[number % 2]
    writing.push(records)
    writing.flush()

    assert writing.writer.set_aside == {"outside_window": 10}
    assert len(writing.check_books(database.connect())) == 80


def test_a_clock_that_jumps_back_loses_nothing(
    writing: Writing, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day back is within the window; the partition is made."""
    hours = 3600 * 10**9
    now = time.time_ns()
    for back in (0, 1, 12, 20, 0):
        monkeypatch.setattr(
            "ai_platform.runtime._writer.time_ns", lambda back=back: now - back * hours
        )
        writing.urls(f"-{back}-{time.monotonic()}")
        assert writing.flush()

    assert len(writing.check_books(database.connect())) == 5


def test_midnight_without_maintenance(
    database: Database, open_writer: Callable[..., Writing]
) -> None:
    """With no partition at all, eight writers at once make today's and write."""
    admin = database.connect()
    drop = """SELECT format('DROP TABLE %s', inhrelid::regclass) FROM pg_inherits
               WHERE inhparent = 'request_logs'::regclass"""
    for (statement,) in admin.execute(drop).fetchall():
        admin.execute(statement)
    url = log_writer(database)
    writers = [open_writer(url, flush_interval_s=0.02) for _ in range(8)]
    for number, writing in enumerate(writers):
        writing.urls(*range(number * 10, number * 10 + 10))

    assert [writing.flush() for writing in writers] == [True] * 8
    assert [writing.writer.written for writing in writers] == [10] * 8
    assert sum(writing.writer._delivery.counts.partitions_made for writing in writers)
    rows = admin.execute("SELECT DISTINCT url FROM request_logs").fetchall()
    assert len(rows) == 80
