"""Nobody gives, keeps or takes more than the permissions held in the organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.tenants import OTHER, OWN, Tenants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    Member = Callable[..., psycopg.Connection[Any]]


@pytest.fixture
def admin(tenants: Tenants) -> Iterator[psycopg.Connection[Any]]:
    """Give a superuser's transaction that is rolled back."""
    connection = tenants.connect(autocommit=False)
    yield connection
    connection.rollback()


@pytest.fixture
def member(tenants: Tenants, admin: psycopg.Connection[Any]) -> Member:
    """Give a maker of the application's transaction for a member with permissions."""

    def enter(*permissions: str) -> psycopg.Connection[Any]:
        admin.execute(
            "UPDATE auth.roles SET permissions = %s WHERE id = %s",
            [list(permissions), tenants.rows["auth.roles", OWN]["id"]],
        )
        user = tenants.rows["auth.users", OWN]["id"]
        admin.execute("SELECT auth.set_context(%s, %s)", [user, OWN])
        admin.execute("SET LOCAL ROLE platform_app")
        return admin

    return enter


def one(connection: psycopg.Connection[Any], query: str, *args: Any) -> Any:
    """Return the single value of *query*."""
    [[value]] = connection.execute(query.encode(), args).fetchall()
    return value


@pytest.mark.parametrize(
    ("permission", "changed"), [("*:read", 0), ("auth.organizations:write", 1)]
)
def test_organization_is_renamed_by_permission(
    member: Member, permission: str, changed: int
) -> None:
    """Name and settings of the organization are not any member's to change."""
    change = "UPDATE auth.organizations SET name = 'Mine', settings = '{}'"

    assert member(permission).execute(change.encode()).rowcount == changed


@pytest.fixture
def home(tenants: Tenants, admin: psycopg.Connection[Any]) -> int:
    """Give a user whose home and only seat is the organization."""
    args = [OWN, tenants.rows["auth.roles", OWN]["id"]]
    query = """
        WITH u AS (INSERT INTO auth.users (username, email, password_hash,
                                           organization_id)
                   VALUES ('gone', 'gone@x', '!', %s) RETURNING id, organization_id)
        INSERT INTO auth.memberships (user_id, organization_id, role_id)
        SELECT id, organization_id, %s FROM u RETURNING user_id
    """
    return int(one(admin, query, *args))


@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM auth.memberships WHERE user_id = %(user)s",
        "UPDATE auth.memberships SET user_id = %(other)s WHERE user_id = %(user)s",
    ],
)
def test_removed_member_loses_the_home(
    tenants: Tenants, member: Member, home: int, loss: str
) -> None:
    """Without the seat, the two settings of the seeds open nothing any more."""
    app = member("*:*")
    names = {"user": home, "other": tenants.rows["auth.users", OTHER]["id"]}
    app.execute("RESET ROLE")
    app.execute(loss.encode(), names)
    app.execute("SET LOCAL ROLE platform_app")
    app.execute("SELECT set_config('app.auth.org', '', true)")
    app.execute("SELECT set_config('pb.auth.id', %s, true)", [str(home)])

    assert one(app, "SELECT auth.org_id()") is None
    assert one(app, "SELECT count(*) FROM data_platform.datasets") == 0


def test_lost_home_is_audited(member: Member, home: int) -> None:
    """The trail tells who closed the door, though the trigger did it."""
    app = member("*:*")
    app.execute("DELETE FROM auth.memberships WHERE user_id = %s", [home])
    query = """
        SELECT old_values = jsonb_build_object('organization_id', organization_id)
          FROM logs.audit_log
         WHERE object_table = 'auth.users' AND object_id = %s AND action = 'update'
    """

    assert one(app, query, str(home)) is True


def test_other_seats_keep_the_home(
    tenants: Tenants, admin: psycopg.Connection[Any], home: int
) -> None:
    """Leaving a second organization leaves the first one as it was."""
    admin.execute(
        "INSERT INTO auth.memberships (organization_id, user_id, role_id) "
        "VALUES (%s, %s, %s)",
        [OTHER, home, tenants.rows["auth.roles", OTHER]["id"]],
    )
    admin.execute("DELETE FROM auth.memberships WHERE organization_id = %s", [OTHER])
    query = "SELECT organization_id FROM auth.users WHERE id = %s"

    assert one(admin, query, home) == OWN


def test_cascades_pass_the_trigger(
    tenants: Tenants, admin: psycopg.Connection[Any], home: int
) -> None:
    """Users and empty organizations can be deleted with their seats."""
    admin.execute("DELETE FROM auth.users WHERE id = %s", [home])
    user = tenants.rows["auth.users", OWN]["id"]
    query = """
        WITH o AS (INSERT INTO auth.organizations (slug, name)
                   VALUES ('brief', 'Brief') RETURNING id),
             u AS (UPDATE auth.users SET organization_id = (SELECT id FROM o)
                    WHERE id = %s)
        INSERT INTO auth.memberships (organization_id, user_id, role_id)
        SELECT o.id, %s, r.id FROM o, auth.roles r
         WHERE r.organization_id IS NULL AND r.name = 'owner'
        RETURNING organization_id
    """
    made = one(admin, query, user, user)
    gone = admin.execute("DELETE FROM auth.organizations WHERE id = %s", [made])

    assert gone.rowcount == 1
    assert one(admin, "SELECT count(*) FROM auth.users WHERE id = %s", user) == 1
