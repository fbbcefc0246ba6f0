"""What is set for the roles of a server, and how to set it back."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from ai_platform.connection import first_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Facet", "alters_roles", "changed", "is_named", "role_state", "set_back"]

_SWITCHES: Final = (
    *("SUPERUSER", "INHERIT", "CREATEROLE", "CREATEDB", "LOGIN", "REPLICATION"),
    "BYPASSRLS",
)
_ATTRIBUTES: Final = """
    SELECT rolname::text, a.name, a.value
      FROM pg_catalog.pg_roles r, LATERAL (VALUES
           ('SUPERUSER', rolsuper::text), ('INHERIT', rolinherit::text),
           ('CREATEROLE', rolcreaterole::text), ('CREATEDB', rolcreatedb::text),
           ('LOGIN', rolcanlogin::text), ('REPLICATION', rolreplication::text),
           ('BYPASSRLS', rolbypassrls::text),
           ('CONNECTION LIMIT', rolconnlimit::text),
           ('VALID UNTIL', coalesce(rolvaliduntil::text, 'infinity')),
           ('comment', pg_catalog.shobj_description(r.oid, 'pg_authid')))
           AS a (name, value)
"""
_SETTINGS: Final = """
    SELECT coalesce(r.rolname::text, ''), coalesce(d.datname::text, ''),
           split_part(item, '=', 1), substr(item, strpos(item, '=') + 1)
      FROM pg_catalog.pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS item
      LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
      LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
     WHERE NOT coalesce(starts_with(d.datname::text, %s), false)
"""
_MEMBERS: Final = """
    SELECT pg_catalog.pg_get_userbyid(m.roleid)::text,
           pg_catalog.pg_get_userbyid(m.member)::text,
           pg_catalog.pg_get_userbyid(m.grantor)::text,
           (to_jsonb(m) - 'oid' - 'roleid' - 'member' - 'grantor')::text
      FROM pg_catalog.pg_auth_members m
"""
_PASSWORDS: Final = "SELECT rolname::text, rolpassword FROM pg_catalog.pg_authid"
_MAY_SEE: Final = (
    "SELECT pg_catalog.has_column_privilege('pg_catalog.pg_authid', 'rolpassword', "
    "'SELECT')"
)
_ALTERS: Final = re.compile(
    r"\b(?:ALTER|DROP)\s+(?:ROLE|USER|GROUP)\b(?!\s+MAPPING\b)|\bCOMMENT\s+ON\s+ROLE\b"
    r"|\b(?:GRANT|REVOKE)\b(?:(?!\bON\b)[^;])*?\b(?:TO|FROM)\b",
    re.IGNORECASE,
)
_OWN: Final = re.compile(
    r"\b(?:CURRENT_USER|SESSION_USER|CURRENT_ROLE)\b", re.IGNORECASE
)
_ANY: Final = re.compile(r"\b(?:ROLE|USER)\s+ALL\b|\bALTER\s+DATABASE\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Facet:
    """One thing that is set for *role*; '' stands for all roles.

    *kind* is attribute, setting, member or password, *name* what of it: an attribute,
    database and setting, or member and grantor.
    """

    role: str
    kind: str
    name: tuple[str, ...]

    @property
    def shown(self) -> str:
        """Return it in words, without its value."""
        whom = f"role {self.role!r}" if self.role else "all roles"
        return " ".join(filter(None, (f"{whom}:", self.kind, *self.name)))


def alters_roles(texts: Iterable[str]) -> bool:
    """Return whether *texts* of SQL may change roles that are there."""
    return any(_ALTERS.search(text) for text in texts)


def role_state(
    connection: psycopg.Connection[Any], *, besides: str
) -> dict[Facet, str | None]:
    """Return what is set for every role, as far as the login may see it.

    But for settings in databases whose name begins with *besides*. Passwords are there
    as the server keeps them: never show them.
    """
    found: dict[Facet, str | None] = {}
    for role, name, value in connection.execute(_ATTRIBUTES).fetchall():
        found[Facet(role, "attribute", (name,))] = value
    for role, *name, value in connection.execute(_SETTINGS, [besides]).fetchall():
        found[Facet(role, "setting", tuple(name))] = value
    for role, *name, value in connection.execute(_MEMBERS).fetchall():
        found[Facet(role, "member", tuple(name))] = value
    if connection.execute(_MAY_SEE).fetchone() == (True,):
        for role, value in connection.execute(_PASSWORDS).fetchall():
            found[Facet(role, "password", ())] = value
    return found


def changed(
    before: Mapping[Facet, str | None], after: Mapping[Facet, str | None]
) -> list[Facet]:
    """Return what of roles that are there both times differs, in order.

    A role that was there before, and is not any more, is one difference.
    """
    known = ({one.role for one in found} for found in (before, after))
    kept = set.intersection(*known) | {""}
    differs = {one for one in {*before, *after} if before.get(one) != after.get(one)}
    gone = {one.role for one in before} - kept
    return sorted(
        {one for one in differs if one.role in kept}
        | {Facet(role, "gone", ()) for role in gone}
    )


def is_named(facet: Facet, texts: Iterable[str], login: str) -> bool:
    """Return whether *texts* of SQL, run by *login*, name whom *facet* is about."""
    word = re.compile(rf"(?<![\w$]){re.escape(facet.role)}(?![\w$])", re.IGNORECASE)
    return any(
        _ANY.search(text)
        if not facet.role
        else word.search(text) or (facet.role == login and _OWN.search(text))
        for text in texts
    )


def set_back(
    connection: psycopg.Connection[Any], facet: Facet, value: str | None
) -> str | None:
    """Set *facet* to *value*, None: to nothing; return why that failed."""
    if facet.kind == "gone":
        return "it was dropped"
    try:
        with connection.transaction():
            for statement in _statements(facet, value):
                connection.execute(statement)
    except psycopg.Error as error:
        return first_line(error)
    return None


def _statements(facet: Facet, value: str | None) -> Iterator[sql.SQL | sql.Composed]:
    role = sql.Identifier(facet.role)
    if facet.kind == "attribute":
        yield _attribute(role, facet.name[0], value)
    elif facet.kind == "setting":
        yield from _setting(facet, value)
    elif facet.kind == "member":
        yield from _member(facet, value)
    else:
        # a log of statements is no place for it
        yield sql.SQL("SET LOCAL log_statement = 'none'")
        yield sql.SQL("SET LOCAL log_min_duration_statement = -1")
        yield sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, value)


def _attribute(role: sql.Identifier, name: str, value: str | None) -> sql.Composed:
    if name == "comment":
        return sql.SQL("COMMENT ON ROLE {} IS {}").format(role, value)
    if name in _SWITCHES:
        word = name if value == "true" else f"NO{name}"
        return sql.SQL("ALTER ROLE {} {}").format(role, sql.SQL(word))
    literal = (
        sql.SQL(value or "-1") if name == "CONNECTION LIMIT" else sql.Literal(value)
    )
    return sql.SQL("ALTER ROLE {} {} {}").format(role, sql.SQL(name), literal)


def _setting(facet: Facet, value: str | None) -> Iterator[sql.SQL | sql.Composed]:
    database, name = facet.name
    if facet.role or not database:
        whom = sql.Identifier(facet.role) if facet.role else sql.SQL("ALL")
        place = sql.SQL("ALTER ROLE {}").format(whom)
        if database:
            place += sql.SQL(" IN DATABASE {}").format(sql.Identifier(database))
    else:
        place = sql.SQL("ALTER DATABASE {}").format(sql.Identifier(database))
    setting = sql.Identifier(*name.split("."))
    if value is None:
        yield place + sql.SQL(" RESET {}").format(setting)
        return
    # a list comes as the server keeps it, which no literal can say
    yield sql.SQL("SELECT pg_catalog.set_config({}, {}, true)").format(name, value)
    yield place + sql.SQL(" SET {} FROM CURRENT").format(setting)


def _member(facet: Facet, value: str | None) -> Iterator[sql.SQL | sql.Composed]:
    role, member, grantor = map(sql.Identifier, (facet.role, *facet.name))
    if value is None:
        statement = sql.SQL("REVOKE {} FROM {} GRANTED BY {}")
        yield statement.format(role, member, grantor)
        return
    options = json.loads(value)
    yield sql.SQL("GRANT {} TO {} WITH {} GRANTED BY {}").format(
        role,
        member,
        sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.SQL(word), options[f"{word.lower()}_option"])
            for word in ("ADMIN", "INHERIT", "SET")
        ),
        grantor,
    )
