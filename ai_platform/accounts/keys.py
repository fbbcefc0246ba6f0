"""Make, revoke, list and verify API keys; the database knows only their digests."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from ai_platform.errors import BadValue
from ai_platform.text import quoted

from .organizations import organization_id
from .values import check_cidrs, check_scopes, check_slug, check_text

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

__all__ = [
    "NewKey",
    "VerifiedKey",
    "create_key",
    "list_keys",
    "revoke_key",
    "verify_key",
]

_ALPHABET = string.ascii_letters + string.digits
_PREFIX_CHARS = 8
_SECRET_CHARS = 43
"""62 ** 43 is just above 2 ** 256: guessing is hopeless without a slow hash."""

_INSERT = """
INSERT INTO auth.api_keys (organization_id, user_id, name, key_prefix, key_hash,
                           scopes, allowed_cidrs, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s::cidr[], %s)
RETURNING id, key_prefix AS prefix, name, scopes, expires_at
"""
_SEATED = """
SELECT u.id
  FROM auth.users u
 WHERE lower(u.username) = lower(%s) AND u.is_active AND u.deleted_at IS NULL
   AND (u.is_superuser OR EXISTS (
        SELECT 1 FROM auth.memberships m
         WHERE m.user_id = u.id AND m.organization_id = %s AND m.status = 'active'))
"""
_LIST = """
SELECT k.id, k.key_prefix AS prefix, k.name, o.slug AS organization,
       u.username AS "user", k.scopes, k.allowed_cidrs::text[] AS networks,
       CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked'
            WHEN k.expires_at <= now() THEN 'expired' ELSE 'active' END AS status,
       k.created_at, k.expires_at, k.revoked_at, k.last_used_at
  FROM auth.api_keys k
  JOIN auth.organizations o ON o.id = k.organization_id
  LEFT JOIN auth.users u ON u.id = k.user_id
 WHERE (%(org)s::integer IS NULL OR k.organization_id = %(org)s)
   AND (%(all)s OR k.revoked_at IS NULL)
 ORDER BY o.slug, k.created_at, k.id
"""
_REVOKE = """
UPDATE auth.api_keys k SET revoked_at = now()
 WHERE (k.key_prefix = %(which)s OR k.id::text = %(which)s) AND k.revoked_at IS NULL
"""
_EXISTS = """
SELECT EXISTS (SELECT 1 FROM auth.api_keys k
                WHERE k.key_prefix = %(which)s OR k.id::text = %(which)s)
"""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be; *organization* is a slug, *user* a login name or None."""

    name: str
    organization: str
    scopes: list[str]
    user: str | None = None
    networks: list[str] = field(default_factory=list)
    expires_at: datetime | None = None

    def check(self) -> None:
        """Raise BadValue for the first value that cannot be used."""
        check_text("name", self.name, longest=100)
        check_slug(self.organization)
        check_scopes(self.scopes)
        check_cidrs(self.networks)


@dataclass(frozen=True, slots=True)
class VerifiedKey:
    """What a valid key stands for."""

    id: UUID
    organization_id: int
    user_id: int | None
    scopes: list[str]
    networks: list[str] | None


def create_key(connection: Connection[Any], new: NewKey) -> tuple[str, dict[str, Any]]:
    """Store the digest of a fresh key; return the key, this once, and its row.

    Raises BadValue for a bad value, or a user without a seat in the organization.
    """
    new.check()
    prefix = "pk_" + _random(_PREFIX_CHARS)
    key = f"{prefix}_{_random(_SECRET_CHARS)}"
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        org = organization_id(connection, new.organization)
        user = _seated(connection, new, org)
        row = cursor.execute(
            _INSERT,
            (
                org,
                user,
                new.name,
                prefix,
                digest(key),
                check_scopes(new.scopes),
                check_cidrs(new.networks) or None,
                new.expires_at,
            ),
        ).fetchone()
    return key, dict(row or {})


def revoke_key(connection: Connection[Any], which: str) -> bool:
    """Revoke the key with prefix or id *which*; False when it was revoked before.

    Raises BadValue when there is no such key.
    """
    check_text("key", which, longest=64)
    if connection.execute(_REVOKE, {"which": which}).rowcount:
        return True
    row = connection.execute(_EXISTS, {"which": which}).fetchone()
    if not (row and row[0]):
        # somebody may have pasted the whole key: show its public part only
        shown = which if len(which) <= 36 else which[:11] + "…"  # noqa: PLR2004
        raise BadValue(f"no API key {shown!r}", hint="platform key list --all")
    return False


def list_keys(
    connection: Connection[Any],
    *,
    organization: str | None = None,
    with_revoked: bool = False,
) -> list[dict[str, Any]]:
    """Return keys without their digests, by organization and age."""
    org = organization and organization_id(connection, organization)
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            _LIST, {"org": org or None, "all": with_revoked}
        ).fetchall()


def verify_key(connection: Connection[Any], key: str) -> VerifiedKey | None:
    """Return what *key* stands for, or None when unknown, revoked or expired."""
    row = connection.execute(
        "SELECT id, organization_id, user_id, scopes, allowed_cidrs::text[] "
        "FROM auth.verify_api_key(%s)",
        (digest(key),),
    ).fetchone()
    return VerifiedKey(*row) if row else None


def digest(key: str) -> bytes:
    """Return the SHA-256 digest under which *key* is stored (32 bytes)."""
    return sha256(key.encode("utf-8", "surrogateescape")).digest()


def _random(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))


def _seated(connection: Connection[Any], new: NewKey, org: int) -> int | None:
    if new.user is None:
        return None
    check_text("login name", new.user, longest=150)
    row = connection.execute(_SEATED, (new.user, org)).fetchone()
    if row is None:
        raise BadValue(
            f"no active user {quoted(new.user)} with a seat in "
            f"{quoted(new.organization)}",
            hint=f"platform user list --org {new.organization}",
        )
    return int(row[0])
