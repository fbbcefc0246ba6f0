"""What a statement makes that production does not have yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast, enums

from ai_platform.catalog.difference import WHOLE

from ._tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["made_by"]


def made_by(statement: StatementContext) -> Iterator[str]:
    """Yield the relations that a statement makes, as it names them."""
    tree = statement.tree
    if isinstance(tree, ast.CreateStmt):
        if not _was_there(statement, tree):
            yield dotted(tree.relation)
    elif isinstance(tree, ast.CreateTableAsStmt):
        yield dotted(tree.into.rel)
    elif isinstance(tree, ast.ViewStmt):
        yield dotted(tree.view)
    elif isinstance(tree, ast.IndexStmt) and tree.idxname:
        schema = tree.relation.schemaname
        yield dotted(ast.RangeVar(schemaname=schema, relname=tree.idxname))
    elif isinstance(tree, ast.RenameStmt) and tree.relation is not None:
        yield from _renamed(statement, tree)
    for change in statement.facts.changes:
        if change.property == WHOLE and change.before is None:
            yield change.identity


def _was_there(statement: StatementContext, tree: ast.CreateStmt) -> bool:
    """Return whether CREATE TABLE IF NOT EXISTS had nothing to do."""
    if not tree.if_not_exists:
        return False
    name = statement.name(tree.relation)
    skipped = any("already exists, skipping" in n for n in statement.facts.notices)
    return skipped or statement.revision.before("table", name) is not None


def _renamed(statement: StatementContext, tree: ast.RenameStmt) -> Iterator[str]:
    """Yield the new name of a table that was new under its old one."""
    is_new = not statement.exists(statement.name(tree.relation))
    if is_new and tree.renameType == enums.ObjectType.OBJECT_TABLE:
        schema = tree.relation.schemaname
        yield dotted(ast.RangeVar(schemaname=schema, relname=tree.newname))
