"""Running code does not know the new name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_NAMED: Final = {
    enums.ObjectType.OBJECT_TABLE,
    enums.ObjectType.OBJECT_VIEW,
    enums.ObjectType.OBJECT_MATVIEW,
    enums.ObjectType.OBJECT_COLUMN,
}


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    if statement.revision.phase == "contract":
        return
    if isinstance(tree, ast.RenameStmt) and tree.renameType in _NAMED:
        table = statement.name(tree.relation)
        if statement.exists(table):
            column = tree.renameType == enums.ObjectType.OBJECT_COLUMN
            if column and _is_new(statement, table, tree.subname):
                return
            yield Hit(
                f"{table}.{tree.subname}" if column else table,
                f"becomes {tree.newname}: code that knows the old name fails",
                is_measured=statement.is_measured,
            )
    elif isinstance(tree, ast.AlterObjectSchemaStmt) and tree.relation:
        table = statement.name(tree.relation)
        if statement.exists(table):
            yield Hit(
                table,
                f"moves to schema {tree.newschema}: code that knows the old one fails",
                is_measured=statement.is_measured,
            )


def _is_new(statement: StatementContext, table: str, column: str) -> bool:
    """Return whether no code knows *column*: this revision made or named it so."""
    for other in statement.earlier:
        tree = other.tree
        if any(
            (where, item.colname) == (table, column)
            for where, item in other.columns_added()
        ):
            return True
        if (
            isinstance(tree, ast.RenameStmt)
            and tree.renameType == enums.ObjectType.OBJECT_COLUMN
            and (other.name(tree.relation), tree.newname) == (table, column)
        ):
            return True
    return False


RULE = Rule(
    id="rename-breaks-code",
    number=21,
    title="running code does not know the new name",
    family="code",
    severity="error",
    hazard=(
        "Old and new code run side by side during a release. A renamed table or "
        "column is missing for the one or the other from the commit on."
    ),
    measured=(
        "The object was there before and has another name afterwards; the "
        "statement itself says so."
    ),
    remedy=(
        "Add the new name beside the old one (a second column kept current by a "
        "trigger, a view), change the code over, and drop the old one in a "
        "revision with Phase: contract."
    ),
    statement=check,
)
