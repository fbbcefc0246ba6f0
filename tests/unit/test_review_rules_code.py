"""Rules on running code and on rights, on catalogs made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ai_platform.catalog import CatalogObject, Key, Snapshot
from ai_platform.review.facts import (
    Change,
    Review,
)
from ai_platform.review.rules import Evidence, rule
from ai_platform.review.rules.engine import judge
from tests.support.rule_facts import (
    judged,
    locking,
    names,
    revision,
    statement,
)

if TYPE_CHECKING:
    from ai_platform.review.facts import StatementFacts


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


def required(
    before: dict[str, Any] | None,
    *up: StatementFacts,
    more: tuple[CatalogObject, ...] = (),
) -> list[tuple[str, str]]:
    """Return how column-required tells of public.people.new, NOT NULL after *up*."""
    table = CatalogObject(Key("table", "public.people"), None, {})
    old = [CatalogObject(Key("column", "public.people.old"), None, _INTEGER)]
    was = [] if before is None else [CatalogObject(_NEW, None, before)]
    now = [CatalogObject(_NEW, None, _INTEGER), *more]
    catalogs = [
        Snapshot(180000, {item.key: item for item in (table, *items)})
        for items in ([*old, *was], now)
    ]
    found = judge(
        Review("base", "r1", "18", 9, (revision(*up),)),
        {"r1": Evidence(None, *catalogs)},
        rules=[rule("column-required")],
    )
    return [(item.object, item.severity) for item in found]


_NEW = Key("column", "public.people.new")

_NOTE = "public.people.note"

_INTEGER = {"type": "integer", "not null": True}

_GONE = Change("column", "public.people.old", "object", "present", None)

_TRIGGER = CatalogObject(
    Key("trigger", "t on public.people"),
    None,
    {
        "state": "enabled",
        "definition": "CREATE TRIGGER t BEFORE INSERT ON public.people "
        "FOR EACH ROW EXECUTE FUNCTION public.f()",
    },
)


@pytest.mark.parametrize(
    ("before", "up", "severity"),
    [
        (None, statement("SELECT 1"), "error"),
        (_INTEGER, statement("SELECT 1"), None),
        (_INTEGER | {"default": "1"}, statement("SELECT 1"), "error"),
        (None, statement("ALTER TABLE public.people RENAME old TO new"), None),
        (None, statement("ALTER TABLE public.people RENAME young TO new"), "error"),
        (None, statement("DO $$ BEGIN END $$", changes=(_GONE,)), None),
    ],
)
def test_a_column_that_must_be_filled_is_told(
    before: dict[str, Any] | None, up: StatementFacts, severity: str | None
) -> None:
    """A column with another name, or made anew, asks no more of code than before."""
    told = [("public.people.new", severity)] if severity else []

    assert required(before, up) == told


def test_a_trigger_may_fill_a_column() -> None:
    """Whether it does, nobody knows from the catalog: that is a warning."""
    found = required(None, statement("SELECT 1"), more=(_TRIGGER,))

    assert found == [("public.people.new", "warning")]


def test_a_column_of_this_revision_may_be_renamed() -> None:
    """No code knows the name under which it was added."""
    add = locking("ALTER TABLE public.people ADD COLUMN wide bigint")
    rename = locking("ALTER TABLE public.people RENAME COLUMN wide TO age")

    assert names(judged(add, rename)) == []
    assert names(judged(rename)) == ["rename-breaks-code"]


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


@pytest.mark.parametrize(
    ("whole", "after", "found"),
    [
        (["boss: SELECT"], [], ["public.people.note"]),
        (["boss: SELECT", "app: SELECT"], [], []),
        (["boss: SELECT", "PUBLIC: SELECT"], [], []),
        (["boss: SELECT"], ["app: SELECT, UPDATE"], []),
    ],
)
def test_a_right_on_a_column_is_lost(
    whole: list[str], after: list[str], found: list[str]
) -> None:
    """Code that reads a column by a right on it fails, but for one on the table."""

    def catalog(rights: list[str]) -> Snapshot:
        table, column = Key("table", "public.people"), Key("column", _NOTE)
        every = [
            CatalogObject(table, None, {"owner": "boss", "rights": whole}),
            CatalogObject(column, "table public.people", {"rights": rights}),
        ]
        return Snapshot(180000, {item.key: item for item in every})

    hits = judge(
        Review("base", "r1", "18", 9, (revision(statement("SELECT 1")),)),
        {"r1": Evidence(None, catalog(["app: SELECT"]), catalog(after))},
        rules=[rule("rights-lost-breaks-code")],
    )

    assert [item.object for item in hits] == found
