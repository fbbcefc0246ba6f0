"""Which statements reach beyond the database that a revision runs in."""

from __future__ import annotations

from typing import Any, Final, Literal

from pglast import ast, enums

__all__ = ["REFUSED", "Reach", "reach"]

Reach = Literal["", "server", "named"]
"""A statement's reach: its own database, the whole server, or a database by name."""

REFUSED: Final = (
    ast.CreatedbStmt,
    ast.DropdbStmt,
    ast.CreateTableSpaceStmt,
    ast.DropTableSpaceStmt,
    ast.AlterSystemStmt,
)
"""What PostgreSQL refuses inside of a transaction, whatever it names."""
_NAMED: Final = (
    ast.AlterDatabaseStmt,
    ast.AlterDatabaseSetStmt,
    ast.AlterDatabaseRefreshCollStmt,
)
_DATABASE: Final = enums.ObjectType.OBJECT_DATABASE
_TABLESPACE: Final = enums.ObjectType.OBJECT_TABLESPACE


def reach(node: Any) -> Reach:
    """Return how far the statement with the syntax tree *node* reaches."""
    if isinstance(node, REFUSED):
        return "server"
    if isinstance(node, _NAMED):
        return "named"
    kinds = [
        getattr(node, name, None) for name in ("objtype", "objectType", "renameType")
    ]
    if _DATABASE in kinds:
        return "named"
    is_other = isinstance(node, ast.AlterTableSpaceOptionsStmt)
    return "server" if is_other or _TABLESPACE in kinds else ""
