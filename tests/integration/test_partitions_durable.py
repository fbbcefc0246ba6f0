"""A policy is changed, and partitions follow without a gap and without surprise."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from ai_platform.errors import BadValue
from ai_platform.maintenance import partitions
from ai_platform.maintenance.policies import Change, change
from tests.support.days import today
from tests.support.environment import clean_environment
from tests.support.programs import run_program
from tests.support.servers import rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ai_platform.server import EmbeddedServer
    from tests.support.database import Database

LOGS = "public.request_logs"
DURABLE = Change(is_durable=True)


@pytest.fixture
def keeper(database: Database) -> psycopg.Connection[Any]:
    """Give the migrator's connection to a database with all its partitions."""
    today()
    conn = database.connect("migrator")
    partitions.apply(conn)
    return conn


def persistence(conn: psycopg.Connection[Any]) -> list[str]:
    """Return u or p for each log partition, the oldest first."""
    query = """SELECT relpersistence::text FROM pg_inherits
                 JOIN pg_class c ON c.oid = inhrelid
                WHERE inhparent = 'public.request_logs'::regclass ORDER BY relname"""
    return [row[0] for row in conn.execute(query)]


def write(conn: psycopg.Connection[Any], day: datetime) -> None:
    """Write one row of *day*."""
    conn.execute(
        "INSERT INTO request_logs (id, created) VALUES (gen_random_uuid(), %s)",
        [day.replace(tzinfo=None)],
    )


def test_empty_days_ahead_become_durable(database: Database, keeper: Any) -> None:
    """Today and a day that has rows already stay; the others are logged at once."""
    write(database.connect(), today() + timedelta(days=1))
    changed = change(keeper, LOGS, DURABLE)
    steps = partitions.apply(keeper, table=LOGS)

    assert (changed.before.is_durable, changed.after.is_durable) == (False, True)
    assert [(s.action, s.outcome) for s in steps] == [("convert", "done")] * 6
    assert persistence(keeper) == ["u"] * 2 + ["p"] * 6
    assert partitions.apply(keeper) == []


def test_new_partitions_are_durable(database: Database, keeper: Any) -> None:
    """Those that apply makes, and the one that a writer makes when it finds none."""
    change(keeper, LOGS, DURABLE)
    day = today() + timedelta(days=1)
    database.connect().execute(f"DROP TABLE logs.request_logs_{day:%Y%m%d}".encode())
    writer = database.connect("log_writer")
    ensure = "SELECT monitoring.ensure_partition_for('public.request_logs', %s)"

    assert writer.execute(ensure, [day]).fetchone() != (None,)
    partitions.apply(keeper, now=today() + timedelta(days=3), table=LOGS)

    assert persistence(keeper)[1] == "p"
    assert persistence(keeper)[-3:] == ["p"] * 3


def test_rows_are_rewritten_on_request_only(database: Database, keeper: Any) -> None:
    """The plan says how many bytes, the rows are there afterwards."""
    write(database.connect(), today())
    change(keeper, LOGS, DURABLE)

    planned = partitions.plan(keeper, table=LOGS, convert_all=True)
    partitions.apply(keeper, table=LOGS, convert_all=True)

    assert ["bytes are rewritten" in step.detail for step in planned] == [
        True,
        *[False] * 7,
    ]
    assert persistence(keeper) == ["p"] * 8
    count = "SELECT count(*) FROM request_logs"
    assert database.connect().execute(count).fetchone() == (1,)


def test_a_way_back_is_open(database: Database, keeper: Any) -> None:
    """Unlogged again: the empty days ahead are converted back."""
    change(keeper, LOGS, DURABLE)
    partitions.apply(keeper, table=LOGS)
    change(keeper, LOGS, Change(is_durable=False))

    partitions.apply(keeper, table=LOGS)

    assert persistence(keeper) == ["u"] * 8


def test_a_reader_delays_a_conversion_only(database: Database, keeper: Any) -> None:
    """Who reads all days is waited for; a writer of today is not held up."""
    change(keeper, LOGS, DURABLE)
    reader = database.connect(autocommit=False)
    reader.execute("SELECT count(*) FROM request_logs")
    writer = database.connect("log_writer")
    writer.execute("SET lock_timeout = '100ms'")

    steps = partitions.apply(keeper, table=LOGS, wait_s=0.3)
    with writer.cursor().copy("COPY request_logs (id) FROM STDIN") as copy:
        copy.write_row(["7b0e1f9c-9c6f-4d77-8b5c-6f8a3d2e1c00"])

    assert {"delayed"} == {step.outcome for step in steps}
    reader.rollback()
    assert {"done"} == {s.outcome for s in partitions.apply(keeper, table=LOGS)}


def test_a_dry_run_changes_no_policy(keeper: Any) -> None:
    """Before and after are shown, and before is what stays."""
    wanted = Change(is_durable=True, ahead=30, retention="30d", granularity="week")

    foretold = change(keeper, "request_logs", wanted, dry_run=True)

    assert (foretold.is_done, foretold.after.ahead) == (False, 30)
    assert foretold.after.retention == "30 days"
    assert change(keeper, LOGS, Change()).before == foretold.before


@pytest.mark.parametrize(
    "wanted",
    [
        Change(ahead=0),
        Change(ahead=401),
        Change(granularity="hour"),
        Change(retention="-3 days"),
        Change(retention="0"),
        Change(retention="a while"),
        Change(retention="30 days'; DROP TABLE auth.users; --"),
    ],
    ids=str,
)
def test_impossible_rules_are_refused(keeper: Any, wanted: Change) -> None:
    """The value is named, and the policy is as before."""
    before = change(keeper, LOGS, Change()).before

    with pytest.raises(BadValue, match="got "):
        change(keeper, LOGS, wanted)

    assert change(keeper, LOGS, Change()).before == before


def test_a_shorter_retention_says_what_goes(keeper: Any) -> None:
    """How many partitions the next prune removes is told with the change."""
    partitions.apply(keeper, now=today() - timedelta(days=20), table=LOGS)
    change(keeper, LOGS, Change(retention="none"))

    changed = change(keeper, LOGS, Change(retention="15 days"), dry_run=True)

    assert changed.effects == ["`platform partitions prune` now removes 5"]
    assert changed.before.retention is None


def test_a_disabled_table_is_left_alone(keeper: Any) -> None:
    """Neither made nor removed; asked for by name, the way back is told."""
    change(keeper, LOGS, Change(is_enabled=False))

    assert LOGS not in {one.parent for one in partitions.status(keeper)}
    with pytest.raises(BadValue, match="switched off") as told:
        partitions.apply(keeper, table=LOGS)
    assert told.value.hint == f"platform partitions policy {LOGS} --enable"
    change(keeper, LOGS, Change(is_enabled=True))
    assert partitions.status(keeper, table=LOGS)[0].problems == []


@pytest.mark.parametrize("way", [("week", "month", "day"), ("month", "day", "week")])
def test_another_granularity_leaves_no_gap(keeper: Any, way: tuple[str, ...]) -> None:
    """Each partition ends where the next begins, whatever it was made by."""
    at = today()
    for granularity in way:
        change(keeper, LOGS, Change(granularity=granularity, ahead=3))
        at += timedelta(days=5)
        assert {"done"} >= {s.outcome for s in partitions.apply(keeper, now=at)}

        found = partitions.status(keeper, now=at, table=LOGS)[0]
        assert (found.gaps, found.problems) == ([], [])
        for one, other in pairwise(found.each):
            assert one.upper == other.lower


@pytest.mark.slow
def test_a_crash_takes_unlogged_rows_only(
    embedded: Callable[..., EmbeddedServer],
) -> None:
    """After a hard stop durable partitions hold their rows, UNLOGGED ones are empty."""
    server = embedded()
    server.start()
    env = clean_environment(DATABASE_URL=server.url())
    run_program("alembic", "upgrade", "head", env=env, timeout=120, check=True)
    today()
    with psycopg.connect(server.url()) as conn:
        partitions.apply(conn)
        change(conn, LOGS, DURABLE)
        partitions.apply(conn)
        for days in (0, 1):
            write(conn, today() + timedelta(days=days))

    server.stop(mode="immediate")
    server.start()

    query = "SELECT created FROM public.request_logs"
    tomorrow = (today() + timedelta(days=1)).replace(tzinfo=None)
    assert rows(server, query) == [(tomorrow,)]
