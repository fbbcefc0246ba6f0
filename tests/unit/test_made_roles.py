"""Which roles a text of SQL makes: those are removed after a review."""

from __future__ import annotations

import pytest

from ai_platform.catalog._made_roles import named_roles


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("CREATE ROLE shop_app LOGIN;", {"shop_app"}),
        ("create user Ann; CREATE\n GROUP b", {"ann", "b"}),
        ('CREATE ROLE "Shop ""App"""', {'Shop "App"'}),
        ("DO $$ BEGIN EXECUTE 'CREATE ROLE shop_app'; END $$", {"shop_app"}),
        ("ALTER ROLE a RENAME TO b", {"b"}),
        (f"CREATE ROLE Änne; CREATE ROLE {'x' * 70}", {"Änne", "x" * 63}),
        ("CREATE USER MAPPING FOR ann SERVER s", set()),
        ("ALTER ROLE ann SET search_path = shop; DROP ROLE ann", set()),
    ],
)
def test_roles_are_found_by_name(sql: str, names: set[str]) -> None:
    """A role that is only changed or dropped was somebody else's before."""
    assert named_roles([sql]) == names


def test_a_role_that_was_there_is_not_made() -> None:
    """Whatever it is called in the end, dropping it would be a loss."""
    texts = ["CREATE ROLE b; ALTER ROLE a RENAME TO c; ALTER USER c RENAME TO d"]

    assert named_roles(texts, {"a"}) == {"b"}
    assert named_roles(texts) == {"b", "c", "d"}
