"""Rules about who reads whose rows, and what calls fail, on catalogs made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from ai_platform.catalog import CatalogObject, Key, Snapshot
from ai_platform.review.facts import Review, StatementFacts
from ai_platform.review.rules import Evidence, rule
from ai_platform.review.rules.engine import judge
from tests.support.rule_facts import revision, statement

CLOSED = {"owner": "boss", "row security": True, "row security forced": True}
OPEN = {"owner": "boss", "rights": ["app: SELECT", "boss: SELECT"]}
OWN = {"command": "ALL", "roles": ["app"], "using": "(tenant = 1)"}
ALL = {"command": "ALL", "roles": ["boss"], "using": "true"}
VIEW = {**OPEN, "definition": "SELECT n.id FROM app.notes n", "column order": ["id"]}


def told(
    name: str, before: dict[str, Any], after: dict[str, Any], *up: StatementFacts
) -> list[str]:
    """Return what the rule *name* says of two catalogs, their keys kind and name.

    *up* are the statements between them; without any it is one that does nothing.
    """
    evidence = Evidence(before=_catalog(before), after=_catalog(after))
    review = Review(
        "base", "r1", "18", 9, (revision(*(up or (statement("SELECT 1"),))),)
    )
    found = judge(review, {"r1": evidence}, rules=[rule(name)])
    return [f"{item.object}: {item.message}" for item in found]


def _catalog(items: dict[str, Any]) -> Snapshot:
    keys = [Key(*name.split(":", 1)) for name in items]
    values = [{"column order": ["id", "tenant"], **item} for item in items.values()]
    found = [
        CatalogObject(key, None, value) for key, value in zip(keys, values, strict=True)
    ]
    return Snapshot(180000, {item.key: item for item in found})


TENANTS = {
    "table:app.notes": CLOSED,
    "policy:own on app.notes": OWN,
    "table:app.texts": CLOSED,
    "policy:own on app.texts": OWN,
}


@pytest.mark.parametrize(
    ("table", "is_told"),
    [
        (OPEN, True),
        ({**OPEN, "rights": ["boss: SELECT"]}, False),
        ({**OPEN, "row security": True}, False),
        ({**OPEN, "column order": ["id"]}, False),
        ({**OPEN, "partition bound": "FOR VALUES IN (1)"}, False),
    ],
    ids=["open", "owner alone", "closed", "of nobody", "partition"],
)
def test_tables_of_tenants_are_closed(table: dict[str, Any], *, is_told: bool) -> None:
    """What has the tenant's column and is open to others is told, nothing else."""
    after = {**TENANTS, "table:app.files": table}

    found = told("row-security-forgotten", TENANTS, after)

    assert bool(found) is is_told
    assert not told("row-security-forgotten", after, after)
    after["policy:own on app.files"] = OWN
    assert not told("row-security-forgotten", TENANTS, after)


@pytest.mark.parametrize(
    ("view", "policy", "is_told"),
    [
        (VIEW, ALL, True),
        ({**VIEW, "options": ["security_invoker=yes"]}, ALL, False),
        ({**VIEW, "rights": ["boss: SELECT"]}, ALL, False),
        (VIEW, OWN, False),
        (VIEW, {**ALL, "restrictive": True}, False),
    ],
    ids=["open", "invoker", "owner alone", "no policy", "restrictive"],
)
def test_the_owners_policy_is_no_cover(
    view: dict[str, Any], policy: dict[str, Any], *, is_told: bool
) -> None:
    """A forced table is read past its policies by a view of whom one shows all."""
    before = {**TENANTS, "policy:every on app.notes": policy}

    found = told("view-past-policies", before, {**before, "view:app.short": view})

    assert bool(found) is is_told


@pytest.mark.parametrize(
    ("body", "is_told"),
    [
        ("SELECT n.tenant FROM app.notes n", True),
        ("SELECT n.tenants FROM app.notes n", False),
        ("SELECT n.id FROM app.notes n -- not its tenant", False),
        ("BEGIN NEW.tenant := 1; RETURN NEW; END", True),
        ("BEGIN NEW.tenants := 1; RETURN NEW; END", False),
    ],
)
def test_bodies_are_searched_for_what_goes(body: str, *, is_told: bool) -> None:
    """Whole words count, without comments; a trigger's row names no table."""
    function = {"function:app.f()": {"body": body}}
    trigger = {"definition": "CREATE TRIGGER t ... EXECUTE FUNCTION app.f()"}
    before = {**function, "table:app.notes": {}, "trigger:t on app.notes": trigger}
    after = {**before, "table:app.notes": {"column order": ["id"]}}

    found = told("body-names-what-is-gone", before, after)

    expected = ["app.f(): its body still names app.notes.tenant"]
    assert found == (expected if is_told else [])


def test_a_view_stands_in_for_a_table() -> None:
    """A table that is renamed beside a view of its name is not missed."""
    function = {"function:app.f()": {"body": "SELECT tenant FROM app.notes"}}
    before = {**function, "table:app.notes": {}}
    after = {**function, "table:app.memos": {}}

    assert told("body-names-what-is-gone", before, after)
    after["view:app.notes"] = {}
    assert not told("body-names-what-is-gone", before, after)


@pytest.mark.parametrize(
    ("condition", "body", "is_told"),
    [
        ("(tenant = app.tenant())", "RETURN 1", True),
        ("(tenant = app.tenant())", "RETURN 2", False),
        ("(tenant = my_app.tenant())", "RETURN 1", False),
        ("(tenant = 1)", "RETURN 1", False),
    ],
)
def test_what_policies_ask_is_watched(
    condition: str, body: str, *, is_told: bool
) -> None:
    """Another body of a function that a policy calls may open what it held back."""
    before = {
        "table:app.notes": CLOSED,
        "policy:own on app.notes": {**OWN, "using": condition},
        "function:app.tenant()": {"body": "RETURN 2"},
    }

    found = told(
        "policy-wider", before, {**before, "function:app.tenant()": {"body": body}}
    )

    assert bool(found) is is_told
