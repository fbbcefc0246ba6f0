"""One nightly run does everything that is due, and one trouble stops no other part."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from ai_platform.errors import BadValue, Refused
from ai_platform.maintenance import health, partitions, run
from ai_platform.maintenance.policies import Change, change
from ai_platform.maintenance.run import Options
from ai_platform.settings import settings
from tests.support.days import today

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import psycopg

    from ai_platform.maintenance.run import Work
    from tests.support.database import Database

LOGS = "public.request_logs"
METRICS = "monitoring.metrics"
ENSURE = "SELECT monitoring.ensure_partition_for(%s, now())"


@pytest.fixture
def keeper(database: Database) -> psycopg.Connection[Any]:
    """Give the migrator's connection to a database with all its partitions."""
    today()
    conn = database.connect("migrator")
    partitions.apply(conn)
    return conn


def outcomes(works: list[Work]) -> dict[str, str]:
    """Return what became of each part."""
    return {work.work: work.outcome for work in works}


def sample(conn: psycopg.Connection[Any], day: datetime) -> None:
    """Write one sample of *day*."""
    conn.execute(
        "INSERT INTO monitoring.metrics (time, node_id) VALUES (%s, 'n')",
        [day.replace(tzinfo=None)],
    )


def fill(conn: psycopg.Connection[Any], rows: int) -> None:
    """Write *rows* request logs of now."""
    conn.execute(
        """INSERT INTO request_logs (id)
           SELECT gen_random_uuid() FROM generate_series(1, %s)""",
        [rows],
    )
    conn.execute("SELECT pg_stat_force_next_flush()")


def test_a_quiet_night_does_all_and_changes_nothing(keeper: Any) -> None:
    """Every part is done, in order, and the second run is like the first."""
    for _ in range(2):
        works = run.run(keeper)

        assert [work.work for work in works] == list(run.WORKS)
        assert {work.outcome for work in works} == {"done"}


def test_a_month_without_a_run_is_made_good(
    database: Database, keeper: Any, tmp_path: Path
) -> None:
    """Partitions of a month ago, none of now: writers go on, one run does the rest."""
    watch = database.connect()
    for table in (LOGS, METRICS):
        drop_all(watch, table)
        for days in (48, 40):
            partitions.apply(keeper, now=today() - timedelta(days=days), table=table)
    for days in range(33, 49):
        sample(watch, today() - timedelta(days=days))
    assert any("rows of now" in one.detail for one in health.findings(keeper))

    writer = database.connect("log_writer")
    for table in (LOGS, METRICS):
        assert writer.execute(ENSURE, [table]).fetchone() != (None,)
    fill(watch, 3)
    works = run.run(keeper, Options(archive=tmp_path))

    assert set(outcomes(works).values()) == {"done"}
    for one in partitions.status(keeper):
        assert (one.problems, one.expired) == ([], 0)
        assert one.covered_until == one.wanted_until
    count = "SELECT count(*) FROM monitoring.daily_stats_archive"
    assert watch.execute(count).fetchone() == (16,)
    assert len(list(tmp_path.glob("*.csv.gz"))) == 2 * 16
    assert [one for one in health.findings(keeper) if not one.is_well] == []


def drop_all(conn: psycopg.Connection[Any], table: str) -> None:
    """Drop every partition of *table*."""
    query = """SELECT inhrelid::regclass::text FROM pg_inherits
                WHERE inhparent = %s::regclass"""
    for (name,) in conn.execute(query, [table]).fetchall():
        conn.execute(f"DROP TABLE {name}".encode())


def test_the_trouble_of_one_part_stops_no_other(
    database: Database, keeper: Any
) -> None:
    """A view that is gone fails the statistics; what follows is done."""
    database.connect().execute("DROP MATERIALIZED VIEW monitoring.daily_stats")

    works = run.run(keeper)

    assert outcomes(works)["statistics"] == "failed"
    assert "daily_stats" in works[2].detail
    assert [work.outcome for work in works[3:]] == ["done"] * 3


def test_an_unusable_archive_fails_its_part_only(keeper: Any, tmp_path: Path) -> None:
    """Nothing is removed without its archive, everything else is done."""
    partitions.apply(keeper, now=today() - timedelta(days=60), table=LOGS)
    (tmp_path / "file").touch()

    works = run.run(keeper, Options(archive=tmp_path / "file"))

    assert outcomes(works)["prune"] == "failed"
    assert "nothing can be archived" in works[3].detail
    assert set(outcomes(works).values()) == {"done", "failed"}
    assert partitions.status(keeper, table=LOGS)[0].expired == 8


def test_a_second_run_leaves_the_first_alone(database: Database, keeper: Any) -> None:
    """Two timers at once: one works, the other says so; then the way is free."""
    second: list[Work] = []

    def meanwhile(work: Work) -> None:
        if work.work == "prune":
            second.extend(run.run(database.connect("migrator")))

    run.run(keeper, on_work=meanwhile)

    assert [work.outcome for work in second] == ["busy"]
    assert "another run" in second[0].detail
    assert len(run.run(database.connect("migrator"))) == len(run.WORKS)


def test_a_dry_run_changes_nothing(database: Database, keeper: Any) -> None:
    """Whatever is due is named: partitions, archive, rows; and is there afterwards."""
    watch = database.connect()
    partitions.apply(keeper, now=today() - timedelta(days=60), table=LOGS)
    drop = sql.SQL("DROP TABLE logs.{}")
    name = f"request_logs_{today() + timedelta(days=3):%Y%m%d}"
    watch.execute(drop.format(sql.Identifier(name)))
    end_sessions(watch, days=[8, 6])
    before = partitions.status(keeper, table=LOGS)

    works = {work.work: work for work in run.run(keeper, Options(dry_run=True))}

    assert {work.outcome for work in works.values()} == {"planned"}
    assert [step.partition for step in works["partitions"].steps] == [f"logs.{name}"]
    assert len(works["prune"].steps) == 8
    assert "auth.sessions: 1 rows" in works["expiry"].detail
    assert partitions.status(keeper, table=LOGS) == before


def end_sessions(conn: psycopg.Connection[Any], *, days: list[int]) -> None:
    """Make one session that ended so many days ago, for each of *days*."""
    conn.execute(
        """INSERT INTO auth.users (username, email, password_hash)
           VALUES ('s', 's@example.com', '!') ON CONFLICT DO NOTHING"""
    )
    for ago in days:
        conn.execute(
            """INSERT INTO auth.sessions
                      (user_id, refresh_token_hash, created_at, expires_at)
               SELECT u.id, sha256(%s::text::bytea), now() - interval '900 days',
                      now() - make_interval(days => %s)
                 FROM auth.users u ORDER BY u.id LIMIT 1""",
            [ago, ago],
        )


def test_old_sessions_and_jobs_go(database: Database, keeper: Any) -> None:
    """A week after its end a session, a month after its end a job; others stay."""
    watch = database.connect()
    end_sessions(watch, days=[400, 8, 6, -1])
    watch.execute(
        """INSERT INTO auth.organizations (slug, name) VALUES ('o', 'O')
           ON CONFLICT DO NOTHING"""
    )
    watch.execute(
        """INSERT INTO algo_platform.jobs
                  (organization_id, kind, status, finished_at)
           SELECT o.id, 'clean', 'succeeded', now() - make_interval(days => d)
             FROM auth.organizations o, unnest(ARRAY[100, 31, 29]) d
            WHERE o.slug = 'o'"""
    )

    (work,) = run.run(keeper, Options(works=("expiry",)))

    assert work.detail == "auth.sessions: 2 rows, algo_platform.jobs: 2 rows"
    for table, left in (("auth.sessions", 2), ("algo_platform.jobs", 1)):
        count = f"SELECT count(*) FROM {table}".encode()
        assert watch.execute(count).fetchone() == (left,)


def test_a_locked_row_is_left_to_the_next_run(database: Database, keeper: Any) -> None:
    """Deleting waits for nobody."""
    end_sessions(database.connect(), days=[8, 9])
    other = database.connect(autocommit=False)
    other.execute("SELECT FROM auth.sessions LIMIT 1 FOR UPDATE")

    (work,) = run.run(keeper, Options(works=("expiry",)))
    assert "auth.sessions: 1 rows" in work.detail
    other.rollback()

    (work,) = run.run(keeper, Options(works=("expiry",)))
    assert "auth.sessions: 1 rows" in work.detail


def test_parents_are_analyzed_when_due(database: Database, keeper: Any) -> None:
    """Once after many new rows, not again for nothing, again after many more."""
    watch = database.connect()
    fill(watch, 1000)
    analyze = Options(works=("analyze",))

    first = run.run(keeper, analyze)[0]
    second = run.run(keeper, analyze)[0]
    fill(watch, 1000)
    third = run.run(keeper, analyze)[0]

    assert [step.parent for step in first.steps] == [LOGS]
    assert second.steps == []
    assert [step.outcome for step in third.steps] == ["done"]
    query = """SELECT reltuples::int FROM pg_class
                WHERE oid = 'public.request_logs'::regclass"""
    assert watch.execute(query).fetchone() == (2000,)


def test_removed_rows_count_as_change(database: Database, keeper: Any) -> None:
    """After a prune the planner hears that the rows are gone."""
    watch = database.connect()
    partitions.apply(keeper, now=today() - timedelta(days=60), table=LOGS)
    watch.execute(
        """INSERT INTO request_logs (id, created)
           SELECT gen_random_uuid(), %s FROM generate_series(1, 500)""",
        [(today() - timedelta(days=60)).replace(tzinfo=None)],
    )
    fill(watch, 100)
    run.run(keeper, Options(works=("analyze",)))

    works = run.run(keeper, Options(works=("prune", "analyze")))

    assert [step.parent for step in works[1].steps] == [LOGS]


def test_busy_statistics_are_a_delay(
    database: Database, keeper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another refresh at work is no fault: the next run goes on."""
    monkeypatch.setenv("PLATFORM_LOCK_TIMEOUT", "0.2")
    settings.cache_clear()
    other = database.connect(role="platform_owner", autocommit=False)
    other.execute("REFRESH MATERIALIZED VIEW monitoring.daily_stats")

    (work,) = run.run(keeper, Options(works=("statistics",), wait_s=0))

    assert (work.outcome, "busy" in work.detail) == ("delayed", True)


def test_a_locked_parent_is_analyzed_later(database: Database, keeper: Any) -> None:
    """Who holds the table is waited for; then the next run does it."""
    fill(database.connect(), 1000)
    other = database.connect(autocommit=False)
    other.execute("LOCK TABLE request_logs IN SHARE UPDATE EXCLUSIVE MODE")

    (work,) = run.run(keeper, Options(works=("analyze",), wait_s=0))

    assert (work.outcome, work.steps[0].parent) == ("delayed", LOGS)
    other.rollback()
    assert run.run(keeper, Options(works=("analyze",)))[0].outcome == "done"


def test_parts_are_chosen_by_name() -> None:
    """Only these, without those; the order is the run's own."""
    assert run.chosen(only=["prune", "detaches"]) == ("detaches", "prune")
    assert run.chosen(skip=["expiry", "analyze"]) == run.WORKS[:4]
    with pytest.raises(BadValue, match="'drop'"):
        run.chosen(only=["drop"])
    with pytest.raises(BadValue, match="nothing is left"):
        run.chosen(only=["prune"], skip=["prune"])


def test_who_may_not_is_refused_at_once(database: Database) -> None:
    """One refusal with advice, not one failure for each part."""
    with pytest.raises(Refused, match="may not act as platform_owner"):
        run.run(database.connect("app"))


def test_health_names_what_nobody_looks_after(keeper: Any) -> None:
    """A policy that was switched off is no alarm, and is not passed over."""
    change(keeper, "public.request_logs", Change(is_enabled=False))

    found = {one.subject: one for one in health.findings(keeper)}

    assert found["public.request_logs"].is_well
    assert "switched off" in found["public.request_logs"].detail


def test_health_names_what_was_missed(database: Database, keeper: Any) -> None:
    """Nobody pruned, nobody archived, durable rows are not durable: each is told."""
    watch = database.connect()
    partitions.apply(keeper, now=today() - timedelta(days=60), table=LOGS)
    partitions.apply(keeper, now=today() - timedelta(days=4), table=METRICS)
    sample(watch, today() - timedelta(days=4))
    watch.execute(
        """UPDATE monitoring.partition_policies SET is_unlogged = false
            WHERE parent_table = 'monitoring.metrics'"""
    )

    found = {one.subject: one for one in health.findings(keeper) if not one.is_well}

    assert "8 expired for 2 days" in found[LOGS].detail
    assert "UNLOGGED where durable is asked for" in found[METRICS].detail
    assert "not archived" in found["monitoring.daily_stats_archive"].detail
    assert len(found) == 3
