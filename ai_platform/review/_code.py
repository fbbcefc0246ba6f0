"""Which tables the code of a revision may name: DO blocks, and functions it calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pglast
from pglast import ast
from pglast.visitors import Visitor

from ai_platform.identifiers import unquoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import psycopg

    from .statements import Relation, Statement

__all__ = ["named_in_code"]

_OPAQUE: Final = {"DO", "CALL", "SELECT"}
_PART: Final = r'(?:"(?:[^"]|"")+"|[^\W\d]\w*)'
_NAME: Final = re.compile(rf"({_PART})(?:\s*\.\s*({_PART}))?")
_BODIES: Final = """
SELECT p.proname, concat_ws(' ', p.prosrc, pg_catalog.pg_get_function_sqlbody(p.oid))
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE p.proname = ANY (%s)
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                    WHERE e.classid = 'pg_catalog.pg_proc'::regclass
                      AND e.objid = p.oid AND e.deptype = 'e')
"""


def named_in_code(
    connection: psycopg.Connection[Any], statements: Iterable[Statement]
) -> set[Relation]:
    """Return every name in the code that *statements* run; few of them are tables.

    That of DO blocks, and of functions which a CALL or SELECT, or such code, calls:
    known to the server, or made by one of the *statements*.
    """
    own: dict[str, str] = {}
    texts: list[str] = []
    called: set[str] = set()
    for statement in statements:
        for one in pglast.parse_sql(statement.sql):
            node = one.stmt
            if isinstance(node, ast.CreateFunctionStmt):
                own[node.funcname[-1].sval] = statement.sql
            elif isinstance(node, ast.DoStmt):
                texts.append(statement.sql)
            elif statement.tag in _OPAQUE:
                called |= _called(node)
    found = {name for text in texts for name in _names(text)}
    known: set[str] = set()
    while asked := (called | {name for _, name in found}) - known:
        known |= asked
        bodies = [own[name] for name in asked & own.keys()]
        rows = connection.execute(_BODIES, [sorted(asked - own.keys())])
        bodies += [body for _, body in rows]
        found.update(name for body in bodies for name in _names(body))
    return found


class _Calls(Visitor):
    """Collects the functions that a statement calls, without their schemas."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_FuncCall(self, _: object, node: ast.FuncCall) -> None:  # noqa: N802
        self.found.add(node.funcname[-1].sval)


def _called(node: ast.Node) -> set[str]:
    calls = _Calls()
    calls(node)
    return calls.found


def _names(text: str) -> Iterator[Relation]:
    for first, second in _NAME.findall(text):
        if second:
            yield _plain(first), _plain(second)
        else:
            yield None, _plain(first)


def _plain(name: str) -> str:
    return unquoted(name) if name.startswith('"') else name.lower()
