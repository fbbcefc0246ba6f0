"""Rules on locks, work and second runs, on facts made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ai_platform.catalog import CatalogObject, Key, Snapshot
from ai_platform.review.facts import (
    Lock,
    Review,
    Rewrite,
    Scan,
    Timing,
)
from ai_platform.review.rules import Evidence
from ai_platform.review.rules.engine import judge
from ai_platform.review.statements import is_version_row
from tests.support.rule_facts import (
    judged,
    locking,
    names,
    revision,
    statement,
    unmeasured,
)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("a uuid DEFAULT gen_random_uuid()", "volatile-default"),
        ("a bigserial", "generated-column-rewrite"),
        ("a int GENERATED ALWAYS AS (age) STORED", "generated-column-rewrite"),
    ],
)
def test_a_rewrite_has_one_cause(column: str, name: str) -> None:
    """Rules about rewrites share them out by what the text says."""
    sql = f"ALTER TABLE public.people ADD COLUMN {column}"
    fact = locking(sql, rewritten=(Rewrite("public.people", 8192),))

    assert names(judged(fact)) == [name]
    assert names(judged(replace(fact, is_measured=False))) == [
        name,
        "lock-timeout-missing",
    ]
    assert judged(locking(sql)) == ()


def test_an_unknown_rewrite_is_still_seen() -> None:
    """What no rule explains is reported for what it did."""
    sql = "ALTER TABLE public.people SET UNLOGGED"
    found = judged(locking(sql, rewritten=(Rewrite("public.people", 8192),)))

    assert names(found) == ["table-busy"]
    assert found[0].message == "public.people is rewritten under ACCESS EXCLUSIVE"


def test_one_missing_limit_is_one_finding() -> None:
    """A revision without a limit is told so once, at its first lock."""
    sql = "ALTER TABLE public.people ALTER age SET DEFAULT 1"
    fact = locking(sql, lock_timeout_ms=0)
    found = judged(fact, fact)

    assert [(item.rule, item.statement) for item in found] == [
        ("lock-timeout-missing", 1)
    ]


def test_repeatable_steps_are_left_alone() -> None:
    """A second run that ended at the same catalog proves more than the text."""
    sql = "CREATE INDEX CONCURRENTLY i ON public.people (age)"
    fact = statement(sql, in_transaction=False)
    proven = revision(fact, is_repeatable=True)
    broken = revision(fact, is_repeatable=False)

    assert judge(Review("base", "r1", "18", 1000, (proven,))) == ()
    found = judge(Review("base", "r1", "18", 1000, (broken,)))
    assert [(item.rule, item.is_measured) for item in found] == [
        ("autocommit-not-repeatable", True)
    ]


@pytest.mark.parametrize(
    "company",
    ["CREATE TABLE public.a (b int)", "INSERT INTO public.people VALUES (1)"],
)
def test_steps_that_commit_apart_are_seen(company: str) -> None:
    """What commits in parts is done by half when it stops; bookkeeping is no part."""
    build = "CREATE INDEX CONCURRENTLY i ON public.people (age)"
    clear = "DROP INDEX CONCURRENTLY IF EXISTS i"
    version = "UPDATE alembic_version SET version_num = 'r1'"
    alone = [statement(sql, in_transaction=False) for sql in (clear, build)]

    assert judged(*alone, statement(version)) == ()
    found = judged(statement(company), *alone, statement(version))
    assert names(found) == ["autocommit-not-alone"]


@pytest.mark.parametrize(
    "sql",
    [
        "DROP FUNCTION f()",
        "ALTER TABLE public.people VALIDATE CONSTRAINT c",
        "COMMENT ON TABLE public.people IS 'x'",
        "GRANT SELECT ON public.people TO app",
    ],
)
def test_gentle_statements_need_no_limit(sql: str) -> None:
    """Without a server too, only what makes writers wait is told to limit its wait."""
    assert "lock-timeout-missing" not in names(judged(unmeasured(sql)))


def test_a_remedy_is_for_the_table_as_it_is() -> None:
    """Who indexes a plain table reads nothing of partitions, unless nobody knows."""
    sql = "CREATE INDEX ix ON public.people (age)"
    table = CatalogObject(Key("table", "public.people"), None, {"form": "partitioned"})
    parted = Evidence(before=Snapshot(180000, {table.key: table}), lock_timeout_ms=1)

    (plain,) = judged(locking(sql, "S", rows=1000))
    (unknown,) = judged(unmeasured(sql), evidence=Evidence(lock_timeout_ms=1))
    (many,) = judged(unmeasured(sql), evidence=parted)

    assert "PARTITION" not in plain.remedy
    assert many.remedy in unknown.remedy
    assert "alone in a revision outside any transaction." in plain.remedy
    assert many.remedy.startswith("PostgreSQL has no CREATE INDEX CONCURRENTLY")


def test_wider_types_are_known_without_a_server() -> None:
    """With a catalog, a longer varchar is no rewrite even where nothing ran."""
    column = CatalogObject(
        Key("column", "public.people.name"), None, {"type": "character varying(50)"}
    )
    before = Snapshot(180000, {column.key: column})
    evidence = Evidence(before=before, lock_timeout_ms=4000)
    sql = "ALTER TABLE public.people ALTER name TYPE varchar({})"

    assert judged(unmeasured(sql.format(60)), evidence=evidence) == ()
    assert names(judged(unmeasured(sql.format(40)), evidence=evidence)) == [
        "type-change-rewrite"
    ]


def test_lost_parameters_are_read_from_the_file() -> None:
    """Bound and escaped parameters pass; what would become NULL is named."""
    fine = 'op.execute(text("SELECT :a").bindparams(a=1))\nop.execute("a::int")\n'
    evidence = Evidence(python=f'{fine}op.execute("SELECT :name")\n')

    found = judged(statement("SELECT NULL"), evidence=evidence)

    assert [(item.rule, item.message) for item in found] == [
        ("bind-parameter-lost", "line 3: :name is read as a parameter")
    ]


@pytest.mark.parametrize(
    ("sql", "mode", "severity", "remedy"),
    [
        (
            "ALTER TABLE public.notes DROP CONSTRAINT notes_fk",
            "AX",
            "warning",
            "Drop it in",
        ),
        ("DROP TABLE public.notes", "AX", "warning", "First drop the foreign key"),
        (
            "CREATE TABLE public.notes (id int REFERENCES public.people)",
            "SRX",
            "note",
            "Keep the transaction short",
        ),
    ],
)
def test_a_referenced_table_is_weighed(
    sql: str, mode: str, severity: str, remedy: str
) -> None:
    """Readers that wait are told louder than writers; each statement has its remedy."""
    found = [x for x in judged(locking(sql, mode)) if x.object == "public.people"]

    assert [(x.rule, x.severity) for x in found] == [
        ("foreign-key-locks-referenced", severity)
    ]
    assert found[0].remedy.startswith(remedy)


BATCHES = "DO $$ BEGIN UPDATE public.people SET age = 1; COMMIT; END $$"


@pytest.mark.parametrize(
    ("sql", "inside", "rules"),
    [
        ("SELECT public.fill()", True, ["backfill-in-one-go"]),
        (BATCHES.replace(" COMMIT;", ""), False, ["backfill-in-one-go"]),
        (BATCHES, False, []),
    ],
)
def test_rows_count_whatever_changed_them(
    sql: str, *, inside: bool, rules: list[str]
) -> None:
    """A function or block that changes many rows is a backfill, unless it commits."""
    changed = (Scan("public.people", 3000),)

    assert (
        names(judged(statement(sql, in_transaction=inside, updated=changed))) == rules
    )


@pytest.mark.parametrize(("mode", "who"), [("SRX", "writers"), ("AX", "readers and")])
def test_work_under_a_lock_names_who_waits(mode: str, who: str) -> None:
    """A lock that only writers feel makes a long transaction no better for them."""
    add = locking("ALTER TABLE public.people ADD CHECK (age > 0) NOT VALID", mode)
    work = statement("SELECT 1", scanned=(Scan("public.people", 3000),))

    (found,) = judged(add, work)

    assert found.rule == "lock-held-during-work"
    assert f"blocks its {who}" in found.message


def test_partitioned_tables_get_advice_that_works() -> None:
    """PostgreSQL refuses DROP INDEX CONCURRENTLY there: a note says what is left."""
    locks = (Lock("public.people", "partitioned table", "AX"),)

    (found,) = judged(statement("DROP INDEX public.people_age", locks=locks))

    assert found.severity == "note"
    assert "only as a whole, and not CONCURRENTLY" in found.remedy


def test_a_setting_taken_back_is_none() -> None:
    """RESET at the end leaves the next revision as it would be alone."""
    path = unmeasured("SET search_path = other")

    assert names(judged(path)) == ["setting-outlives-revision"]
    assert judged(path, unmeasured("RESET search_path")) == ()
    assert judged(unmeasured("SET LOCAL search_path = other")) == ()


def test_indexes_of_everything_are_rebuilt_at_once() -> None:
    """REINDEX names no table where it means all of them."""
    found = judged(unmeasured("REINDEX SYSTEM"))

    assert names(found) == ["reindex-not-concurrent"]
    assert "CONCURRENTLY" not in found[0].remedy


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "INSERT INTO revs (version_num) VALUES ('a') RETURNING revs.version_num",
            True,
        ),
        ("UPDATE v SET version_num='a' WHERE v.version_num = 'b'", True),
        ("DELETE FROM s.v WHERE s.v.version_num = 'a'", True),
        ("UPDATE people SET version_num = version_num + 1", False),
        ("DELETE FROM people WHERE version_num < 4", False),
        ("UPDATE people SET age = 'x' WHERE people.version_num = 'a'", False),
    ],
)
def test_only_alembics_row_is_bookkeeping(sql: str, *, expected: bool) -> None:
    """A project's own column of that name does not hide a change of every row."""
    assert is_version_row(sql) is expected


@pytest.mark.parametrize(
    ("seconds", "inserted", "is_told"), [(3, (), True), (0.5, (), False), (3, 5, False)]
)
def test_sleep_under_a_lock_is_told(
    seconds: float, inserted: int | tuple[()], *, is_told: bool
) -> None:
    """Who sleeps while others wait keeps them waiting, however small the tables."""
    lock = locking("ALTER TABLE public.people ADD COLUMN note text")
    rows = (Scan("public.made", inserted),) if inserted else ()
    sleep = statement("SELECT pg_sleep(3)", inserted=rows)
    sleep = replace(sleep, timing=Timing(duration_s=seconds))

    assert names(judged(lock, sleep)) == ["lock-held-during-work"] * is_told


def test_rows_are_told_by_their_table() -> None:
    """What a trigger writes is not said to be rows of the table that was changed."""
    rows = (Scan("public.log", 4000), Scan("public.people", 3000))
    fact = locking("UPDATE public.people SET age = 1", "RX", updated=rows)
    (found,) = judged(fact)

    assert found.object == "public.people"
    assert found.message == (
        "3,000 rows of public.people and 4,000 rows of public.log are changed in one "
        "transaction"
    )


def test_tables_closed_together_are_noted() -> None:
    """Two tables in one transaction; not one twice, nor both ends of one statement."""
    first, again = (locking(f"ALTER TABLE public.people ADD {c} int") for c in "ab")
    orders = Lock("public.orders", "table", "AX")
    second = statement("ALTER TABLE public.orders ADD c int", locks=(orders,))
    both = replace(first, locks=(*first.locks, orders))

    (found,) = judged(first, again, second)
    assert (found.rule, found.severity) == ("tables-locked-together", "note")
    assert (found.statement, found.object) == (3, "public.orders")
    assert "2 tables in use in one transaction: public.people, public" in found.message
    assert judged(first, again) == judged(both, second) == ()


def test_a_sequence_set_by_hand_is_told() -> None:
    """Nobody measured whether the number is taken: a warning; where it was, a note."""
    for sql in ("ALTER SEQUENCE s RESTART WITH 9", "SELECT setval('s'::regclass, 9)"):
        (measured,) = judged(statement(sql))
        found = [one for one in judged(unmeasured(sql)) if one.object == "s"]

        assert (measured.rule, measured.severity) == ("sequence-set-back", "note")
        assert [one.severity for one in found] == ["warning"]
    assert judged(statement("SELECT setval('s', max(id)) FROM t")) == ()
    made = statement("CREATE SEQUENCE s")
    assert judged(made, statement("ALTER SEQUENCE s RESTART WITH 9")) == ()
