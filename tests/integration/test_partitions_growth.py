"""Partitions are made ahead: complete, in the promised form, whoever is in the way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any, LiteralString

import pytest

from ai_platform.errors import BadValue, Refused
from ai_platform.maintenance import partitions

if TYPE_CHECKING:
    import psycopg

    from ai_platform.maintenance.partitions import Step
    from tests.support.database import Database

LOGS = "public.request_logs"
SOON = datetime.now(UTC) + timedelta(days=3)
LATER = datetime.now(UTC) + timedelta(days=40)

ADD_POLICY: LiteralString = """
    INSERT INTO monitoring.partition_policies
           (parent_table, partition_schema, granularity, precreate)
    VALUES (%s, 'logs', 'day', 2)
"""


def outcomes(steps: list[Step]) -> dict[str, set[str]]:
    """Return the outcomes of each table."""
    found: dict[str, set[str]] = {}
    for step in steps:
        found.setdefault(step.parent, set()).add(step.outcome)
    return found


def one(conn: psycopg.Connection[Any], query: LiteralString, *args: object) -> Any:
    """Return the single value of *query*."""
    row = conn.execute(query, args).fetchone()
    assert row is not None
    return row[0]


def test_apply_reaches_every_horizon(database: Database) -> None:
    """After apply nothing is missing, and a second apply finds nothing to do."""
    with database.connect("migrator") as conn:
        made = partitions.apply(conn, now=SOON)

        assert {"done"} == {step.outcome for step in made}
        assert {LOGS, "monitoring.metrics"} <= {step.parent for step in made}
        assert partitions.apply(conn, now=SOON) == []
        assert partitions.plan(conn, now=SOON) == []


def test_plan_foretells_what_apply_makes(database: Database) -> None:
    """Names and bounds of the plan are those of the partitions made after it."""
    with database.connect("migrator") as conn:
        foretold = partitions.plan(conn, now=LATER)
        made = partitions.apply(conn, now=LATER)

    told = [(step.partition, step.lower, step.upper) for step in foretold]
    assert told == [(step.partition, step.lower, step.upper) for step in made]
    assert {"planned"} == {step.outcome for step in foretold}


def test_plan_changes_nothing(database: Database) -> None:
    """Looking is free: the catalog is the same afterwards."""
    count = "SELECT count(*) FROM pg_class"
    with database.connect("migrator") as conn:
        before = one(conn, count)
        partitions.plan(conn, now=LATER)

        assert before == one(conn, count)


def test_new_partitions_have_the_promised_form(database: Database) -> None:
    """UNLOGGED by policy, row security forced, no rights, no left-over CHECK."""
    with database.connect("migrator") as conn:
        step = partitions.apply(conn, now=LATER, table=LOGS)[0]

    conn = database.connect()
    found = conn.execute(
        """SELECT relpersistence, relrowsecurity, relforcerowsecurity, relacl,
                  (SELECT count(*) FROM pg_constraint
                    WHERE conrelid = c.oid AND contype = 'c')
             FROM pg_class c WHERE oid = %s::regclass""",
        [step.partition],
    ).fetchone()
    assert found == ("u", True, True, None, 0)


def test_durable_logs_are_a_policy(database: Database) -> None:
    """With is_unlogged = false the next partitions survive a crash."""
    database.connect().execute(
        "UPDATE monitoring.partition_policies SET is_unlogged = false"
    )
    with database.connect("migrator") as conn:
        step = partitions.apply(conn, now=LATER, table=LOGS)[0]

    persistence = "SELECT relpersistence FROM pg_class WHERE oid = %s::regclass"
    assert one(database.connect(), persistence, step.partition) == "p"


def test_a_long_select_does_not_hinder_apply(database: Database) -> None:
    """ATTACH takes no lock that a reader of the parent holds against it."""
    reader = database.connect(autocommit=False)
    reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    reader.execute("SELECT count(*) FROM request_logs")

    with database.connect("migrator") as conn:
        made = partitions.apply(conn, now=LATER, table=LOGS, wait_s=0)

    assert {"done"} == {step.outcome for step in made}


def test_two_at_once_make_each_partition_once(database: Database) -> None:
    """What the slower one finds made is no failure."""
    start = Barrier(2)

    def work(_: int) -> list[Step]:
        with database.connect("migrator") as conn:
            start.wait()
            return partitions.apply(conn, now=LATER)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(work, range(2))

    made = [step.partition for step in first + second if step.outcome == "done"]
    assert len(made) == len(set(made))
    assert {"done", "present"} >= {step.outcome for step in first + second}
    assert partitions.plan(database.connect(), now=LATER) == []


def test_a_locked_table_delays_only_itself(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other tables get their partitions; the locked one is reported."""
    monkeypatch.setenv("PLATFORM_LOCK_TIMEOUT", "0.3")
    locker = database.connect(autocommit=False)
    locker.execute("LOCK TABLE request_logs IN SHARE UPDATE EXCLUSIVE MODE")

    with database.connect("migrator") as conn:
        made = outcomes(partitions.apply(conn, now=SOON, wait_s=0))
        locker.rollback()

        assert made[LOGS] == {"delayed"}
        assert made["monitoring.metrics"] == {"done"}
        assert {"done"} == {s.outcome for s in partitions.apply(conn, now=SOON)}


def test_a_locked_partition_hurts_no_other_table(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VACUUM FULL of one log day does not keep metrics from getting theirs."""
    monkeypatch.setenv("PLATFORM_LOCK_TIMEOUT", "0.3")
    partitions.apply(database.connect("migrator"))
    locker = database.connect(autocommit=False)
    today = f"logs.request_logs_{datetime.now(UTC):%Y%m%d}"
    locker.execute(f"LOCK TABLE {today} IN ACCESS EXCLUSIVE MODE".encode())

    with database.connect("migrator") as conn:
        made = outcomes(partitions.apply(conn, now=SOON, wait_s=0))
        dropped = outcomes(partitions.prune(conn, wait_s=0))
        told = {one.parent: one.problems for one in partitions.status(conn)}

    assert made["monitoring.metrics"] == {"done"}
    assert told["monitoring.metrics"] == []
    for found in (made, dropped):
        assert found.get(LOGS, {"done"}) <= {"delayed", "done"}


@pytest.mark.parametrize(
    ("definition", "fault"),
    [
        ("SELECT 1", "does not exist"),
        ("CREATE TABLE logs.odd (at timestamptz)", "not partitioned by range"),
        ("CREATE TABLE logs.odd (at date) PARTITION BY LIST (at)", "by range"),
        ("CREATE TABLE logs.odd (at int) PARTITION BY RANGE (at)", "date or time"),
        ("CREATE TABLE logs.odd (at date, x int) PARTITION BY RANGE (at, x)", "one"),
        (
            """CREATE TABLE logs.odd (at date) PARTITION BY RANGE (at);
               CREATE TABLE logs.rest PARTITION OF logs.odd DEFAULT""",
            "default partition",
        ),
    ],
)
def test_a_wrong_policy_hurts_no_other(
    database: Database, definition: LiteralString, fault: str
) -> None:
    """The table that cannot be served is named with the reason; others are served."""
    conn = database.connect(role="platform_owner")
    conn.execute(definition)
    conn.execute(ADD_POLICY, ["logs.odd"])

    steps = partitions.apply(database.connect("migrator"), now=SOON)

    failed = [step for step in steps if step.outcome == "failed"]
    assert [step.parent for step in failed] == ["logs.odd"]
    assert fault in failed[0].detail
    assert outcomes(steps)[LOGS] == {"done"}


@pytest.mark.parametrize("bad", ["no schema.at all.here", '"; DROP', ""])
def test_a_policy_with_a_nonsense_name_is_named(database: Database, bad: str) -> None:
    """A name that is none fails alone, with the server's words."""
    database.connect().execute(ADD_POLICY, [bad])

    steps = partitions.apply(database.connect("migrator"), now=SOON)

    assert outcomes(steps)[bad] == {"failed"}
    assert outcomes(steps)[LOGS] == {"done"}


def test_hostile_table_names_are_quoted(database: Database) -> None:
    """Capitals, quotes, blanks and emoji in a parent's name are just a name."""
    name = 'logs."Say ""hi""; DROP TABLE x 🗓"'
    conn = database.connect(role="platform_owner")
    conn.execute(f"CREATE TABLE {name} (at date) PARTITION BY RANGE (at)".encode())
    conn.execute(ADD_POLICY, [name])

    made = partitions.apply(database.connect("migrator"), table=name)

    assert [step.outcome for step in made] == ["done"] * 3
    assert partitions.plan(conn, table=name) == []


def test_a_name_too_long_is_refused(database: Database) -> None:
    """PostgreSQL would cut it, and the second day would take the name of the first."""
    name = "logs." + "x" * 60
    conn = database.connect(role="platform_owner")
    conn.execute(f"CREATE TABLE {name} (at date) PARTITION BY RANGE (at)".encode())
    conn.execute(ADD_POLICY, [name])

    steps = partitions.apply(conn, table=name)

    assert [step.outcome for step in steps] == ["failed"] * 3
    assert "63 bytes" in steps[0].detail


def test_only_the_gap_is_made(database: Database) -> None:
    """After a change of granularity old partitions reach into new periods."""
    conn = database.connect(role="platform_owner")
    conn.execute(
        """UPDATE monitoring.partition_policies SET granularity = 'month', precreate = 1
            WHERE parent_table = 'public.request_logs'"""
    )

    made = partitions.apply(conn, table=LOGS)

    assert {"done"} == {step.outcome for step in made}
    assert partitions.status(conn, table=LOGS)[0].gaps == []


def test_a_switched_off_policy_is_left_alone(database: Database) -> None:
    """Nothing is made for it, and asking for it by name says why."""
    database.connect().execute(
        "UPDATE monitoring.partition_policies SET is_enabled = parent_table <> %s",
        [LOGS],
    )
    with database.connect("migrator") as conn:
        assert LOGS not in outcomes(partitions.apply(conn, now=SOON))
        with pytest.raises(BadValue, match="switched off"):
            partitions.apply(conn, now=SOON, table=LOGS)


def test_an_unknown_table_names_the_known(database: Database) -> None:
    """The hint lists what could have been meant."""
    with pytest.raises(BadValue, match="no partition policy") as caught:
        partitions.plan(database.connect(), table="request_log")

    assert LOGS in str(caught.value.hint)


def test_the_schema_may_be_left_out(database: Database) -> None:
    """The bare name of a table is enough when it is one of the policies."""
    conn = database.connect()

    short, full = (
        partitions.plan(conn, now=LATER, table=t) for t in ("request_logs", LOGS)
    )

    assert short == full


def test_the_connection_is_given_back_as_it_was(database: Database) -> None:
    """Role, zone, style, search path and waits are the caller's again."""
    query = """SELECT current_user::text, current_setting('TimeZone'),
                      current_setting('DateStyle'), current_setting('search_path'),
                      current_setting('lock_timeout')"""
    conn = database.connect(autocommit=False)
    conn.execute("SET timezone = 'Asia/Kolkata'; SET datestyle = 'SQL, DMY'")
    before = conn.execute(query).fetchone()
    conn.commit()

    partitions.apply(conn, now=SOON)

    assert before == conn.execute(query).fetchone()
    assert not conn.autocommit


def test_an_open_transaction_is_refused(database: Database) -> None:
    """Inside a transaction of the caller no step could be short."""
    conn = database.connect(autocommit=False)
    conn.execute("SELECT 1")

    with pytest.raises(ValueError, match="outside a transaction"):
        partitions.apply(conn)


def test_an_empty_database_is_told_to_upgrade(empty: Database) -> None:
    """Before the first upgrade there are no policies."""
    with pytest.raises(Refused, match="has no table") as caught:
        partitions.status(empty.connect())

    assert caught.value.hint == "platform db upgrade"


def test_a_read_only_database_is_not_written(database: Database) -> None:
    """Looking works where sessions are read-only; changing is refused."""
    conn = database.connect(options="-c default_transaction_read_only=on")

    assert partitions.status(conn)
    for change in (partitions.apply, partitions.prune):
        with pytest.raises(Refused, match="read-only"):
            change(conn)


def test_the_application_may_look_not_touch(database: Database) -> None:
    """Status needs no more than reading the policies; apply needs the owner's role."""
    conn = database.connect("app")

    assert partitions.status(conn)
    with pytest.raises(Refused, match="may not act as platform_owner"):
        partitions.apply(conn)
