"""A DROP takes more than it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pglast import ast, enums

from ai_platform.catalog.difference import WHOLE

from ._rule import Hit, Rule
from ._tree import dotted, quoted, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.review.facts import Change

    from ._context import StatementContext

__all__ = ["RULE"]

_CASCADE: Final = enums.DropBehavior.DROP_CASCADE
_DROPS: Final = {
    enums.AlterTableType.AT_DropColumn,
    enums.AlterTableType.AT_DropConstraint,
}
_ON_TABLE: Final = {
    enums.ObjectType.OBJECT_TRIGGER,
    enums.ObjectType.OBJECT_POLICY,
    enums.ObjectType.OBJECT_RULE,
}
_EXTENSION: Final = enums.ObjectType.OBJECT_EXTENSION
_HELD: Final = {"table", "view", "materialized view", "function", "procedure"}
# what goes with its table without being anybody's own loss
_PARTS: Final = {"index", "statistics", "comment"}


def check(statement: StatementContext) -> Iterator[Hit]:
    if not _cascades(statement.tree):
        return
    if not statement.is_measured:
        if not any(map(statement.exists, _named(statement))):
            return
        yield Hit(
            statement.facts.tag,
            "CASCADE takes whatever depends on it, and does not say what",
            severity="warning",
        )
        return
    for kind, name in _taken(statement):
        yield Hit(name, f"{kind} {name} goes too, unnamed", is_measured=True)


def _cascades(tree: Any) -> bool:
    if isinstance(tree, ast.AlterTableStmt):
        return any(
            command.behavior == _CASCADE and command.subtype in _DROPS
            for command in tree.cmds
        )
    if isinstance(tree, ast.DropOwnedStmt):
        return True
    return isinstance(tree, ast.DropStmt) and tree.behavior == _CASCADE


def _taken(statement: StatementContext) -> Iterator[tuple[str, str]]:
    """Yield kind and name of what was there before, and went without being named."""
    named = set(_named(statement))
    # an operator class takes its indexes along
    is_of_extension = getattr(statement.tree, "removeType", None) == _EXTENSION
    for change in statement.facts.changes:
        is_gone = change.property == WHOLE and change.after is None
        loses_default = change.property == "default" and change.after is None
        if loses_default:
            yield "the default of column", change.identity
        elif is_gone and (change.kind not in _PARTS or is_of_extension):
            is_named = any(_is(change, name) for name in named)
            if not is_named and statement.exists(change.identity):
                yield change.kind, change.identity
            if change.kind == "schema":
                yield from _inside(statement, change.identity)


def _is(change: Change, name: str) -> bool:
    """Return whether what a statement calls *name* is the object of *change*."""
    if change.kind == "column" or " on " in change.identity or " on " in name:
        return change.identity == name
    return same(change.identity.partition("(")[0], name)


def _inside(statement: StatementContext, schema: str) -> Iterator[tuple[str, str]]:
    """Yield the relations and functions of a schema, which go with it."""
    for item in statement.revision.evidence.before or ():
        name = item.key.identity
        if item.key.kind in _HELD and name.startswith(f"{schema}."):
            yield item.key.kind, name


def _named(statement: StatementContext) -> Iterator[str]:
    """Yield what the statement names, as the catalog names it."""
    tree = statement.tree
    if isinstance(tree, ast.DropStmt):
        for item in tree.objects:
            if tree.removeType in _ON_TABLE:
                *table, own = item
                yield f"{quoted(own.sval)} on {statement.name(table)}"
            else:
                yield dotted(item)
    elif isinstance(tree, ast.AlterTableStmt):
        table = statement.name(tree.relation)
        for command in tree.cmds:
            if command.name:
                yield f"{table}.{quoted(command.name)}"
                yield f"{quoted(command.name)} on {table}"


RULE = Rule(
    id="cascade-takes-more",
    number=32,
    title="a DROP takes more than it names",
    family="code",
    severity="error",
    hazard=(
        "CASCADE drops what depends on the object: views, foreign keys of other "
        "tables, columns of a type, defaults, triggers. Production may hold more of "
        "them than any database for tests."
    ),
    measured=(
        "What is gone from the catalog after the statement, and is not named in it. "
        "Without a measurement: the word CASCADE, and DROP OWNED, as a warning."
    ),
    remedy=(
        "Leave CASCADE out and drop by name first what is to go: then PostgreSQL "
        "refuses the rest."
    ),
    statement=check,
)
