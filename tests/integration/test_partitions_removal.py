"""Expired partitions go, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from ai_platform.errors import BadValue
from ai_platform.maintenance import partitions

if TYPE_CHECKING:
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


def names(database: Database) -> set[str]:
    """Return the names of all tables in schema logs."""
    query = """SELECT relname FROM pg_class
                WHERE relnamespace = 'logs'::regnamespace AND relkind = 'r'"""
    return {row[0] for row in database.connect().execute(query)}


def oldest(steps: list[Step]) -> str:
    """Return the bare name of the first partition."""
    assert steps[0].partition is not None
    return steps[0].partition.partition(".")[2]


def detach_as_prune_does(database: Database, keeper: psycopg.Connection[Any]) -> str:
    """Leave behind one detached partition, as a prune that died; return its name."""
    first = oldest(partitions.prune(keeper, table=LOGS, dry_run=True))
    conn = database.connect(role="platform_owner")
    # somebody's view keeps DROP TABLE from doing its work
    conn.execute(
        sql.SQL("CREATE VIEW logs.in_the_way AS SELECT * FROM logs.{}").format(
            sql.Identifier(first)
        )
    )
    partitions.prune(keeper, table=LOGS)
    conn.execute("DROP VIEW logs.in_the_way")
    return first


def test_expired_days_are_dropped(database: Database, keeper: Any) -> None:
    """What ended more than the retention ago is gone; all newer days stay."""
    before = names(database)

    dropped = partitions.prune(keeper, table=LOGS)

    assert [step.outcome for step in dropped] == ["done"] * 8
    gone = {f"request_logs_{OLD + timedelta(days=n):%Y%m%d}" for n in range(8)}
    assert before - names(database) == gone
    assert partitions.prune(keeper) == []


def test_a_dry_run_names_what_a_run_drops(database: Database, keeper: Any) -> None:
    """The list is the same, and nothing has changed."""
    before = names(database)

    foretold = partitions.prune(keeper, table=LOGS, dry_run=True)

    assert before == names(database)
    dropped = partitions.prune(keeper, table=LOGS)
    assert [s.partition for s in foretold] == [s.partition for s in dropped]


def test_the_day_of_the_limit_is_kept(database: Database, keeper: Any) -> None:
    """A partition goes when all of it has expired, and not a second earlier."""
    start = datetime(OLD.year, OLD.month, OLD.day, tzinfo=UTC)
    due = start + timedelta(days=1) + timedelta(days=7)

    early = due - timedelta(microseconds=1)
    assert partitions.prune(keeper, now=early, table=LOGS) == []
    assert [start] == [s.lower for s in partitions.prune(keeper, now=due, table=LOGS)]


def test_metrics_are_archived_before_they_go(database: Database) -> None:
    """Samples of a dropped day live on as a row of that day."""
    conn = database.connect("migrator")
    partitions.apply(conn, now=OLD, table="monitoring.metrics")
    database.connect().execute(
        "INSERT INTO monitoring.metrics (time, node_id) VALUES (%s, 'n1')",
        [OLD.replace(tzinfo=None)],
    )

    steps = partitions.prune(conn, table="monitoring.metrics")

    assert (steps[0].action, steps[0].outcome) == ("archive", "done")
    query = "SELECT day::date FROM monitoring.daily_stats_archive"
    assert [(OLD.date(),)] == database.connect().execute(query).fetchall()


def test_nothing_goes_without_retention(database: Database, keeper: Any) -> None:
    """Retention NULL keeps everything."""
    database.connect().execute(
        "UPDATE monitoring.partition_policies SET retention = NULL"
    )

    assert partitions.prune(keeper) == []


@pytest.mark.parametrize("retention", ["0", "-3 days"])
def test_a_negative_retention_is_refused(
    database: Database, keeper: Any, retention: str
) -> None:
    """Even where the CHECK was taken away, nothing is dropped for it."""
    conn = database.connect()
    conn.execute(
        """ALTER TABLE monitoring.partition_policies
           DROP CONSTRAINT ck_partition_policies_retention"""
    )
    conn.execute(
        "UPDATE monitoring.partition_policies SET retention = %s::interval", [retention]
    )

    steps = partitions.prune(keeper)

    assert {"failed"} == {step.outcome for step in steps}
    assert "must be positive" in steps[0].detail


def test_the_future_is_only_looked_at(database: Database, keeper: Any) -> None:
    """A date to come would drop what has not expired: with a dry run only."""
    future = datetime.now(UTC) + timedelta(days=365)

    with pytest.raises(BadValue, match="in the future"):
        partitions.prune(keeper, now=future)

    assert len(partitions.prune(keeper, now=future, table=LOGS, dry_run=True)) == 16


@pytest.mark.parametrize(
    "name", ['"; DROP TABLE x; --', "Großer Tag 🗓", "a.b", "%s {}"]
)
def test_hostile_partition_names_are_quoted(
    database: Database, keeper: Any, name: str
) -> None:
    """A partition is removed under whatever name it has."""
    first = oldest(partitions.prune(keeper, table=LOGS, dry_run=True))
    database.connect().execute(
        sql.SQL("ALTER TABLE logs.{} RENAME TO {}").format(
            sql.Identifier(first), sql.Identifier(name)
        )
    )

    dropped = partitions.prune(keeper, table=LOGS)

    assert ("done", f"logs.{name}") == (dropped[0].outcome, dropped[0].partition)
    assert name not in names(database)


def test_what_a_view_needs_stays_until_it_is_gone(
    database: Database, keeper: Any
) -> None:
    """Nothing is dropped by CASCADE; the next run after the view drops the table."""
    first = detach_as_prune_does(database, keeper)
    assert first in names(database)
    assert first in partitions.status(keeper, table=LOGS)[0].leftovers[0]

    steps = partitions.prune(keeper, table=LOGS)

    assert [(s.action, s.outcome) for s in steps] == [("drop", "done")]
    assert first not in names(database)


def test_a_table_somebody_detached_is_kept(database: Database, keeper: Any) -> None:
    """Who detaches a partition by hand to keep it, keeps it."""
    first = oldest(partitions.prune(keeper, table=LOGS, dry_run=True))
    detach = sql.SQL("ALTER TABLE public.request_logs DETACH PARTITION logs.{}")
    database.connect().execute(detach.format(sql.Identifier(first)))

    partitions.prune(keeper, table=LOGS)

    assert first in names(database)


def test_a_copied_mark_proves_nothing(database: Database, keeper: Any) -> None:
    """Another table with our comment is left alone and reported."""
    first = detach_as_prune_does(database, keeper)
    conn = database.connect(role="platform_owner")
    conn.execute("CREATE TABLE logs.precious (LIKE public.request_logs)")
    comment = conn.execute(
        "SELECT obj_description(%s::regclass)", [f"logs.{first}"]
    ).fetchone()
    assert comment is not None
    conn.execute(
        sql.SQL("COMMENT ON TABLE logs.precious IS {}").format(sql.Literal(comment[0]))
    )

    steps = partitions.prune(keeper, table=LOGS)

    told = {step.partition: step for step in steps}
    assert told["logs.precious"].outcome == "failed"
    assert "made for another table" in told["logs.precious"].detail
    assert "precious" in names(database)


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        ("ALTER TABLE {} ADD COLUMN note text", "columns differ"),
        ("ALTER TABLE {} OWNER TO CURRENT_USER", "another owner"),
        ("UPDATE monitoring.partition_policies SET retention = '1 year'", "raised"),
    ],
)
def test_a_changed_leftover_is_left_alone(
    database: Database, keeper: Any, change: str, doubt: str
) -> None:
    """Somebody has taken the table over, or wants longer retention: ask, not drop."""
    first = detach_as_prune_does(database, keeper)
    table = sql.Identifier("logs", first)
    database.connect().execute(sql.SQL(change).format(table))  # type: ignore[arg-type]

    steps = partitions.prune(keeper, table=LOGS)

    assert [step.outcome for step in steps] == ["failed"]
    assert doubt in steps[0].detail
    assert first in names(database)


def test_a_stale_mark_is_taken_back(database: Database, keeper: Any) -> None:
    """After a raised retention no mark remains that could cost the table later."""
    first = oldest(partitions.prune(keeper, table=LOGS, dry_run=True))
    stop_before_detach(database)
    partitions.prune(keeper, table=LOGS, wait_s=0)
    conn = database.connect()
    conn.execute("DROP EVENT TRIGGER stop")
    conn.execute("UPDATE monitoring.partition_policies SET retention = '1 year'")
    comment = f"SELECT obj_description('logs.{first}'::regclass)".encode()
    assert conn.execute(comment).fetchone() != (None,)

    steps = partitions.prune(keeper, table=LOGS)

    assert (steps[0].action, steps[0].outcome) == ("unmark", "done")
    assert conn.execute(comment).fetchone() == (None,)


def stop_before_detach(database: Database) -> None:
    """Make ALTER TABLE fail in this database."""
    database.connect().execute(
        """CREATE FUNCTION public.stop() RETURNS event_trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE 'stopped'; END $$;
           CREATE EVENT TRIGGER stop ON ddl_command_start
             WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.stop()"""
    )


def test_a_default_partition_is_reported(database: Database, keeper: Any) -> None:
    """With one, DETACH CONCURRENTLY is impossible: the table is not touched."""
    database.connect().execute(
        "CREATE TABLE logs.rest PARTITION OF public.request_logs DEFAULT"
    )

    steps = partitions.prune(keeper, table=LOGS)

    assert [step.outcome for step in steps] == ["failed"]
    assert "logs.rest" in steps[0].detail
