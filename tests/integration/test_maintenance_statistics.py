"""A day of metrics that was archived stays: no crash and no pruning takes it away."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from ai_platform.errors import PlatformError, Refused
from ai_platform.maintenance import daily_statistics, partitions
from tests.support.days import today

if TYPE_CHECKING:
    from datetime import date

    import psycopg

    from tests.support.database import Database

HOURS = timedelta(hours=1)


class Samples:
    """Metrics as collectors leave them, and the archive made of them."""

    def __init__(self, database: Database) -> None:
        self.owner = database.connect("migrator")
        self._admin = database.connect()
        self._known = database

    def write(self, days_ago: int, *memory: int, node: str = "n1") -> date:
        """Write a sample per hour and value, from noon of that day on."""
        start = today() + timedelta(hours=12) - timedelta(days=days_ago)
        partitions.apply(self.owner, now=start, table="monitoring.metrics")
        with self._known.connect("log_writer") as writer:
            for number, megabytes in enumerate(memory):
                writer.execute(
                    """INSERT INTO monitoring.metrics (time, node_id, sys_mem_mb)
                       VALUES (%s, %s, %s)""",
                    [(start + number * HOURS).replace(tzinfo=None), node, megabytes],
                )
        return start.date()

    def crash(self) -> None:
        """Lose what a crash of the server loses: the rows of unlogged tables."""
        self._admin.execute("TRUNCATE monitoring.metrics")

    def archived(self) -> list[tuple[Any, ...]]:
        """Return day, node, greatest memory and number of samples, in order."""
        query = """SELECT day::date, node_id, max_mem, samples
                     FROM monitoring.daily_stats_archive ORDER BY 1, 2"""
        return self._admin.execute(query).fetchall()


@pytest.fixture
def samples(database: Database) -> Samples:
    """Give the samples of an otherwise empty database."""
    return Samples(database)


def test_a_late_sample_replaces_no_archived_day(samples: Samples) -> None:
    """After a crash one sample that comes late is not the day."""
    day = samples.write(1, 100, 300, 200)
    assert daily_statistics.refresh(samples.owner).archived == 1

    samples.crash()
    samples.write(1, 7)

    assert daily_statistics.refresh(samples.owner).archived == 0
    assert samples.archived() == [(day, "n1", 300, 3)]


def test_late_samples_complete_an_archived_day(samples: Samples) -> None:
    """What a collector held back while the server was away still counts."""
    day = samples.write(1, 100)
    daily_statistics.refresh(samples.owner)

    samples.write(1, 100, 900)

    assert daily_statistics.refresh(samples.owner).archived == 1
    assert samples.archived() == [(day, "n1", 900, 3)]


def test_days_between_are_archived_too(samples: Samples) -> None:
    """Nobody ran it for days, and a node reported later than the others did."""
    days = [samples.write(n, n) for n in (5, 3, 1)]
    daily_statistics.refresh(samples.owner)

    late = samples.write(4, 44, node="n2")
    daily_statistics.refresh(samples.owner)

    assert [row[0] for row in samples.archived()] == sorted([*days, late])


def test_a_day_outlives_crash_pruning_and_refresh(samples: Samples) -> None:
    """Samples dropped, view emptied: the archive still tells of both days."""
    old = samples.write(40, 100, 200)
    recent = samples.write(1, 50)
    daily_statistics.refresh(samples.owner)

    partitions.prune(samples.owner, table="monitoring.metrics")
    samples.crash()
    left = daily_statistics.refresh(samples.owner)

    assert (left.days, left.archived) == (0, 0)
    assert samples.archived() == [(old, "n1", 200, 2), (recent, "n1", 50, 1)]


def test_a_refresh_saves_what_only_the_view_knows(
    samples: Samples, database: Database
) -> None:
    """A crash between refresh and archive: the view's last words are kept."""
    day = samples.write(1, 100, 300)
    owner = database.connect(role="platform_owner")
    owner.execute("REFRESH MATERIALIZED VIEW monitoring.daily_stats")
    samples.crash()

    assert daily_statistics.refresh(samples.owner).archived == 1
    samples.write(1, 7)
    daily_statistics.refresh(samples.owner)

    assert samples.archived() == [(day, "n1", 300, None)]


def test_today_is_not_archived_yet(samples: Samples) -> None:
    """A day that goes on would be archived half, under every count a little more."""
    samples.write(0, 100)

    done = daily_statistics.refresh(samples.owner)

    assert (done.archived, done.days, done.nodes) == (0, 1, 1)
    assert samples.archived() == []


def test_readers_go_on_during_a_refresh(samples: Samples, database: Database) -> None:
    """A dashboard in the middle of a query neither waits nor stops the refresh."""
    reader = database.connect("readonly", autocommit=False)
    reader.execute("SELECT * FROM monitoring.daily_stats")
    samples.write(1, 100)

    assert daily_statistics.refresh(samples.owner, wait_s=0).concurrently

    query = "SELECT count(*) FROM monitoring.daily_stats"
    assert reader.execute(query).fetchone() == (1,)


def test_a_view_never_filled_is_filled(samples: Samples, database: Database) -> None:
    """As a restore without its data leaves it: CONCURRENTLY would be refused."""
    database.connect(role="platform_owner").execute(
        "REFRESH MATERIALIZED VIEW monitoring.daily_stats WITH NO DATA"
    )
    samples.write(1, 100)

    assert daily_statistics.refresh(samples.owner).concurrently is False
    assert daily_statistics.refresh(samples.owner).concurrently is True


def test_a_busy_view_is_said_after_archiving(
    samples: Samples, database: Database
) -> None:
    """Another refresh holds the view: one line, and the archive is done already."""
    samples.write(1, 100)
    other = database.connect(role="platform_owner", autocommit=False)
    other.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY monitoring.daily_stats")

    with pytest.raises(PlatformError, match="are busy"):
        _impatient(samples.owner)

    assert len(samples.archived()) == 1


def _impatient(conn: psycopg.Connection[Any]) -> None:
    import os  # noqa: PLC0415 - the setting is read anew in each test

    from ai_platform.settings import settings  # noqa: PLC0415

    os.environ["PLATFORM_LOCK_TIMEOUT"] = "0.1"
    settings.cache_clear()
    try:
        daily_statistics.refresh(conn, wait_s=0.1)
    finally:
        del os.environ["PLATFORM_LOCK_TIMEOUT"]


def test_two_runs_at_once_archive_once(samples: Samples, database: Database) -> None:
    """Two timers at one moment: both end well, and no day stands twice."""
    for days_ago in range(1, 6):
        samples.write(days_ago, 10, 20)
    found: list[int] = []
    others = [database.connect("worker") for _ in range(2)]
    threads = [
        Thread(target=lambda c=conn: found.append(daily_statistics.archive(c)))
        for conn in others
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == [0, 5]


@pytest.mark.parametrize("role", ["app", "readonly", "log_writer"])
def test_others_may_not_archive(database: Database, role: str) -> None:
    """Working roles that only write or read are refused with the role to use."""
    with pytest.raises(Refused, match="cannot be archived"):
        daily_statistics.archive(database.connect(role))


def test_a_worker_may_not_refresh(database: Database) -> None:
    """The view belongs to the owner; a worker archives and no more."""
    with pytest.raises(Refused, match="may not act as platform_owner"):
        daily_statistics.refresh(database.connect("worker"))
