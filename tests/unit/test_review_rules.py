"""Rules on facts made by hand: what is seen, what is read, what is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ai_platform.catalog import CatalogObject, Key, Snapshot
from ai_platform.errors import BadValue
from ai_platform.review.acceptances import parse
from ai_platform.review.facts import (
    Change,
    Finding,
    Lock,
    Review,
    RevisionFacts,
    Rewrite,
    Scan,
    StatementFacts,
    Timing,
)
from ai_platform.review.rules import Evidence, RevisionContext, Rule, all_rules, rule
from ai_platform.review.rules._rule import DOCUMENT
from ai_platform.review.rules.engine import CRASH, judge
from ai_platform.review.rules.reference import reference
from ai_platform.review.sources import RevisionSource
from ai_platform.review.statements import split
from ai_platform.settings import CHECKOUT

INDEX = "CREATE INDEX ON public.people (age)"


def statement(sql: str, number: int = 1, **facts: Any) -> StatementFacts:
    """Return the facts of *sql*: measured, with a limit, and nothing seen."""
    found = StatementFacts(
        number=number,
        sql=sql,
        tag=split(sql)[0].tag,
        in_transaction=True,
        lock_timeout_ms=4000,
    )
    return replace(found, **facts)


def locking(sql: str, mode: str = "AX", rows: int = 0, **facts: Any) -> StatementFacts:
    """Return the facts of *sql*, which locked public.people and read *rows* of it."""
    scans = (Scan("public.people", rows),) if rows else ()
    locks = (Lock("public.people", "table", mode),)  # type: ignore[arg-type]
    return statement(sql, **{"locks": locks, "scanned": scans, **facts})


def unmeasured(sql: str, number: int = 1) -> StatementFacts:
    """Return the facts of *sql* where nothing was measured."""
    return statement(sql, number, is_measured=False, lock_timeout_ms=0)


def revision(*up: StatementFacts, name: str = "r1", **facts: Any) -> RevisionFacts:
    """Return a revision of the statements *up*, numbered as they come."""
    numbered = tuple(replace(item, number=n) for n, item in enumerate(up, start=1))
    found = RevisionFacts(name, None, "A revision", "r1.py", numbered)
    return replace(found, **facts)


def judged(
    *up: StatementFacts, rows: int = 1000, evidence: Evidence | None = None
) -> tuple[Finding, ...]:
    """Return the findings of one revision of the statements *up*."""
    review = Review("base", "r1", "18", rows, (revision(*up),))
    return judge(review, {"r1": evidence or Evidence()})


def names(findings: tuple[Finding, ...]) -> list[str]:
    """Return the rules of *findings*."""
    return [item.rule for item in findings]


def test_what_was_seen_is_measured() -> None:
    """A finding says whether a server showed it."""
    found = judged(locking(INDEX, "S", rows=1000))

    assert [(item.rule, item.is_measured) for item in found] == [
        ("index-not-concurrent", True)
    ]
    assert "1000 rows of public.people are read under SHARE" in found[0].message


def test_what_was_not_seen_is_no_finding() -> None:
    """The server knows better than the text, which looks like a long build."""
    assert judged(locking(INDEX, "S")) == ()


def test_the_text_serves_where_nothing_ran() -> None:
    """Without a measurement a rule reads the statement, and says so."""
    found = judged(unmeasured(INDEX), evidence=Evidence(lock_timeout_ms=4000))

    assert [(item.rule, item.is_measured) for item in found] == [
        ("index-not-concurrent", False)
    ]


def test_empty_tables_prove_nothing() -> None:
    """No rows read from a table without rows does not acquit a scan."""
    sql = "ALTER TABLE public.people ALTER age SET NOT NULL"

    (found,) = judged(locking(sql), rows=0)
    assert (found.rule, found.is_measured) == ("set-not-null-scan", False)
    assert found.unseen == "tables have no rows, as asked for by --rows 0"
    assert judged(locking(sql), rows=1000) == ()


def test_an_unfilled_table_is_named() -> None:
    """Why a table stayed empty is said where its statement could not show a scan."""
    sql = "ALTER TABLE public.people ALTER age SET NOT NULL"
    note = "public.people has no rows: people_check cannot be met"
    facts = revision(locking(sql), notes=(note,))

    (found,) = judge(Review("base", "r1", "18", 1000, (facts,)))
    assert found.unseen == note
    (text,) = judged(unmeasured(sql), evidence=Evidence(lock_timeout_ms=4000))
    assert text.unseen is None


def test_dynamic_sql_drops_what_is_gone() -> None:
    """The catalog shows what a DO block, or Python, dropped or renamed."""
    gone = (
        Change("column", "public.people.age", "object", "present", None),
        Change("table", "public.made", "object", None, "present"),
    )
    do = statement("DO $$ BEGIN END $$", changes=gone)
    python = replace(statement("SELECT 1"), sql="-- Python", tag="PYTHON")

    assert [(x.rule, x.object) for x in judged(do)] == [
        ("drop-breaks-code", "public.people.age")
    ]
    review = Review("base", "r1", "18", 9, (revision(python, changes=gone),))
    assert names(judge(review)) == ["drop-breaks-code"]


@pytest.mark.parametrize("make", ["public.people", "people"])
def test_new_tables_are_left_alone(make: str) -> None:
    """A table of the same revision has no readers, however its name is written."""
    made = statement(f"CREATE TABLE {make} (age int)")

    assert judged(made, locking(INDEX, "S", rows=1000)) == ()


def test_tables_of_the_review_are_new() -> None:
    """Production stands at the base: what an earlier revision made is empty there."""
    first = revision(statement("CREATE TABLE public.people (age int)"))
    second = revision(locking(INDEX, "S", rows=1000), name="r2")

    assert judge(Review("base", "r2", "18", 1000, (first, second))) == ()


def test_tables_of_dynamic_sql_are_new() -> None:
    """The catalog shows a table that the text does not."""
    made = (Change("table", "public.people", "object", None, "present"),)
    facts = revision(locking(INDEX, "S", rows=1000), changes=made)

    assert judge(Review("base", "r1", "18", 1000, (facts,))) == ()


@pytest.mark.parametrize(
    ("estimate_s", "severity"), [(0.4, None), (3.0, "warning"), (60.0, "error")]
)
def test_estimates_weigh_a_lock(estimate_s: float, severity: str | None) -> None:
    """A lock of under a second on production's sizes is nobody's concern."""
    timing = Timing(estimated_s=estimate_s)
    found = judged(locking(INDEX, "S", rows=1000, timing=timing))

    assert [item.severity for item in found] == ([severity] if severity else [])


def test_small_tables_of_production_are_quiet() -> None:
    """Forty rows are read before anybody notices; a large table stays an error."""
    fact = locking(INDEX, "S", rows=1000)
    small = Evidence(production={"public.people": 40})
    large = Evidence(production={"public.people": 4_000_000})

    assert judged(fact, evidence=small) == ()
    assert names(judged(fact, evidence=large)) == ["index-not-concurrent"]


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


def test_contract_may_drop() -> None:
    """The phase that a revision names is what makes a drop deliberate."""
    sql = "ALTER TABLE public.people DROP COLUMN age"
    source = RevisionSource("r1", None, "A revision", "r1.py", f"{sql};", None)
    contract = Evidence(source=replace(source, phase="contract"))
    expand = Evidence(source=replace(source, phase="expand"))

    assert judged(locking(sql), evidence=contract) == ()
    assert names(judged(locking(sql), evidence=expand)) == ["drop-breaks-code"]


def test_commits_between_free_the_lock() -> None:
    """A lock of an earlier transaction of the revision is not held any more."""
    alter = "ALTER TABLE public.people ADD CHECK (age > 0) NOT VALID"
    work = "ALTER TABLE public.people VALIDATE CONSTRAINT people_age_check"
    facts = (locking(alter), locking(work, "SUX", rows=1000))
    text = f"{alter};\nCOMMIT;\nBEGIN;\n{work};"
    source = RevisionSource("r1", None, "A revision", "r1.py", text, None)

    apart = names(judged(*facts, evidence=Evidence(source=source)))
    assert "lock-held-during-work" not in apart
    assert names(judged(*facts)) == ["lock-held-during-work"]


def test_existing_tables_are_not_made_again() -> None:
    """CREATE TABLE IF NOT EXISTS of a table in use does not make it new."""
    sql = "CREATE TABLE IF NOT EXISTS public.people (age int)"
    skipped = ('NOTICE: relation "people" already exists, skipping',)
    index = locking(INDEX, "S", rows=1000)

    assert judged(statement(sql), index) == ()
    found = judged(statement(sql, notices=skipped), index)
    assert names(found) == ["index-not-concurrent"]


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


def test_a_rule_that_crashes_is_an_error() -> None:
    """A verdict that is missing must not read as an acquittal."""

    def check(_: RevisionContext) -> Any:
        raise ZeroDivisionError("by zero")

    broken = replace(rule("table-busy"), statement=None, revision=check)
    review = Review("base", "r1", "18", 1000, (revision(statement("SELECT 1")),))
    found = judge(review, rules=[broken])

    assert [(item.rule, item.severity, item.object) for item in found] == [
        (CRASH, "error", "table-busy")
    ]
    assert "ZeroDivisionError: by zero" in found[0].message


def test_findings_come_in_one_order() -> None:
    """Two reviews of one change are equal, whatever the order of the rules."""
    facts = revision(
        locking("ALTER TABLE public.people RENAME age TO years", lock_timeout_ms=0),
        locking(INDEX, "S", rows=1000, lock_timeout_ms=0),
    )
    review = Review("base", "r1", "18", 1000, (facts,))

    assert names(judge(review)) == names(judge(review, rules=all_rules()))
    assert [item.statement for item in judge(review)] == [1, 1, 2]


def test_statements_without_a_tree_are_left_alone() -> None:
    """What the grammar does not know cannot crash a rule."""
    fact = replace(statement("SELECT 1"), sql="SELECT FROM FROM")

    assert judged(fact) == ()


def test_lost_parameters_are_read_from_the_file() -> None:
    """Bound and escaped parameters pass; what would become NULL is named."""
    fine = 'op.execute(text("SELECT :a").bindparams(a=1))\nop.execute("a::int")\n'
    evidence = Evidence(python=f'{fine}op.execute("SELECT :name")\n')

    found = judged(statement("SELECT NULL"), evidence=evidence)

    assert [(item.rule, item.message) for item in found] == [
        ("bind-parameter-lost", "line 3: :name is read as a parameter")
    ]


def test_rules_have_stable_names() -> None:
    """Acceptances and dashboards hold on to a rule by its name."""
    found = [item.id for item in all_rules()]

    assert len(found) == len(set(found)) == 62
    assert [name for name in found if not name.replace("-", "").isalpha()] == []
    assert {item.number for item in all_rules()} == set(range(1, 42))


def test_unknown_rules_are_refused() -> None:
    """A name with a typing error is told so."""
    with pytest.raises(BadValue, match="no such rule: got 'indx'"):
        rule("indx")


@pytest.mark.parametrize("item", [pytest.param(r, id=r.id) for r in all_rules()])
def test_every_rule_says_what_to_do(item: Rule) -> None:
    """Hazard, evidence and remedy are sentences; the anchor is in the page."""
    for text in (item.hazard, item.measured, item.remedy):
        assert text[0].isupper()
        assert text.endswith(".")
    assert item.anchor == f"docs/review-rules.md#{item.id}"
    assert (item.statement is None) != (item.revision is None)


def test_the_page_of_the_rules_is_current() -> None:
    """docs/review-rules.md is what `platform docs build` writes."""
    written = (CHECKOUT / DOCUMENT).read_text(encoding="utf-8")

    assert written == reference()
    assert [r.id for r in all_rules() if f"\n### {r.id}\n" not in written] == []


def test_the_accepting_example_is_valid() -> None:
    """What the page says to write into the file can be read."""
    block = reference().partition("```toml\n")[2].partition("```")[0]

    (entry,) = parse(block, rules={item.id for item in all_rules()})
    assert entry.object == "public.orders_person"


@pytest.mark.parametrize(
    ("sql", "mode", "severity"),
    [
        ("ALTER TABLE public.notes DROP CONSTRAINT notes_fk", "AX", "warning"),
        ("DROP TABLE public.notes", "AX", "warning"),
        (
            "CREATE TABLE public.notes (id int REFERENCES public.people)",
            "SRX",
            "note",
        ),
    ],
)
def test_a_referenced_table_is_weighed(sql: str, mode: str, severity: str) -> None:
    """Who keeps readers of a busy table waiting is told louder than of writers."""
    found = [x for x in judged(locking(sql, mode)) if x.object == "public.people"]

    assert [(x.rule, x.severity) for x in found] == [
        ("foreign-key-locks-referenced", severity)
    ]


def policy(**values: Any) -> CatalogObject:
    """Return the policy `own` of public.people as a catalog has it."""
    usual = {"using": "(owner = USER)", "roles": ["app"], "command": "ALL"}
    return CatalogObject(Key("policy", "own on public.people"), None, usual | values)


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        (policy(), policy(using="true"), "warning"),
        (policy(), policy(roles=["app", "PUBLIC"]), "warning"),
        (policy(), policy(using="(owner IS NOT NULL)"), "note"),
        (policy(restrictive=True), None, "warning"),
        (policy(restrictive=True), policy(), "warning"),
        (policy(restrictive=True, roles=["a", "b"]), None, "warning"),
        (None, policy(using="true", command="SELECT"), "warning"),
        (None, policy(using="true", roles=["boss"]), None),
        (policy(), None, None),
        (policy(roles=["app", "b"]), policy(), None),
        (None, policy(), None),
    ],
)
def test_a_wider_policy_is_told(
    before: CatalogObject | None, after: CatalogObject | None, severity: str | None
) -> None:
    """What opens rows is seen in the catalog, whatever statement did it."""
    key = Key("table", "public.people")
    table = CatalogObject(key, None, {"row security": True, "owner": "boss"})
    snapshots = [
        Snapshot(180000, {item.key: item for item in (table, one) if item})
        for one in (before, after)
    ]
    found = judge(
        Review("base", "r1", "18", 9, (revision(statement("SELECT 1")),)),
        {"r1": Evidence(None, *snapshots)},
        rules=[rule("policy-wider")],
    )

    assert [item.severity for item in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("CREATE ROLE seer BYPASSRLS", ["seer"]),
        ('ALTER USER "A b" WITH SUPERUSER', ['"A b"']),
        ("ALTER ROLE app NOBYPASSRLS NOSUPERUSER", []),
        ("CREATE ROLE app LOGIN", []),
        ("GRANT boss TO app", ["app"]),
        ("DO $$ BEGIN EXECUTE 'CREATE ROLE x BYPASSRLS'; END $$", ["DO"]),
        ("DO $$ BEGIN EXECUTE 'CREATE ROLE x NOBYPASSRLS'; END $$", []),
    ],
)
def test_powers_of_roles_are_told(sql: str, found: list[str]) -> None:
    """No catalog of one database shows them: the statement does."""
    hits = [x for x in judged(statement(sql)) if x.rule == "role-past-policies"]

    assert [item.object for item in hits] == found


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
