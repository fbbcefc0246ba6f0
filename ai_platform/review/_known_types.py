"""Types that Alembic makes once in a run, and a history more often."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pglast
from pglast import ast

from ai_platform.identifiers import quoted

if TYPE_CHECKING:
    import psycopg

__all__ = ["makes_known_type"]

_MAKES: Final = re.compile(r"\s*CREATE\s+(TYPE|DOMAIN)\s", re.IGNORECASE)


def makes_known_type(connection: psycopg.Connection[Any], statement: str) -> bool:
    """Return whether *statement* makes an enum or domain which is there, and no more.

    Whoever ran all revisions at once has come past it: of several tables with the
    same enum, Alembic makes it with the first one.
    """
    if _MAKES.match(statement) is None:
        return False
    try:
        node, *others = (raw.stmt for raw in pglast.parse_sql(statement))
    except pglast.parser.ParseError:  # the server will say it in its own words
        return False
    if others:
        return False
    if isinstance(node, ast.CreateEnumStmt):
        parts = node.typeName
    elif isinstance(node, ast.CreateDomainStmt):
        parts = node.domainname
    else:
        return False
    name = ".".join(quoted(part.sval) for part in parts)
    row = connection.execute("SELECT to_regtype(%s) IS NOT NULL", [name]).fetchone()
    return row == (True,)
