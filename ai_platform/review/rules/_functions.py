"""What CREATE FUNCTION says about safety: its language, its search_path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pglast import ast

from ._tree import dotted, option, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._context import StatementContext

__all__ = ["Function", "read_function"]

_COMPILED: Final = {"c", "internal"}


@dataclass(frozen=True, slots=True)
class Function:
    """A function with the search_path that it sets; None where it sets none.

    *is_bound*: its names are resolved when it is created, or it is compiled.
    """

    name: str
    path: tuple[str, ...] | None
    is_definer: bool
    is_bound: bool


def read_function(statement: StatementContext) -> Function | None:
    """Return the function that *statement* creates or makes unsafe; else None.

    A search_path that a later ALTER FUNCTION of the revision sets counts too.
    """
    tree = statement.tree
    if isinstance(tree, ast.AlterFunctionStmt):
        return _altered(statement, tree)
    if not isinstance(tree, ast.CreateFunctionStmt):
        return None
    name = dotted(tree.funcname)
    languages = [item.sval for item in option(tree.options, "language")]
    paths = [_path(item) for item in option(tree.options, "set")]
    definer = [item.boolval for item in option(tree.options, "security")]
    for other in statement.later:
        altered = other.tree
        if isinstance(altered, ast.AlterFunctionStmt) and dotted(altered.func) == name:
            paths += [_path(item) for item in option(altered.actions, "set")]
    found = [path for path in paths if path is not None]
    return Function(
        name=name,
        path=found[-1] if found else None,
        is_definer=any(definer),
        is_bound=tree.sql_body is not None or bool(_COMPILED & set(languages)),
    )


def _altered(
    statement: StatementContext, tree: ast.AlterFunctionStmt
) -> Function | None:
    """Return what the catalog says of a function whose rights or path are altered."""
    name = dotted(tree.func)
    if not any(item.defname in {"security", "set"} for item in tree.actions):
        return None
    if any(
        isinstance(other.tree, ast.CreateFunctionStmt)
        and same(dotted(other.tree.funcname), name)
        for other in statement.earlier
    ):
        return None
    for item in statement.revision.evidence.after or ():
        called = item.key.identity.partition("(")[0]
        if item.key.kind in {"function", "procedure"} and same(called, name):
            return _recorded(name, item.properties)
    return None


def _recorded(name: str, known: Mapping[str, Any]) -> Function:
    prefix = "search_path="
    paths = [
        tuple(part.strip(' "') for part in setting.removeprefix(prefix).split(","))
        for setting in known.get("settings") or ()
        if setting.startswith(prefix)
    ]
    body = str(known.get("body")).lstrip()
    return Function(
        name=name,
        path=paths[0] if paths else None,
        is_definer=bool(known.get("security definer")),
        is_bound=known.get("language") in _COMPILED
        or (
            known.get("language") == "sql"
            and body.startswith(("BEGIN ATOMIC", "RETURN"))
        ),
    )


def _path(item: ast.VariableSetStmt) -> tuple[str, ...] | None:
    if item.name != "search_path":
        return None
    return tuple(part.val.sval for part in item.args or ())
