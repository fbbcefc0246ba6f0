"""Sign-in, sessions, keys and permissions behave as their comments say."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import errors

from tests.support.tenants import OTHER, OWN, Tenants

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg


@pytest.fixture
def admin(tenants: Tenants) -> Iterator[psycopg.Connection[Any]]:
    """Give a superuser's transaction that is rolled back."""
    connection = tenants.connect(autocommit=False)
    yield connection
    connection.rollback()


def rows(connection: psycopg.Connection[Any], query: str, *args: Any) -> list[Any]:
    """Return the rows of *query*."""
    return connection.execute(query.encode(), args).fetchall()


def one(connection: psycopg.Connection[Any], query: str, *args: Any) -> Any:
    """Return the single value of *query*."""
    [[value]] = rows(connection, query, *args)
    return value


def user_of(tenants: Tenants, organization: int = OWN) -> int:
    """Return the id of the organization's user."""
    return int(tenants.rows["auth.users", organization]["id"])


def digest(word: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(word.encode()).digest()


@pytest.mark.parametrize(
    ("granted", "asked", "holds"),
    [
        ("*:*", "auth.roles:write", True),
        ("*:read", "auth.roles:read", True),
        ("*:read", "auth.roles:write", False),
        ("auth.*:write", "auth.roles:write", True),
        ("auth.*:write", "authx.roles:write", False),
        ("auth.roles:write", "auth.roles:write", True),
        ("auth.roles:write", "auth_roles:write", False),
        ("auth.roles:write", "xauth.roles:write", False),
        ("auth.roles:write", "auth.roles:write\nx", False),
        ("auth.roles:write", "", False),
    ],
)
def test_permission_matches_whole_words(
    tenants: Tenants,
    admin: psycopg.Connection[Any],
    granted: str,
    asked: str,
    holds: bool,  # noqa: FBT001 - an expected value
) -> None:
    """Only * is a wildcard; a permission never holds for a longer or other name."""
    role = tenants.rows["auth.roles", OWN]["id"]
    admin.execute(
        "UPDATE auth.roles SET permissions = %s WHERE id = %s", [[granted], role]
    )
    args = (asked, user_of(tenants), OWN)

    assert one(admin, "SELECT auth.has_permission(%s, %s, %s)", *args) is holds


@pytest.mark.parametrize(
    "loss",
    [
        "UPDATE auth.users SET is_active = false",
        "UPDATE auth.users SET deleted_at = now()",
        "UPDATE auth.memberships SET status = 'suspended'",
        "UPDATE auth.memberships SET status = 'invited'",
    ],
)
def test_permission_ends_with_the_seat(
    tenants: Tenants, admin: psycopg.Connection[Any], loss: str
) -> None:
    """Disabled, deleted, suspended or merely invited users hold nothing, at once."""
    query = "SELECT auth.has_permission('auth.roles:write', %s, %s)"
    before = one(admin, query, user_of(tenants), OWN)
    admin.execute(loss.encode())

    assert before is True
    assert one(admin, query, user_of(tenants), OWN) is False
    with pytest.raises(errors.InsufficientPrivilege):
        admin.execute("SELECT auth.set_context(%s, %s)", [user_of(tenants), OWN])


def test_deleted_administrator_is_none(admin: psycopg.Connection[Any]) -> None:
    """A platform administrator enters every organization, until deleted."""
    user = one(
        admin,
        "INSERT INTO auth.users (username, email, password_hash, is_superuser) "
        "VALUES ('root', 'root@x', '!', true) RETURNING id",
    )
    admin.execute("SELECT auth.set_context(%s, %s)", [user, OTHER])
    admin.execute("UPDATE auth.users SET deleted_at = now() WHERE id = %s", [user])

    with pytest.raises(errors.InsufficientPrivilege):
        admin.execute("SELECT auth.set_context(%s, %s)", [user, OTHER])


def test_context_refuses_a_foreign_organization(tenants: Tenants) -> None:
    """Without a seat there is no way in, whatever the role is called."""
    with pytest.raises(errors.InsufficientPrivilege, match="no seat"):
        tenants.session("app").execute(
            "SELECT auth.set_context(%s, %s, 'owner')", [user_of(tenants), OTHER]
        )


def test_context_ends_with_the_transaction(tenants: Tenants) -> None:
    """Behind a pooler the next transaction begins with no context."""
    app = tenants.session("app")
    app.execute("SELECT auth.set_context(%s, %s)", [user_of(tenants), OWN])
    inside = rows(app, "SELECT auth.uid(), auth.role(), auth.org_id()")
    app.commit()

    assert inside == [(user_of(tenants), "authenticated", OWN)]
    assert rows(app, "SELECT auth.uid(), auth.role(), auth.org_id()") == [(None,) * 3]


def test_login_is_not_shadowed(admin: psycopg.Connection[Any]) -> None:
    """Taking a name for an address, or the reverse, hides nobody's account."""
    for name, mail in [("bob", "b@x"), ("eve", "bob"), ("B@X", "eve@x")]:
        admin.execute(
            "INSERT INTO auth.users (username, email, password_hash) "
            "VALUES (%s, %s, '!')",
            [name, mail],
        )
    query = "SELECT u.username FROM auth.find_login(%s) f JOIN auth.users u USING (id)"

    found = [rows(admin, query, login) for login in ("BOB", "b@X", "eve@x", "nobody")]
    assert found == [[("bob",)], [("bob",)], [("B@X",)], []]


def test_tenth_failure_locks(tenants: Tenants, admin: psycopg.Connection[Any]) -> None:
    """Nine failures do not lock, the tenth does, success opens again."""
    query = "SELECT failed_login_count, locked_until > now() + interval '14 minutes' "
    query += "FROM auth.users WHERE id = %s"
    user = user_of(tenants)
    seen = []
    for ok in [False] * 10 + [True]:
        admin.execute("SELECT auth.record_login(%s, %s)", [user, ok])
        seen += rows(admin, query, user)

    assert seen[8:] == [(9, None), (10, True), (0, None)]


def rotate(connection: psycopg.Connection[Any], old: str, new: str) -> list[Any]:
    """Exchange a refresh token; return the outcome, if any."""
    query = "SELECT outcome FROM auth.rotate_session(%s, %s)"
    return rows(connection, query, digest(old), digest(new))


@pytest.fixture
def session(
    tenants: Tenants, admin: psycopg.Connection[Any]
) -> psycopg.Connection[Any]:
    """Give the transaction with a session whose token is *first*."""
    admin.execute(
        "INSERT INTO auth.sessions (user_id, refresh_token_hash, expires_at) "
        "VALUES (%s, %s, '2100-01-01')",
        [user_of(tenants), digest("first")],
    )
    return admin


def test_stolen_token_ends_the_session(session: psycopg.Connection[Any]) -> None:
    """An old token, late, revokes: neither the thief nor the owner goes on."""
    assert rotate(session, "first", "second") == [("rotated",)]
    session.execute(
        "UPDATE auth.sessions SET refreshed_at = now() - interval '11 seconds'"
    )

    assert rotate(session, "first", "thief") == [("reuse_detected",)]
    assert rotate(session, "second", "third") == []
    assert rotate(session, "thief", "third") == []


def test_lost_reply_is_forgiven(session: psycopg.Connection[Any]) -> None:
    """The old token works for ten seconds more: the reply may have been lost."""
    assert rotate(session, "first", "lost") == [("rotated",)]
    assert rotate(session, "first", "second") == [("rotated",)]
    assert rotate(session, "lost", "x") == []
    assert rotate(session, "unknown", "x") == []


def test_session_of_a_disabled_user_ends(session: psycopg.Connection[Any]) -> None:
    """Switching an account off ends its sessions with the next rotation."""
    session.execute("UPDATE auth.users SET is_active = false")

    assert rotate(session, "first", "second") == []


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE auth.api_keys SET revoked_at = now()",
        "UPDATE auth.api_keys SET expires_at = now()",
        "UPDATE auth.users SET is_active = false",
        "UPDATE auth.users SET deleted_at = now()",
        "UPDATE auth.organizations SET status = 'suspended'",
    ],
)
def test_key_ends_with_what_it_stands_for(
    tenants: Tenants, admin: psycopg.Connection[Any], end: str
) -> None:
    """Revoked, expired, its person gone or its organization suspended: no answer."""
    key = tenants.rows["auth.api_keys", OWN]
    query = "SELECT organization_id, user_id FROM auth.verify_api_key(%s)"
    before = rows(admin, query, key["key_hash"])
    touched = "SELECT last_used_at FROM auth.api_keys WHERE id = %s"

    assert before == [(OWN, user_of(tenants))]
    assert one(admin, touched, key["id"]) is not None
    admin.execute(end.encode())
    assert rows(admin, query, key["key_hash"]) == []


def test_member_is_added_by_permission_alone(tenants: Tenants) -> None:
    """create_user(): into the own organization, not into another's."""
    app = tenants.enter("app")
    made = one(app, "SELECT auth.create_user('new', 'new@x', '!')")
    seat = "SELECT organization_id, role_id IS NOT NULL FROM auth.memberships "

    assert rows(app, seat + "WHERE user_id = %s", made) == [(OWN, True)]
    with pytest.raises(errors.InsufficientPrivilege, match="not allowed"):
        app.execute("SELECT auth.create_user('spy', 'spy@x', '!', %s)", [OTHER])


def test_registered_user_stands_outside(tenants: Tenants) -> None:
    """create_user() without organization asks for nothing and opens nothing."""
    app = tenants.session("app")
    made = one(app, "SELECT auth.create_user('new', 'new@x', '!', NULL)")
    app.execute("SELECT auth.set_context(%s, NULL)", [made])

    assert one(app, "SELECT auth.org_id()") is None
    assert one(app, "SELECT count(*) FROM auth.users") == 1


def test_unknown_role_makes_no_user(tenants: Tenants) -> None:
    """A home without a seat would open its rows, so the call fails as a whole."""
    with pytest.raises(errors.InvalidParameterValue, match="has no role"):
        tenants.enter("app").execute(
            "SELECT auth.create_user('n', 'n@x', '!', %s, 'no-such')", [OWN]
        )


def test_organization_belongs_to_its_maker(tenants: Tenants) -> None:
    """create_organization(): signed in, and owner of it afterwards."""
    app = tenants.session("app")
    with pytest.raises(errors.InsufficientPrivilege), app.transaction():
        app.execute("SELECT auth.create_organization('acme', 'Acme')")
    tenants.enter("app")
    made = one(app, "SELECT auth.create_organization('acme', 'Acme')")
    app.execute("SELECT auth.set_context(%s, %s)", [user_of(tenants), made])

    assert one(app, "SELECT auth.has_permission('auth.roles:write')") is True


def test_member_without_permission_changes_nobody(
    tenants: Tenants, admin: psycopg.Connection[Any]
) -> None:
    """A viewer reads; roles, seats, keys, groups and quotas stay as they are."""
    admin.execute("UPDATE auth.roles SET permissions = '{*:read}'")
    admin.execute("SET ROLE platform_app")
    admin.execute("SELECT auth.set_context(%s, %s)", [user_of(tenants), OWN])
    changes = {
        "UPDATE auth.roles SET permissions = '{*:*}'": 0,
        "UPDATE auth.memberships SET status = 'active'": 0,
        "DELETE FROM auth.api_keys": 0,
        "UPDATE auth.groups SET description = 'mine'": 0,
        "DELETE FROM auth.group_members": 0,
        "UPDATE service_platform.quotas SET limit_value = 1e9": 0,
        "UPDATE auth.users SET first_name = 'me'": 1,
    }

    assert {q: admin.execute(q.encode()).rowcount for q in changes} == changes


def test_nobody_promotes_the_own_account(tenants: Tenants) -> None:
    """The columns that give power are not granted, not even on the own row."""
    app = tenants.enter("app")
    for change in ("is_superuser = true", "organization_id = 1", "locked_until = NULL"):
        with pytest.raises(errors.InsufficientPrivilege), app.transaction():
            app.execute(f"UPDATE auth.users SET {change}".encode())
