"""Roles that work in a scratch database makes: the server's, so dropped by name."""

from __future__ import annotations

import json
import re
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Any, Final, LiteralString

import psycopg
from psycopg import sql

from ai_platform.connection import first_line
from ai_platform.identifiers import unquoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "added_roles",
    "drop_roles",
    "mark",
    "marked",
    "name_back",
    "named_roles",
    "role_names",
    "roles",
]

_MARK: Final = "scratch; roles made for it: "
_LONGEST_BYTES: Final = 63
# other capitals stay as they are
_FOLDED: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
_NAME: Final = r'("(?:[^"]|"")+"|[^\W\d][\w$]*)'
_MADE: Final = re.compile(
    rf"\bCREATE\s+(?:ROLE|USER|GROUP)\s+(?!MAPPING\b){_NAME}"
    rf"|\bALTER\s+(?:ROLE|USER|GROUP)\s+{_NAME}\s+RENAME\s+TO\s+{_NAME}",
    re.IGNORECASE,
)


def named_roles(texts: Iterable[str], before: Iterable[str] = ()) -> set[str]:
    """Return the roles that *texts* of SQL make by name, also inside of DO blocks.

    Not those that were there *before*, whatever other name they get.
    """
    found: set[str] = set()
    theirs = set(before)
    for text in texts:
        for match in _MADE.finditer(text):
            name = _kept(match[1] or match[3])
            if match[2] and _kept(match[2]) in theirs - found:
                theirs.add(name)
            elif name not in theirs:
                found.add(name)
    return found


def _kept(written: str) -> str:
    """Return the name *written* in SQL as the server keeps it."""
    folded = written if written.startswith('"') else written.translate(_FOLDED)
    return unquoted(folded).encode()[:_LONGEST_BYTES].decode(errors="ignore")


def roles(connection: psycopg.Connection[Any]) -> set[str]:
    """Return the names of all roles of the server."""
    query = "SELECT rolname::text FROM pg_catalog.pg_roles"
    return {name for (name,) in connection.execute(query).fetchall()}


def role_names(connection: psycopg.Connection[Any]) -> dict[int, str]:
    """Return the names of all roles of the server by their numbers, which stay."""
    query = "SELECT oid::bigint, rolname::text FROM pg_catalog.pg_roles"
    return dict(connection.execute(query).fetchall())


def name_back(
    connection: psycopg.Connection[Any], before: Mapping[int, str]
) -> dict[str, str]:
    """Name roles as they were named *before*; return what remains, with the reason."""
    faults: dict[str, str] = {}
    for number, name in role_names(connection).items():
        old = before.get(number, name)
        if old != name:
            fault = _done(connection, "ALTER ROLE {} RENAME TO {}", name, old)
            if fault is not None:
                faults[name] = f"it was {old!r}: {fault}"
    return faults


def added_roles(connection: psycopg.Connection[Any]) -> set[str]:
    """Return the names of the roles that the server was not born with."""
    query = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE oid >= 16384"
    return {name for (name,) in connection.execute(query).fetchall()}


def mark(
    connection: psycopg.Connection[Any], database: str, names: Iterable[str]
) -> None:
    """Note in a comment on *database* that *names* go with it, should we be killed."""
    text = _MARK + json.dumps(sorted(names))
    statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
    connection.execute(statement.format(sql.Identifier(database), text))


def marked(connection: psycopg.Connection[Any], database: str) -> list[str]:
    """Return the roles that `mark` noted for *database*."""
    query = """SELECT pg_catalog.shobj_description(oid, 'pg_database')
                 FROM pg_catalog.pg_database WHERE datname = %s"""
    (text,) = connection.execute(query, [database]).fetchone() or (None,)
    if not text or not text.startswith(_MARK):
        return []
    return [str(name) for name in json.loads(text.removeprefix(_MARK))]


def drop_roles(
    connection: psycopg.Connection[Any], names: Iterable[str]
) -> dict[str, str]:
    """Drop those of *names* that are there; return what remains, each with the reason.

    Whatever they own or may do in the database of *connection* goes as well.
    """
    todo = sorted(roles(connection) & set(names))
    while todo:
        faults: dict[str, str] = {}
        for name in todo:
            # what it owns may only be dropped by those who may act as the role
            if _done(connection, "DROP ROLE {}", name) is not None:
                _done(connection, "DROP OWNED BY {}", name)
                fault = _done(connection, "DROP ROLE {}", name)
                if fault is not None:
                    faults[name] = fault
        # one may have depended on another that is gone by now
        if len(faults) == len(todo):
            return faults
        todo = list(faults)
    return {}


def _done(
    connection: psycopg.Connection[Any], statement: LiteralString, *names: str
) -> str | None:
    """Run *statement* for the roles *names*; return why it failed."""
    try:
        with connection.transaction():
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
    except psycopg.Error as error:
        return first_line(error)
    return None
