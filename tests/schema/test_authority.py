"""Nobody gives, keeps or takes more than the permissions held in the organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.tenants import OWN, Tenants

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
