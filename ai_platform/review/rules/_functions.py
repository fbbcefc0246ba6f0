"""What CREATE FUNCTION says about safety: its language, its search_path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pglast import ast

from ._tree import dotted, option

if TYPE_CHECKING:
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
    """Return the function that *statement* creates; None where it creates none.

    A search_path that a later ALTER FUNCTION of the revision sets counts too.
    """
    tree = statement.tree
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


def _path(item: ast.VariableSetStmt) -> tuple[str, ...] | None:
    if item.name != "search_path":
        return None
    return tuple(part.val.sval for part in item.args or ())
