"""Make, list, disable people and prove that one can sign in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from psycopg.errors import UniqueViolation
from psycopg.rows import dict_row

from ai_platform.errors import BadValue, Refused
from ai_platform.text import is_unsafe, quoted

from .organizations import organization_id
from .passwords import (
    check_password,
    hash_password,
    needs_rehash,
    verify_password,
)
from .values import check_email, check_text, check_username

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = [
    "NewUser",
    "Verdict",
    "create_user",
    "disable_user",
    "enable_user",
    "find_user",
    "list_users",
    "set_password",
    "verify_login",
]

Verdict = Literal["ok", "wrong", "locked", "disabled"]

_INSERT = """
INSERT INTO auth.users (username, email, password_hash, first_name, last_name,
                        is_superuser, organization_id)
VALUES (%s, %s, %s, %s, %s, %s, %s)
RETURNING id
"""
_SEAT = """
INSERT INTO auth.memberships (organization_id, user_id, role_id)
SELECT %(org)s, %(user)s, r.id
  FROM auth.roles r
 WHERE r.name = %(role)s AND (r.organization_id = %(org)s OR r.organization_id IS NULL)
 ORDER BY r.organization_id NULLS LAST
 LIMIT 1
RETURNING role_id
"""
_LIST = """
SELECT u.username, u.email, o.slug AS organization, u.is_superuser, u.is_active,
       CASE WHEN u.locked_until > now() THEN u.locked_until END AS locked_until,
       u.last_login, u.date_joined
  FROM auth.users u
  LEFT JOIN auth.organizations o ON o.id = u.organization_id
 WHERE u.deleted_at IS NULL
   AND (%(org)s::integer IS NULL OR u.organization_id = %(org)s
        OR EXISTS (SELECT 1 FROM auth.memberships m
                    WHERE m.user_id = u.id AND m.organization_id = %(org)s))
 ORDER BY lower(u.username)
"""
_REVOKE_SESSIONS = """
UPDATE auth.sessions SET revoked_at = now() WHERE user_id = %s AND revoked_at IS NULL
"""
_REVOKE_KEYS = """
UPDATE auth.api_keys SET revoked_at = now() WHERE user_id = %s AND revoked_at IS NULL
"""
_OTHER_ADMINISTRATOR = """
SELECT EXISTS (SELECT 1 FROM auth.users u
                WHERE u.id <> %s AND u.is_superuser AND u.is_active
                  AND u.deleted_at IS NULL)
"""


@dataclass(frozen=True, slots=True)
class NewUser:
    """A person to be; *organization* is a slug, *role* the seat held there."""

    username: str
    email: str
    organization: str | None = None
    role: str = "viewer"
    first_name: str | None = None
    last_name: str | None = None
    is_superuser: bool = False

    def check(self) -> None:
        """Raise BadValue for the first value that cannot be used."""
        check_email(self.email)
        check_username(self.username, email=self.email)
        for what, value in (
            ("first name", self.first_name),
            ("last name", self.last_name),
        ):
            if value is not None:
                check_text(what, value, longest=150)


def create_user(connection: Connection[Any], user: NewUser, password: str) -> int:
    """Make *user*, with a seat when an organization is named; return the id.

    Raises BadValue for a bad or taken value, all before anything is stored.
    """
    user.check()
    check_password(password, username=user.username, email=user.email)
    stored = hash_password(password)
    with connection.transaction():
        home = user.organization and organization_id(connection, user.organization)
        try:
            row = _one(
                connection,
                _INSERT,
                (
                    user.username,
                    user.email,
                    stored,
                    user.first_name,
                    user.last_name,
                    user.is_superuser,
                    home,
                ),
            )
        except UniqueViolation as error:
            raise _taken(user, error) from None
        if home:
            _give_seat(connection, user, row["id"], home)
    return int(row["id"])


def set_password(connection: Connection[Any], login: str, password: str) -> int:
    """Store a new password, lift a lock, end all sessions; return how many ended.

    Raises BadValue when nobody has that login or the password is unfit.
    """
    user = find_user(connection, login)
    check_password(password, username=user["username"], email=user["email"])
    stored = hash_password(password)
    with connection.transaction():
        connection.execute(
            "UPDATE auth.users SET password_hash = %s, failed_login_count = 0, "
            "locked_until = NULL WHERE id = %s",
            (stored, user["id"]),
        )
        return connection.execute(_REVOKE_SESSIONS, (user["id"],)).rowcount


def disable_user(connection: Connection[Any], login: str) -> dict[str, int]:
    """Block sign-in, end sessions and revoke the person's API keys; return counts.

    Raises BadValue when unknown, Refused for the last active administrator.
    """
    user = find_user(connection, login)
    with connection.transaction():
        if user["is_superuser"] and user["is_active"]:
            others = _one(connection, _OTHER_ADMINISTRATOR, (user["id"],))
            if not others["exists"]:
                raise Refused(
                    f"{user['username']!r} is the last active administrator",
                    hint="platform user create NAME --email ADDRESS --superuser",
                )
        connection.execute(
            "UPDATE auth.users SET is_active = false WHERE id = %s AND is_active",
            (user["id"],),
        )
        return {
            "sessions": connection.execute(_REVOKE_SESSIONS, (user["id"],)).rowcount,
            "keys": connection.execute(_REVOKE_KEYS, (user["id"],)).rowcount,
        }


def enable_user(connection: Connection[Any], login: str) -> None:
    """Let a disabled person sign in again; revoked keys and sessions stay revoked.

    Raises BadValue when nobody has that login.
    """
    user = find_user(connection, login)
    connection.execute(
        "UPDATE auth.users SET is_active = true, failed_login_count = 0, "
        "locked_until = NULL WHERE id = %s",
        (user["id"],),
    )


def list_users(
    connection: Connection[Any], *, organization: str | None = None
) -> list[dict[str, Any]]:
    """Return everybody, or the members of *organization* (a slug); never a hash."""
    org = organization and organization_id(connection, organization)
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_LIST, {"org": org or None}).fetchall()


def verify_login(connection: Connection[Any], login: str, password: str) -> Verdict:
    """Try to sign in as a service would, and count the try as one.

    An account that does not exist takes as long as a wrong password. A weak hash is
    replaced on success. Only the right password learns that the account is disabled.
    """
    unsafe = any(map(is_unsafe, login))  # PostgreSQL cannot even be asked
    row = None if unsafe else _one_or_none(connection, _LOGIN, (login,))
    stored = row["password_hash"] if row else None
    fits = verify_password(stored, password)
    if row is None:
        return "wrong"
    if row["is_locked"]:
        return "locked"
    if not (fits and row["is_active"]):
        connection.execute("SELECT auth.record_login(%s, false)", (row["id"],))
        return "disabled" if fits else "wrong"
    with connection.transaction():
        connection.execute("SELECT auth.record_login(%s, true)", (row["id"],))
        if needs_rehash(row["password_hash"]):
            _store_rehashed(connection, row["id"], password)
    return "ok"


_LOGIN = """
SELECT id, password_hash, is_active,
       locked_until IS NOT NULL AND locked_until > now() AS is_locked
  FROM auth.find_login(%s)
"""


def _store_rehashed(connection: Connection[Any], user: int, password: str) -> None:
    """Store today's hash as the person itself: the application may do that too."""
    connection.execute("SELECT set_config('pb.auth.id', %s, true)", (str(user),))
    connection.execute(
        "UPDATE auth.users SET password_hash = %s WHERE id = %s",
        (hash_password(password), user),
    )


def _give_seat(
    connection: Connection[Any], user: NewUser, user_id: int, home: int | str
) -> None:
    values = {"org": home, "user": user_id, "role": user.role}
    if _one_or_none(connection, _SEAT, values) is None:
        raise BadValue(
            f"no role {quoted(user.role)} in organization {user.organization!r}",
            hint="built-in roles: owner, admin, developer, viewer",
        )


def _taken(user: NewUser, error: UniqueViolation) -> BadValue:
    """Name the value that is taken; the names of the constraints tell which."""
    if "email" in (error.diag.constraint_name or ""):
        return BadValue(
            f"mail address {quoted(user.email)} is taken", hint="platform user list"
        )
    return BadValue(
        f"login name {quoted(user.username)} is taken (case does not count)",
        hint="platform user list",
    )


def find_user(connection: Connection[Any], login: str) -> dict[str, Any]:
    """Return the person with that login name or address. Raises BadValue."""
    statement = (
        "SELECT id, username, email, is_superuser, is_active FROM auth.users "
        "WHERE deleted_at IS NULL AND (lower(username) = lower(%(login)s) "
        "OR lower(email) = lower(%(login)s))"
    )
    check_text("login name", login, longest=254)
    row = _one_or_none(connection, statement, {"login": login})
    if row is None:
        raise BadValue(f"no user {quoted(login)}", hint="platform user list")
    return row


def _one_or_none(
    connection: Connection[Any], statement: str, values: Any
) -> dict[str, Any] | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchone()


def _one(connection: Connection[Any], statement: str, values: Any) -> dict[str, Any]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()[0]
