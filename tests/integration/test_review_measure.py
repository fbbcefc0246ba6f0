"""Revisions of a small history, measured: what they did, and what was not done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from ai_platform.errors import Refused
from ai_platform.review._monitor import Monitor
from ai_platform.review._online import SEEN_IN_PASSING
from ai_platform.review._probes import Probes
from ai_platform.review._relations import known_relations
from ai_platform.review.bench import Bench
from ai_platform.review.facts import Scan, Timing
from ai_platform.review.measure import measure
from ai_platform.review.statements import UnreadableSql, split
from tests.support.measured import ROWS, source
from tests.support.writers import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_platform.review.facts import Review, RevisionFacts
    from tests.support.cluster import Cluster
    from tests.support.database import Database

# the gate and `make torture` run them
pytestmark = pytest.mark.slow


def test_a_rewrite_is_seen_with_its_rows(only: Callable[..., RevisionFacts]) -> None:
    """A volatile default rewrites the table while nobody may even read it."""
    facts = only("ALTER TABLE shop ADD COLUMN r float8 DEFAULT random(); SELECT 1")
    rewrite, after = facts.up

    assert facts.filled == (Scan("public.shop", ROWS),)
    assert [item.relation for item in rewrite.rewritten] == ["public.shop"]
    assert rewrite.rewritten[0].size > 0
    # once for the new file, once for the index of the new file
    assert rewrite.scanned == (Scan("public.shop", 2 * ROWS),)
    assert [item.letters for item in after.blocked] == ["RWD"]
    assert not any(lock.is_new for lock in after.locks)
    assert (after.lock_timeout_ms, rewrite.lock_timeout_ms) == (4000, 4000)
    assert rewrite.timing.held_s > rewrite.timing.duration_s > 0
    assert after.timing.start_s == rewrite.timing.duration_s


def test_a_new_table_may_be_written_anew(only: Callable[..., RevisionFacts]) -> None:
    """What the revision makes itself is nobody's wait, and no rewrite."""
    sql = (
        "CREATE TABLE public.mine (n int); ALTER TABLE public.mine ALTER n TYPE bigint"
    )
    facts = only(sql, "DROP TABLE public.mine")

    assert facts.error is None
    assert [item.rewritten for item in facts.up] == [(), ()]


def test_rows_and_bytes_are_counted(only: Callable[..., RevisionFacts]) -> None:
    """A backfill shows as what it writes: rows, WAL, temporary files, notices."""
    facts = only(
        """
        UPDATE shop SET n = 1;
        INSERT INTO orders SELECT id FROM shop LIMIT 7;
        DELETE FROM orders;
        SET LOCAL work_mem = '64kB';
        SELECT DISTINCT i FROM generate_series(1, 50000) AS i ORDER BY i DESC;
        DO $$ BEGIN RAISE WARNING 'slow'; END $$;
        """
    )
    update, insert, delete, setting, select, do = facts.up

    assert update.updated == (Scan("public.shop", ROWS),)
    assert update.timing.wal_bytes > 50 * ROWS
    assert insert.inserted == (Scan("public.orders", 7),)
    assert delete.deleted == (Scan("public.orders", ROWS + 7),)
    assert select.timing.temp_bytes > 50_000
    assert not any(lock.is_new for lock in setting.locks)
    assert do.notices == ("WARNING: slow",)


def test_what_is_told_row_by_row_is_counted(
    only: Callable[..., RevisionFacts],
) -> None:
    """A trigger that raises a notice for each row fills no report."""
    notice = "RAISE NOTICE '%', repeat('x', i)"
    facts = only(
        f"DO $$ BEGIN FOR i IN 1..500 LOOP {notice}; {notice}; END LOOP; END $$;"
        f"DO $$ BEGIN FOR i IN 9000..9001 LOOP {notice}; END LOOP; END $$"
    )
    many, long = (item.notices for item in facts.up)

    assert many[:2] == ("NOTICE: x", "NOTICE: xx")
    assert (len(many), many[-1]) == (21, "and 980 more")
    assert [len(told) for told in long] == [500, 10]


def test_each_statement_tells_what_it_changed(
    only: Callable[..., RevisionFacts],
) -> None:
    """Of a few statements each carries its own part of the difference."""
    facts = only(
        "SET LOCAL work_mem = '1MB'; CREATE INDEX ix ON shop (n);"
        "COMMENT ON TABLE shop IS 'x'; ALTER TABLE shop ALTER n SET DEFAULT 1"
    )

    told = [[(c.kind, c.property) for c in item.changes] for item in facts.up]
    assert told[1] == [("index", "object")]
    assert told[2] == []
    assert told[3] == [("column", "default")]
    assert ("table", "comment") in [(c.kind, c.property) for c in facts.changes]
    assert [table.relation for table in facts.tables] == ["public.shop"]


def test_limits_are_those_in_force(only: Callable[..., RevisionFacts]) -> None:
    """The runner's limits hold until the revision sets its own."""
    facts = only(
        "SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '2min'; SELECT 1"
    )

    limits = [(item.lock_timeout_ms, item.statement_timeout_ms) for item in facts.up]
    default = limits[0][1]
    assert limits == [(4_000, default), (1_000, default), (1_000, 120_000)]


def test_a_look_takes_no_time_of_the_revision(
    only: Callable[..., RevisionFacts],
) -> None:
    """How long a transaction may be idle is not for who looks at it meanwhile."""
    limit = "SET LOCAL idle_in_transaction_session_timeout = '1ms';"
    # run again after a way down it would only show how busy the computer is
    facts = only(f"{limit} LOCK TABLE shop; SELECT 1", None)

    assert facts.error is None
    assert [item.letters for item in facts.up[1].blocked] == ["RWD"]


def test_a_wait_for_a_lock_is_seen(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody else uses the table, a lock shows as one that was waited for."""
    reader = empty.connect(autocommit=False)
    reader.execute("CREATE TABLE busy ()")
    reader.commit()
    reader.execute("SELECT FROM busy")
    look = Monitor._look

    def until_seen(monitor: Monitor) -> None:
        look(monitor)
        if monitor.seen.waited:
            reader.rollback()

    monkeypatch.setattr(Monitor, "_look", until_seen)
    with Bench(empty.target, empty.cluster.target, {}) as bench:
        (fact,) = bench.measure(split("ALTER TABLE busy ADD c int")).statements

    assert [(lock.mode, lock.waited) for lock in fact.locks] == [("AX", True)]


def test_who_comes_later_queues_behind_a_wait(empty: Database) -> None:
    """One old reader, one ALTER that waits for it, and nobody reads any more."""
    reader = empty.connect(autocommit=False)
    reader.execute("CREATE TABLE busy (c int)")
    reader.commit()
    reader.execute("SELECT FROM busy")
    waiting = empty.connect()
    waiting.execute("SET lock_timeout = '10s'")
    busy = next(iter(known_relations(waiting).readable(known_relations(waiting))))
    probes = Probes((empty.connect() for _ in range(3)), empty.connect())

    assert probes.blocked(busy).letters == ""
    with ThreadPoolExecutor(1) as pool:
        altered = pool.submit(waiting.execute, "ALTER TABLE busy ADD d int")
        until(lambda: probes.blocked(busy).letters == "RWD")
        reader.rollback()
        altered.result()
    assert probes.blocked(busy).letters == ""
    probes.close()


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("CREATE INDEX ix ON nowhere (n)", 'relation "nowhere" does not exist'),
        ("CREATE EXTENSION missing_one", 'extension "missing_one" is not available'),
        ("SELECT pg_sleep(60)", "cancelled: it ran longer than 5 seconds"),
        ("CREATE INDEX CONCURRENTLY ix ON shop (n)", "cannot run inside a transaction"),
    ],
)
def test_a_failure_is_never_a_measurement(
    measured: Callable[..., Review], statement: str, error: str
) -> None:
    """What failed, what stood after it, and what builds on it, is not measured."""
    review = measured(
        source("one", f"SELECT 1; {statement}; SELECT 2"),
        source("two", "SELECT 3"),
        limit_s=5,
    )
    one, two = review.revisions

    assert error in (one.error or "")
    assert [item.is_measured for item in one.up] == [True, False, False]
    assert error in (one.up[1].error or "")
    assert (one.changes, one.is_reversible, review.is_measured) == ((), None, False)
    assert two.error == "not measured: revision one, which comes before, failed"
    assert [item.is_measured for item in two.up] == [False]


def test_a_commit_may_fail_too(only: Callable[..., RevisionFacts]) -> None:
    """A constraint that was deferred fails when all statements were fine."""
    facts = only("INSERT INTO orders VALUES (-77)")

    assert (facts.error or "").startswith("COMMIT: ")


def test_what_a_downgrade_leaves_is_listed(only: Callable[..., RevisionFacts]) -> None:
    """A way back that forgets something is none; going up again meets it."""
    facts = only(
        "CREATE TABLE t (); CREATE FUNCTION f() RETURNS int RETURN 1", "DROP TABLE t"
    )

    assert [change.identity for change in facts.left_behind] == ["public.f()"]
    assert facts.is_reversible is False
    assert "already exists" in facts.notes[-1]
    assert facts.error is None


def test_choices_of_an_operator_are_leaks_here(
    only: Callable[..., RevisionFacts],
) -> None:
    """An extension and a right of PUBLIC are a trace; the place of a column is none."""
    facts = only(
        "CREATE EXTENSION IF NOT EXISTS pg_trgm;"
        "GRANT CREATE ON SCHEMA public TO PUBLIC; ALTER TABLE shop DROP name",
        "ALTER TABLE shop ADD name varchar(20) NOT NULL DEFAULT '';"
        "ALTER TABLE shop ALTER name DROP DEFAULT",
    )

    assert [item.kind for item in facts.left_behind] == ["extension", "schema"]


ROLE = "DROP OWNED BY shop_seer; DROP ROLE shop_seer"


def test_a_partition_of_a_day_is_left_too(only: Callable[..., RevisionFacts]) -> None:
    """Drift lets partitions come and go; a revision answers for those it makes."""
    facts = only(
        """CREATE TABLE days (day date) PARTITION BY RANGE (day);
           CREATE TABLE one PARTITION OF days
               FOR VALUES FROM ('2026-01-01') TO ('2026-01-02')""",
        "ALTER TABLE days DETACH PARTITION one; DROP TABLE days",
    )

    assert [change.identity for change in facts.left_behind] == ["public.one"]


@pytest.mark.parametrize("place", [{}, {"dsn": None, "insist": None}])
def test_what_fails_on_rows_only_stops_nothing(
    measured: Callable[..., Review], place: dict[str, None]
) -> None:
    """What comes after it, or after a leak, is measured as if both had run."""
    review = measured(
        source(
            "role", "CREATE ROLE shop_seer; GRANT SELECT ON shop TO shop_seer", ROLE
        ),
        source("fails", "ALTER TABLE shop ADD code int NOT NULL"),
        source("leaks", "CREATE TYPE size AS ENUM ('s')", "SELECT 1"),
        source("fine", "ALTER TABLE shop ADD size size", "ALTER TABLE shop DROP size"),
        **place,
    )
    _, fails, leaks, fine = review.revisions

    assert "contains null values" in (fails.refusal.error if fails.refusal else "")
    assert (leaks.error, len(leaks.left_behind)) == (None, 1)
    assert (fine.error, fine.is_reversible, fine.left_behind) == (None, True, ())
    assert "code" in {column.name for column in fine.tables[0].after or ()}


def test_a_failed_way_back_ends_nothing_else(measured: Callable[..., Review]) -> None:
    """A way back that rolls back leaves the review where it can go on."""
    review = measured(
        source("fails", "CREATE TABLE u ()", "DROP TABLE v"),
        source("oneway", "CREATE TABLE w ()", None),
        source("fine", "CREATE TABLE x ()", "DROP TABLE x"),
    )

    assert [item.error for item in review.revisions] == [None] * 3
    assert [item.is_reversible for item in review.revisions] == [False, False, True]
    told = 'the way down failed: table "v" does not exist'
    assert review.revisions[0].notes == (told,)
    assert review.is_measured is False  # a statement of the way down was not


def test_lost_data_is_named(measured: Callable[..., Review]) -> None:
    """A column that comes back empty was lost, unless the revision says so."""
    up, down = "ALTER TABLE shop DROP n", "ALTER TABLE shop ADD n int"
    found = [
        measured(source("one", up, down, lossy=lossy)).revisions[0].lost
        for lossy in ((), ("public.shop.n",))
    ]

    assert found == [("public.shop.n",), ()]


def test_what_comes_before_must_run(cluster: Cluster) -> None:
    """A review on ground that cannot be built says which revision it was."""
    broken = source("broken", "DROP TABLE nowhere")

    with pytest.raises(Refused, match=r"broken\.py: revision broken, before"):
        measure([], before=[broken], dsn=cluster.target, insist="postgres")


def test_unreadable_sql_starts_no_server() -> None:
    """A typing error is told at once, with revision and line."""
    told = "one.py: SQL of revision one, line 2: syntax error .*: SELEC 2"
    with pytest.raises(UnreadableSql, match=told):
        measure([source("one", "SELECT 1;\nSELEC 2")])


def test_a_revision_without_sql_is_not_measured(
    measured: Callable[..., Review],
) -> None:
    """Python that asks the database has no text: said, and never passed over."""
    review = measured(source("one", "", offline_error="it reads data"))

    assert review.revisions[0].error == "it has no SQL: it reads data"
    assert review.is_measured is False


def test_python_is_measured_as_a_whole(measured: Callable[..., Review]) -> None:
    """A revision that reads data runs as it is, and its locks and rows are seen."""

    def online(revision: str, dsn: str, down: bool) -> None:  # noqa: FBT001
        with psycopg.connect(dsn) as connection:
            rows = connection.execute("SELECT id FROM shop LIMIT 3").fetchall()
            for row in rows:
                connection.execute("UPDATE shop SET n = NULL WHERE id = %s", row)
            verb = "DROP" if down else "ADD"
            connection.execute(
                f"ALTER TABLE shop {verb} COLUMN c{'' if down else ' int'}"
            )

    python = source("one", "", None, offline_error="reads", down_error="reads")
    (facts,) = measured(python, online=online, dsn=None).revisions
    (whole,) = facts.up

    assert facts.error is None
    assert facts.filled == (Scan("public.shop", ROWS),)
    assert whole.updated == (Scan("public.shop", 3),)
    assert ("public.shop", "AX") in {(x.relation, x.mode) for x in whole.locks}
    assert [change.identity for change in facts.changes] == ["public.shop.c"]
    assert (facts.is_reversible, facts.is_repeatable) == (True, None)
    assert facts.lost == ("public.shop.n",)
    assert facts.notes == ("nobody listened to its Python", SEEN_IN_PASSING)


def test_measuring_again_gives_the_same_facts(measured: Callable[..., Review]) -> None:
    """A report differs from the next one where the change does, and in timing."""
    change = source(
        "one",
        "ALTER TABLE shop ADD CHECK (n IS NULL OR n > -2147483648) NOT VALID;"
        "CREATE INDEX ix ON shop (name)",
        "DROP INDEX ix",
    )

    first, second = (timeless(measured(change)) for _ in range(2))
    assert first == second


def timeless(review: Review) -> list[RevisionFacts]:
    """Return the facts without what a clock decides; a rewrite keeps its size."""
    return [
        replace(
            item,
            up=tuple(replace(fact, timing=Timing()) for fact in item.up),
            down=tuple(replace(fact, timing=Timing()) for fact in item.down),
        )
        for item in review.revisions
    ]


def test_a_leak_is_told_once(only: Callable[..., RevisionFacts]) -> None:
    """What is missing after the way down is missing as well after the next way up."""
    facts = only("COMMENT ON TABLE shop IS 'x'", "ALTER TABLE shop DROP n")

    told = [(item.kind, item.identity, item.property) for item in facts.left_behind]
    assert len(told) == len(set(told)) > 0


def test_a_failure_tells_what_stands_in_the_way(
    only: Callable[..., RevisionFacts],
) -> None:
    """The server's DETAIL names it; its HINT says what can be done."""
    error = only("DROP TABLE shop").error or ""

    assert "because other objects depend on it; constraint orders_shop_id_fkey" in error
    assert error.endswith("Use DROP ... CASCADE to drop the dependent objects too")
