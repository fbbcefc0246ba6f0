"""Make and list organizations, the tenants of the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.errors import UniqueViolation
from psycopg.rows import dict_row

from ai_platform.errors import BadValue
from ai_platform.text import quoted

from .values import check_slug, check_text

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = [
    "check_organization",
    "create_organization",
    "list_organizations",
    "organization_id",
]

_LIST = """
SELECT o.slug, o.name, o.status, o.created_at,
       (SELECT count(*) FROM auth.memberships m WHERE m.organization_id = o.id) AS seats
  FROM auth.organizations o
 WHERE o.deleted_at IS NULL
 ORDER BY o.slug
"""


def check_organization(slug: str, name: str) -> None:
    """Raise BadValue for the first value that cannot be used."""
    check_slug(slug)
    check_text("name", name, longest=200)


def create_organization(
    connection: Connection[Any], slug: str, name: str
) -> dict[str, Any]:
    """Make an organization and return its id, slug and name.

    Raises BadValue for a bad or taken slug.
    """
    check_organization(slug, name)
    statement = (
        "INSERT INTO auth.organizations (slug, name) VALUES (%s, %s) "
        "RETURNING id, slug, name"
    )
    try:
        row = _rows(connection, statement, (slug, name))[0]
    except UniqueViolation:
        raise BadValue(
            f"organization {quoted(slug)} exists already", hint="platform org list"
        ) from None
    return row


def list_organizations(connection: Connection[Any]) -> list[dict[str, Any]]:
    """Return every organization that is not deleted, by slug."""
    return _rows(connection, _LIST)


def organization_id(connection: Connection[Any], slug: str) -> int:
    """Return the id of the organization *slug*. Raises BadValue when unknown."""
    rows = _rows(
        connection,
        "SELECT id FROM auth.organizations WHERE slug = %s AND deleted_at IS NULL",
        (check_slug(slug),),
    )
    if not rows:
        raise BadValue(f"no organization {quoted(slug)}", hint="platform org list")
    return int(rows[0]["id"])


def _rows(
    connection: Connection[Any], statement: str, values: tuple[Any, ...] = ()
) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()
