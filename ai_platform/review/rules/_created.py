"""Keys and references of a table that a revision makes, read from its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast, enums

from ._tree import constraints, dotted, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["created_keys", "created_references"]

_FOREIGN = enums.ConstrType.CONSTR_FOREIGN
_UNIQUE = (enums.ConstrType.CONSTR_PRIMARY, enums.ConstrType.CONSTR_UNIQUE)


def created_references(tree: ast.CreateStmt) -> Iterator[set[str]]:
    """Yield the columns of each foreign key of a CREATE TABLE."""
    for item in tree.tableElts or ():
        if isinstance(item, ast.ColumnDef):
            for _ in constraints(item, _FOREIGN):
                yield {item.colname}
        elif isinstance(item, ast.Constraint) and item.contype == _FOREIGN:
            yield {column.sval for column in item.fk_attrs}


def created_keys(
    tree: ast.CreateStmt, others: Iterable[ast.Node | None]
) -> Iterator[list[str]]:
    """Yield the columns of each index that the table gets, by itself or by *others*."""
    for item in tree.tableElts or ():
        if isinstance(item, ast.ColumnDef):
            if any(constraints(item, kind) for kind in _UNIQUE):
                yield [item.colname]
        elif isinstance(item, ast.Constraint) and item.contype in _UNIQUE:
            yield [column.sval for column in item.keys or ()]
    for other in others:
        if not isinstance(other, ast.IndexStmt):
            continue
        if same(dotted(other.relation), dotted(tree.relation)):
            yield [element.name or "" for element in other.indexParams]
