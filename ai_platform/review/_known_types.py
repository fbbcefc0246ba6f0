"""Types that Alembic makes once in a run, and a history more often."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pglast
from pglast import ast

from ai_platform.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from .statements import Statement

__all__ = ["makes_known_type", "without_known_types"]

_MAKES: Final = re.compile(r"\s*CREATE\s+(TYPE|DOMAIN)\s", re.IGNORECASE)


def without_known_types(
    connection: psycopg.Connection[Any], statements: Sequence[Statement]
) -> tuple[Statement, ...]:
    """Return *statements* but for those that make an enum or domain which is there.

    Whoever ran all revisions at once has come past them: of several tables with the
    same enum, Alembic makes it with the first one.
    """
    return tuple(one for one in statements if not makes_known_type(connection, one.sql))


def makes_known_type(connection: psycopg.Connection[Any], statement: str) -> bool:
    """Return whether *statement* makes an enum or domain which is there."""
    if _MAKES.match(statement) is None:
        return False
    node = pglast.parse_sql(statement)[0].stmt
    if isinstance(node, ast.CreateEnumStmt):
        parts = node.typeName
    elif isinstance(node, ast.CreateDomainStmt):
        parts = node.domainname
    else:
        return False
    name = ".".join(quoted(part.sval) for part in parts)
    row = connection.execute("SELECT to_regtype(%s) IS NOT NULL", [name]).fetchone()
    return row == (True,)
