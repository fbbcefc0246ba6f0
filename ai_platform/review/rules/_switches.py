"""Which tables a revision switches row security on or off for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast, enums

from ._tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["row_security_switched"]


def row_security_switched(
    revision: RevisionContext, kind: enums.AlterTableType
) -> Iterator[str]:
    """Yield the tables, as written, that an ALTER TABLE of the revision does it to."""
    for statement in revision.statements:
        tree = statement.tree
        commands = tree.cmds if isinstance(tree, ast.AlterTableStmt) else ()
        if any(command.subtype == kind for command in commands):
            yield dotted(tree.relation)
