"""The request log read back: the right rows, once each, from few partitions."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from ai_platform.connection import connect
from ai_platform.reading import tail
from ai_platform.reading.filters import Filters, statuses
from ai_platform.reading.stats import Bucket, Stats, bucket_of, stats
from ai_platform.reading.tail import Follower, last
from ai_platform.reading.window import Window
from tests.support.requests_logged import copy_requests, now

if TYPE_CHECKING:
    from tests.support.database import Database

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ANY = Filters()


def _ago(back: timedelta, ahead: timedelta | None = None) -> Window:
    moment = datetime.now(UTC)
    return Window(moment - back, None if ahead is None else moment + ahead)


def _urls(rows: list[tail.LogRow]) -> list[str | None]:
    return [row.url for row in rows]


def _follower(
    database: Database, filters: Filters = ANY, late: timedelta = HOUR
) -> tuple[Follower, psycopg.Connection[Any]]:
    follower = Follower(filters, late=late)
    reader = database.connect("readonly")
    assert follower.start(reader, _ago(HOUR), count=0) == []
    return follower, reader


@pytest.mark.parametrize(
    "cursor", [psycopg.Cursor, psycopg.ClientCursor], ids=["bound", "literal"]
)
@pytest.mark.parametrize("days", [1, 2])
def test_only_the_days_asked_for_are_scanned(
    logged: Database, cursor: type[psycopg.Cursor[Any]], days: int
) -> None:
    """One partition of six, or two, backwards by the index, and nothing is sorted."""
    noon = now().replace(hour=12, minute=0, tzinfo=UTC) - DAY
    window = Window(noon - (days - 1) * DAY, noon + HOUR)
    query, values = tail._last_query(window, ANY, 50)

    reader = logged.connect("readonly", cursor_factory=cursor)
    reader.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    explained = sql.SQL("EXPLAIN (COSTS OFF) ") + query
    plan = "\n".join(line for (line,) in reader.execute(explained, values).fetchall())

    scanned = set(re.findall(r"on (request_logs_\d+)", plan))
    assert scanned == {f"request_logs_{noon - n * DAY:%Y%m%d}" for n in range(days)}
    assert plan.count("Index Scan Backward") == days
    assert "Sort" not in plan


def test_figures_read_only_the_days_asked_for(logged: Database) -> None:
    """The server's own counters: partitions outside the window are not touched."""
    noon = (now().replace(hour=12, minute=0) - DAY).replace(tzinfo=UTC)
    reader = logged.connect("readonly", autocommit=False)

    stats(reader, Window(noon, noon + HOUR), ANY, bucket=HOUR)

    touched = reader.execute(
        "SELECT relname FROM pg_stat_xact_all_tables"
        " WHERE relname LIKE 'request_logs_%' AND seq_scan + idx_scan > 0"
    ).fetchall()
    assert touched == [(f"request_logs_{noon:%Y%m%d}",)]


def test_the_newest_rows_stand_at_the_end(logged: Database) -> None:
    """Of three days the last two rows, in the order of time, across midnight."""
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    times = [midnight - 2 * DAY, midnight - timedelta(microseconds=1), midnight]
    writer = logged.connect("log_writer")
    copy_requests(writer, *({"created": at, "url": f"{at}"} for at in times))

    rows = last(logged.connect("readonly"), _ago(3 * DAY), ANY, count=2)

    assert [row.created for row in rows] == [at.replace(tzinfo=UTC) for at in times[1:]]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(status=statuses(["5xx"])), {"/b"}),
        (Filters(status=statuses([">=400,none"])), {"/a%20b", "/b", None}),
        (Filters(status=statuses(["200-299", "404"])), {"/a", "/a%20b"}),
        (Filters(status=statuses(["<300"])), {"/a"}),
        (Filters(auth="user:1"), {"/a"}),
        (Filters(auth="user:*"), {"/a", "/b"}),
        (Filters(method="post"), {"/b"}),
        (Filters(url="/a"), {"/a", "/a%20b"}),
        (Filters(url="*%20*"), {"/a%20b"}),
        (Filters(url="_*"), set()),
        (Filters(organization_id=7), {"/b"}),
        (Filters(url="/a", method="POST"), set()),
    ],
)
def test_filters_mean_what_they_say(
    logged: Database, filters: Filters, found: set[str | None]
) -> None:
    """Each alone and together; what LIKE takes for a wildcard is a character."""
    copy_requests(
        logged.connect("log_writer"),
        {"url": "/a", "status": 200, "auth": "user:1", "method": "GET"},
        {"url": "/a%20b", "status": 404, "auth": "user"},
        {
            "url": "/b",
            "status": 503,
            "auth": "user:2",
            "method": "POST",
            "organization_id": 7,
        },
        {},
    )

    rows = last(logged.connect("readonly"), _ago(HOUR), filters, count=9)

    assert set(_urls(rows)) == found


def test_a_client_in_tokyo_sees_utc(logged: Database) -> None:
    """The time zone of a session moves neither the window nor the rows."""
    at = now() - timedelta(minutes=5)
    copy_requests(logged.connect("log_writer"), {"created": at, "status": 200})
    reader = logged.connect("readonly", options="-c timezone=Asia/Tokyo")

    (row,) = last(reader, _ago(timedelta(minutes=6)), ANY, count=9)
    found = stats(reader, _ago(HOUR, DAY), ANY, bucket=HOUR)

    assert row.created == at.replace(tzinfo=UTC)
    assert tail.server_time(reader) - datetime.now(UTC) < HOUR
    assert [b.at for b in found.buckets if b.figures.requests] == [
        at.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
    ]


@pytest.mark.parametrize("style", ["German", "SQL, DMY", "Postgres"])
def test_a_style_of_dates_is_no_error(logged: Database, style: str) -> None:
    """A database may write dates as it likes: the commands read them."""
    name = sql.Identifier(logged.name)
    for setting in ("datestyle", "intervalstyle"):
        value = style if setting == "datestyle" else "iso_8601"
        alter = sql.SQL("ALTER DATABASE {} SET {} = {}").format(
            name, sql.SQL(setting), sql.Literal(value)
        )
        logged.connect().execute(alter)
    copy_requests(logged.connect("log_writer"), {"url": "/here"})

    with connect(logged.login("readonly")) as reader:
        (row,) = last(reader, _ago(HOUR), ANY, count=9)
        assert row.url == "/here"
        assert abs(tail.server_time(reader) - datetime.now(UTC)) < HOUR
        assert reader.execute("SELECT interval '1 day'").fetchone() == (DAY,)


def test_follow_gives_each_row_once(logged: Database) -> None:
    """Rows in one batch have one time; the next poll gives none of them again."""
    follower, reader = _follower(logged)
    at = now()
    writer = logged.connect("log_writer")
    ids = copy_requests(writer, *({"created": at} for _ in range(100)))

    assert {row.id for row in follower.poll(reader)} == set(ids)
    assert follower.poll(reader) == []


def test_two_writers_lose_no_row(logged: Database) -> None:
    """A batch that is committed after a newer one is shown when it arrives."""
    follower, reader = _follower(logged)
    slow = logged.connect("log_writer", autocommit=False)
    with slow.transaction():
        copy_requests(slow, {"url": "/early"})
        with slow.transaction():  # the part of a batch that was split
            copy_requests(slow, {"url": "/part"})
        copy_requests(logged.connect("log_writer"), {"url": "/swift"})
        assert _urls(follower.poll(reader)) == ["/swift"]
        assert follower.poll(reader) == []

    assert set(_urls(follower.poll(reader))) == {"/early", "/part"}
    assert follower.poll(reader) == []


def test_a_row_may_arrive_late(logged: Database) -> None:
    """Within the time allowed it is shown however old it is; before that it is not."""
    follower, reader = _follower(logged, late=timedelta(minutes=1))
    writer = logged.connect("log_writer")
    for seconds in (30, 0, 90):
        created = now() - timedelta(seconds=seconds)
        copy_requests(writer, {"created": created, "url": f"/{seconds}"})

    assert _urls(follower.poll(reader)) == ["/30", "/0"]


def test_older_rows_are_not_given_again(logged: Database) -> None:
    """What the first answer left out for its limit does not come with the second.

    An open transaction keeps the horizon of the server down meanwhile.
    """
    held = logged.connect("log_writer", autocommit=False)
    copy_requests(held, {"url": "/held"})
    copy_requests(logged.connect("log_writer"), *({"url": f"/{n}"} for n in range(9)))
    follower = Follower(ANY, late=HOUR)
    reader = logged.connect("readonly")

    assert len(follower.start(reader, _ago(HOUR), count=2)) == 2
    assert follower.poll(reader) == []
    held.commit()
    assert _urls(follower.poll(reader)) == ["/held"]


@pytest.mark.parametrize("question", [last, Follower._new])
def test_no_row_is_lost_between_two_questions(
    logged: Database, monkeypatch: pytest.MonkeyPatch, question: Any
) -> None:
    """What is committed while following begins is shown at once or by the next poll."""
    writer = logged.connect("log_writer")

    def asked(*args: Any, **options: Any) -> Any:
        rows = question(*args, **options)
        monkeypatch.undo()
        copy_requests(writer, {"url": "/between"})
        return rows

    owner = Follower if question is Follower._new else tail
    monkeypatch.setattr(owner, question.__name__, asked)
    follower, reader = Follower(ANY, late=HOUR), logged.connect("readonly")
    shown = follower.start(reader, _ago(HOUR), count=9) + follower.poll(reader)

    assert _urls(shown) == ["/between"]


def test_midnight_is_crossed_without_loss(logged: Database) -> None:
    """Rows of today and of tomorrow come from two partitions in one answer."""
    follower, reader = _follower(logged, late=DAY)
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    before = midnight - timedelta(microseconds=1)
    copy_requests(
        logged.connect("log_writer"),
        {"created": midnight, "url": "/tomorrow"},
        {"created": before, "url": "/today"},
    )

    assert _urls(follower.poll(reader)) == ["/today", "/tomorrow"]
    assert follower.poll(reader) == []


def test_numbers_of_transactions_may_go_back(logged: Database) -> None:
    """After a crash of the server they can: another start makes them worth nothing."""
    follower, reader = _follower(logged)
    ids = copy_requests(logged.connect("log_writer"), {}, {})
    assert follower._clock is not None
    ahead = (follower._clock.xid + 1000) % 2**32
    started = follower._clock.started - HOUR
    follower._clock = follower._clock._replace(xid=ahead, started=started)

    assert {row.id for row in follower.poll(reader)} == set(ids)
    assert follower.poll(reader) == []


def test_following_needs_little_memory(
    logged: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that no poll can meet again are forgotten."""
    monkeypatch.setattr(tail, "_FORGET_FROM", 20)
    follower, reader = _follower(logged, late=timedelta(milliseconds=1))
    writer = logged.connect("log_writer")
    for _ in range(10):
        copy_requests(writer, *({} for _ in range(10)))
        assert len(follower.poll(reader)) == 10

    assert len(follower._seen) < 40


def test_hostile_rows_are_read(logged: Database) -> None:
    """Everything NULL, a long URL, control characters: as they were written."""
    hostile = "/\x1b[2J<script>\u202e\x9b" + "x" * 10_000
    meta = json.dumps({"n": 1e300, "t": hostile})
    writer = logged.connect("log_writer")
    copy_requests(writer, {}, {"url": hostile, "meta": meta, "trace_id": uuid.uuid4()})

    rows = last(logged.connect("readonly"), _ago(HOUR), ANY, count=9)

    assert {row.url for row in rows} == {None, hostile}
    assert {None, hostile} == {row.meta and json.loads(row.meta)["t"] for row in rows}


def _figures(logged: Database, **more: Any) -> Stats:
    window = _ago(HOUR, timedelta(minutes=1))
    return stats(
        logged.connect("readonly"),
        window,
        ANY,
        bucket=bucket_of(window, None),
        **more,
    )


def test_figures_are_those_of_the_rows(logged: Database) -> None:
    """Counts by class, error rate, and percentiles that are real durations."""
    codes = [200] * 90 + [404] * 4 + [500] * 5 + [None]
    rows = [
        {"status": code, "duration_ms": number, "url": f"/u/{number}?q=1"}
        for number, code in enumerate(codes, 1)
    ]
    copy_requests(logged.connect("log_writer"), *rows)

    found = _figures(logged)

    total = found.total
    assert (total.requests, total.ok, total.client_errors) == (100, 90, 4)
    assert (total.server_errors, total.other, total.error_rate) == (5, 1, 0.05)
    assert (total.p50_ms, total.p95_ms, total.p99_ms) == (50, 95, 99)
    assert [(one.value, one.figures.requests) for one in found.most_requests] == [
        ("/u/:id", 100)
    ]


def test_buckets_cover_the_window(logged: Database) -> None:
    """Also where nothing happened, so that a plot does not lie; they add up."""
    writer = logged.connect("log_writer")
    for minutes in (0, 30, 59):
        copy_requests(writer, {"created": now() - timedelta(minutes=minutes)})

    found = _figures(logged)

    assert 60 <= len(found.buckets) <= 72
    apart = {b.at - a.at for a, b in pairwise(found.buckets)}
    assert apart == {found.bucket}
    assert sum(one.figures.requests for one in found.buckets) == 3
    assert isinstance(found.buckets[0], Bucket)


@pytest.mark.parametrize(
    ("by", "values"),
    [
        ("url", ["/d/:id/x", None]),
        ("status", ["200", None]),
        ("method", ["GET", None]),
        ("auth", ["user:1", None]),
        ("org", ["7", None]),
    ],
)
def test_requests_are_grouped(
    logged: Database, by: str, values: list[str | None]
) -> None:
    """By each of five; what the log does not know is a group of its own."""
    known = {"status": 200, "method": "GET", "auth": "user:1", "organization_id": 7}
    url = f"/d/{uuid.uuid4()}/x"
    copy_requests(
        logged.connect("log_writer"),
        {**known, "url": f"{url}?a=1", "duration_ms": 1},
        {**known, "url": f"{url}#b", "duration_ms": 2},
        {},
    )

    found = _figures(logged, by=by)

    assert [one.value for one in found.most_requests] == values
    assert [one.figures.p99_ms for one in found.slowest] == [2]


def test_figures_of_nothing_are_zeros(logged: Database) -> None:
    """No row, no division by it."""
    found = _figures(logged)

    assert (found.total.requests, found.total.error_rate) == (0, None)
    assert (found.most_requests, found.slowest, found.statuses) == ([], [], [])
