"""Rules about what becomes of rights, constraints and numbers, on catalogs by hand."""

from __future__ import annotations

from typing import Any

import pytest

from ai_platform.review.facts import Scan
from tests.support.rule_facts import judged, names, statement
from tests.unit.test_review_rules_tenants import CLOSED, OPEN, OWN, told

ASKS = {**OWN, "using": "(tenant = ( SELECT app.tenant() AS tenant))"}
READER = {"owner": "boss", "rights": ["seer: SELECT"]}
HELPER = {"body": "SELECT current_setting('app.tenant')::int"}


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ({"using": "(gone IS NULL)"}, "own asks"),
        ({"using": "(gone IS NULL)", "roles": ["seer"]}, None),
        ({"using": "(owner = CURRENT_USER)"}, None),
        ({"using": "(gone IS NULL)", "restrictive": True}, None),
        ({"using": "(gone IS NULL)", "command": "SELECT"}, "own asks"),
    ],
    ids=["for all", "others", "asks", "restrictive", "one command"],
)
def test_a_policy_asks_who_is_there(new: dict[str, Any], said: str | None) -> None:
    """A condition on rows alone, beside one that asks whose they are, opens them."""
    before = {"table:app.notes": CLOSED, "policy:own on app.notes": ASKS}
    after = {**before, "policy:new on app.notes": {**OWN, **new}}

    found = told("policy-wider", before, after)
    assert [said in item for item in found if said] == ([True] if said else [])
    assert bool(found) is bool(said)


@pytest.mark.parametrize("form", ["({} OR (a = 1))", "((a = 1) OR {})"])
def test_or_makes_a_policy_wider(form: str) -> None:
    """What is the old condition OR another lets through more, whatever that is."""
    before = {"table:app.notes": CLOSED, "policy:own on app.notes": ASKS}
    wider = {**ASKS, "using": form.format(ASKS["using"])}

    (found,) = told(
        "policy-wider", before, {**before, "policy:own on app.notes": wider}
    )
    assert "lets through what it did, and more" in found


@pytest.mark.parametrize(
    ("body", "said"),
    [("SELECT 1", "the same to everybody"), ("SELECT app.other()", "is that less?")],
)
def test_a_helper_of_policies_still_asks(body: str, said: str) -> None:
    """A function that policies call, and that looks at nothing any more, is told."""
    table = {"table:app.notes": CLOSED, "policy:own on app.notes": ASKS}
    before = {**table, "function:app.tenant()": HELPER}

    (found,) = told(
        "policy-wider", before, {**table, "function:app.tenant()": {"body": body}}
    )
    assert said in found


@pytest.mark.parametrize(
    ("forced", "owner", "said"),
    [
        (True, "app", "may switch row security off"),
        (False, "app", "sees every row"),
        (True, "other", None),
    ],
)
def test_an_owner_was_not_held_back(
    owner: str, said: str | None, *, forced: bool
) -> None:
    """Whom policies name does not become the owner unsaid."""
    closed = {**CLOSED, "row security forced": forced}
    policies = {"policy:own on app.notes": OWN}

    found = told(
        "owner-past-policies",
        {"table:app.notes": closed, **policies},
        {"table:app.notes": {**closed, "owner": owner}, **policies},
    )
    assert [said in item for item in found if said] == ([True] if said else [])
    assert bool(found) is bool(said)


@pytest.mark.parametrize(
    ("others", "is_told"),
    [
        ({"table:app.b": READER}, True),
        ({}, False),
        ({"table:app.b": READER, "table:app.c": {"rights": ["seer: INSERT"]}}, False),
        (
            {"table:app.b": READER, "column:app.b.c": {"rights": ["seer: UPDATE"]}},
            False,
        ),
        ({"table:app.b": READER, "view:app.c": {"owner": "seer"}}, False),
        ({"table:app.a": {}, "table:app.b": READER, "table:app.c": READER}, False),
    ],
    ids=["reader", "of one", "elsewhere", "a column", "owns something", "not that"],
)
def test_a_reader_stays_one(others: dict[str, Any], *, is_told: bool) -> None:
    """A role that reads several tables and writes none is one that may only read."""
    before = {"table:app.a": READER, **others}
    after = {**before, "table:app.a": {"owner": "boss", "rights": ["seer: UPDATE"]}}

    assert bool(told("reader-may-write", before, after)) is is_told


QUERY = "WITH w AS (SELECT n.id FROM app.n) SELECT w.id, c.oid FROM w, pg_class c"


@pytest.mark.parametrize(
    ("table", "is_told"), [({}, True), ({"rights": ["app: SELECT"]}, False)]
)
def test_an_invoker_may_read_the_tables(
    table: dict[str, Any], *, is_told: bool
) -> None:
    """With security_invoker whoever reads a view needs rights on its tables."""
    view = {**OPEN, "definition": QUERY}
    before = {"table:app.n": {"owner": "boss", **table}, "view:app.v": view}
    asking = {**view, "options": ["security_invoker=true"]}

    found = told("view-reader-refused", before, {**before, "view:app.v": asking})
    assert bool(found) is is_told


COUNTED = {"type": "integer", "default": "nextval('app.n_id_seq'::regclass)"}
IDENTITY = {"type": "integer", "identity": "always"}


@pytest.mark.parametrize(
    ("was", "now", "is_told"),
    [
        (COUNTED, IDENTITY, True),
        ({"type": "integer"}, COUNTED, True),
        (IDENTITY, {**IDENTITY, "identity": "by default"}, False),
        (COUNTED, COUNTED, False),
    ],
    ids=["identity", "default", "kind", "same"],
)
def test_a_new_sequence_begins_anew(
    was: dict[str, Any], now: dict[str, Any], *, is_told: bool
) -> None:
    """Another sequence for a column that has numbers is told."""
    found = told(
        "numbers-begin-anew", {"column:app.n.id": was}, {"column:app.n.id": now}
    )
    assert bool(found) is is_told


def test_a_renamed_sequence_goes_on() -> None:
    """A sequence that only gets another name, or schema, gives the next number."""
    before = {"column:app.n.id": {**COUNTED, "default": "nextval('s'::regclass)"}}
    ways = (
        "ALTER SEQUENCE s RENAME TO n_id_seq",
        "ALTER SEQUENCE n_id_seq SET SCHEMA app",
    )

    for sql in ways:
        after = {"column:app.n.id": COUNTED}
        assert not told("numbers-begin-anew", before, after, statement(sql))


def test_an_enforced_constraint_stays_so() -> None:
    """One that is made NOT ENFORCED is told; one that always was is not."""
    key, held = "constraint:c on app.n", {"definition": "FOREIGN KEY (a) REFERENCES b"}
    idle = {**held, "not enforced": True}

    assert len(told("constraint-not-enforced", {key: held}, {key: idle})) == 1
    assert told("constraint-not-enforced", {key: idle}, {key: idle}) == []


TRIGGER = "CREATE TRIGGER {} BEFORE UPDATE ON app.n FOR EACH ROW EXECUTE FUNCTION f()"


@pytest.mark.parametrize(
    ("after", "is_told"),
    [
        ({"table:app.n": {}}, True),
        ({}, False),
        (
            {
                "table:app.n": {},
                "trigger:b on app.n": {"definition": TRIGGER.format("b")},
            },
            False,
        ),
    ],
    ids=["gone", "with its table", "renamed"],
)
def test_a_trigger_goes_unreplaced(after: dict[str, Any], *, is_told: bool) -> None:
    """A trigger that nothing replaces is told, unless its table goes too."""
    before = {
        "table:app.n": {},
        "trigger:a on app.n": {"definition": TRIGGER.format("a")},
    }

    assert bool(told("trigger-gone", before, after)) is is_told


REPLICA = "SET {} session_replication_role = {}"
WRITE = statement(
    "INSERT INTO public.people VALUES (1)", inserted=(Scan("public.people", 1),)
)


@pytest.mark.parametrize(
    ("up", "is_told"),
    [
        ([REPLICA.format("LOCAL", "replica")], True),
        ([REPLICA.format("", "replica"), REPLICA.format("", "origin")], False),
        ([REPLICA.format("", "replica"), "RESET ALL"], False),
        (["ALTER TABLE public.people DISABLE TRIGGER ALL"], True),
        (["ALTER TABLE public.people DISABLE TRIGGER USER"], False),
    ],
    ids=["replica", "back", "reset", "all", "user"],
)
def test_rows_are_written_checked(up: list[str], *, is_told: bool) -> None:
    """Rows that come in while foreign keys are off are told."""
    found = names(judged(*(statement(sql) for sql in up), WRITE))

    assert ("written-unchecked" in found) is is_told


@pytest.mark.parametrize(("column", "is_told"), [("age", False), ("id", True)])
def test_other_columns_break_no_key(column: str, *, is_told: bool) -> None:
    """An UPDATE beside foreign keys cannot break them, whoever looks."""
    table = "public.people"
    key = {"definition": f"FOREIGN KEY (p) REFERENCES {table}(id) ON DELETE CASCADE"}
    known = {"constraint:c on public.pets": key}
    off = statement(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    update = statement(f"UPDATE {table} SET {column} = 1", updated=(Scan(table, 1),))

    assert bool(told("written-unchecked", known, known, off, update)) is is_told


@pytest.mark.parametrize(
    ("up", "is_told"),
    [
        (["SELECT pg_advisory_lock(1)"], True),
        (["SELECT pg_advisory_lock(1)", "SELECT pg_advisory_unlock(1)"], False),
        (["DO $$BEGIN PERFORM pg_try_advisory_lock(1); END$$"], True),
        (["SELECT pg_advisory_xact_lock(1)"], False),
        (["DO $$BEGIN /* pg_advisory_lock */ PERFORM 1; END$$"], False),
    ],
)
def test_a_lock_of_the_session_is_given_back(up: list[str], *, is_told: bool) -> None:
    """An advisory lock that nobody gives back is told."""
    found = names(judged(*map(statement, up)))

    assert found == (["session-lock-kept"] if is_told else [])


@pytest.mark.parametrize(
    ("sql", "is_told"),
    [
        ("ALTER ROLE app SET search_path = odd", True),
        ("ALTER DATABASE shop SET row_security = off", True),
        ("ALTER ROLE app RESET search_path", False),
        ("ALTER ROLE app SET statement_timeout = '5s'", False),
        ("ALTER ROLE made SET search_path = odd", False),
    ],
)
def test_settings_of_roles_are_told(sql: str, *, is_told: bool) -> None:
    """What every later session begins with is told, unless nobody has the role yet."""
    found = names(judged(statement("CREATE ROLE made"), statement(sql)))

    assert ("setting-outlives-revision" in found) is is_told
