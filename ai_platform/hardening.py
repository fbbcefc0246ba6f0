"""Take from everyone what only the platform's roles need, and remember what it was.

Only for a database of its own: in a shared one it locks other applications out. What
was taken is written to `platform_meta.hardening`, so that it can be given back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, LiteralString

from psycopg import sql
from psycopg.rows import class_row

from ai_platform.errors import Refused
from ai_platform.names import OWNER

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["Right", "harden", "held_by_everyone", "locked_out", "taken", "undo"]

_HELD: Final = """
SELECT 'database' AS object, a.privilege_type AS privilege
  FROM pg_catalog.pg_database d
 CROSS JOIN aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
 WHERE d.datname = current_database() AND a.grantee = 0
 UNION ALL
SELECT 'schema public', a.privilege_type
  FROM pg_catalog.pg_namespace n
 CROSS JOIN aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
 WHERE n.nspname = 'public' AND a.grantee = 0
 ORDER BY 1, 2
"""
_LOCKED_OUT: Final = """
SELECT r.rolname
  FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
 WHERE d.datname = current_database() AND r.rolcanlogin AND NOT r.rolsuper
   AND has_database_privilege(r.oid, d.oid, 'CONNECT')
   AND NOT EXISTS (
       SELECT 1
         FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
        WHERE a.grantee <> 0 AND a.privilege_type = 'CONNECT'
          AND pg_has_role(r.oid, a.grantee, 'USAGE'))
 ORDER BY 1
"""
_HAS_RECORD: Final = """
SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'platform_meta' AND c.relname = 'hardening')
"""
_CREATE_RECORD: Final = """
CREATE SCHEMA IF NOT EXISTS platform_meta;
CREATE TABLE IF NOT EXISTS platform_meta.hardening (
    object    text NOT NULL,
    privilege text NOT NULL,
    taken_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (object, privilege)
);
COMMENT ON TABLE platform_meta.hardening IS
    'What platform harden took from PUBLIC; platform harden --undo gives it back'
"""


@dataclass(frozen=True, slots=True)
class Right:
    """A right on ``database`` or ``schema public`` that everyone holds or held."""

    object: str
    privilege: str


def held_by_everyone(connection: Connection[Any]) -> list[Right]:
    """Return what PUBLIC may do with the database and with schema public."""
    with connection.cursor(row_factory=class_row(Right)) as cursor:
        return cursor.execute(_HELD).fetchall()


def locked_out(connection: Connection[Any]) -> list[str]:
    """Return the logins that may connect through PUBLIC only."""
    return [name for (name,) in connection.execute(_LOCKED_OUT)]


def taken(connection: Connection[Any]) -> list[Right]:
    """Return what an earlier `harden` took; the login must be able to act as owner."""
    with connection.transaction():
        row = connection.execute(_HAS_RECORD).fetchone()
        if not (row and row[0]):
            return []
        _as_owner(connection)
        with connection.cursor(row_factory=class_row(Right)) as cursor:
            rights = cursor.execute(
                "SELECT object, privilege FROM platform_meta.hardening ORDER BY 1, 2"
            ).fetchall()
        connection.execute("SET LOCAL ROLE NONE")
        return rights


def harden(connection: Connection[Any]) -> list[Right]:
    """Take those rights from PUBLIC and return them; an empty list: nothing to take.

    *connection* is in autocommit, under its own login. Raises Refused, with nothing
    changed, unless the login is superuser or owns the database.
    """
    with connection.transaction():
        rights = held_by_everyone(connection)
        if not rights:
            return []
        _record(connection, rights)
        for right in rights:
            _change(connection, "REVOKE {} ON {} FROM PUBLIC", right)
        if left := held_by_everyone(connection):
            raise _no_right_to_change(connection, left)
    return rights


def undo(connection: Connection[Any]) -> list[Right]:
    """Give back what `harden` took, forget it, and return it.

    Raises Refused, with nothing changed, unless the login owns the database.
    """
    with connection.transaction():
        rights = taken(connection)
        for right in rights:
            _change(connection, "GRANT {} ON {} TO PUBLIC", right)
        missing = set(rights) - set(held_by_everyone(connection))
        if missing:
            raise _no_right_to_change(connection, list(missing))
        if rights:
            _as_owner(connection)
            connection.execute("DELETE FROM platform_meta.hardening")
            connection.execute("SET LOCAL ROLE NONE")
    return rights


def _record(connection: Connection[Any], rights: list[Right]) -> None:
    _as_owner(connection)
    connection.execute(_CREATE_RECORD)
    for right in rights:
        connection.execute(
            "INSERT INTO platform_meta.hardening (object, privilege) VALUES (%s, %s) "
            "ON CONFLICT DO NOTHING",
            (right.object, right.privilege),
        )
    connection.execute("SET LOCAL ROLE NONE")


def _as_owner(connection: Connection[Any]) -> None:
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))


def _change(
    connection: Connection[Any], statement: LiteralString, right: Right
) -> None:
    on: sql.Composable = sql.SQL("SCHEMA public")
    if right.object == "database":
        # by query: behind a pooler the name the client gave may be another one
        rows = connection.execute("SELECT current_database()").fetchall()
        on = sql.SQL("DATABASE {}").format(sql.Identifier(rows[0][0]))
    privilege = sql.SQL(right.privilege)  # from the catalog
    connection.execute(sql.SQL(statement).format(privilege, on))


def _no_right_to_change(connection: Connection[Any], left: list[Right]) -> Refused:
    shown = ", ".join(f"{right.privilege} on {right.object}" for right in left)
    return Refused(
        f"{connection.info.user} may not change what everyone holds: {shown}",
        hint="run it as a superuser or as the owner of the database",
    )
