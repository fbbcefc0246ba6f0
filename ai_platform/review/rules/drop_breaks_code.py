"""Running code still uses what is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._partitions import partitioned_parents
from ._rule import Hit, Rule
from ._tree import dotted, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_USED: Final = {
    enums.ObjectType.OBJECT_TABLE,
    enums.ObjectType.OBJECT_VIEW,
    enums.ObjectType.OBJECT_MATVIEW,
}


def check(statement: StatementContext) -> Iterator[Hit]:
    if statement.revision.phase == "contract":
        return
    for name in _dropped(statement):
        yield Hit(
            name,
            "goes while code that uses it may still run; its data goes too",
            is_measured=statement.is_measured,
        )
    for kind, name in statement.gone("table", "view", "materialized view", "column"):
        known = statement.revision.before(kind, name) or {}
        if not known.get("partition bound"):
            yield Hit(
                name,
                "goes, or gets another name, while code that uses it may still run",
                is_measured=True,
            )


def _dropped(statement: StatementContext) -> Iterator[str]:
    tree = statement.tree
    for table, command in statement.commands(enums.AlterTableType.AT_DropColumn):
        yield f"{table}.{command.name}"
    if isinstance(tree, ast.TruncateStmt):
        for item in tree.relations:
            if statement.exists(statement.name(item)):
                yield statement.name(item)
    if isinstance(tree, ast.DropStmt) and tree.removeType in _USED:
        if partitioned_parents(statement):
            return
        for item in tree.objects:
            name = statement.name(item)
            if statement.exists(name) and not _comes_back(statement, name):
                yield name


def _comes_back(statement: StatementContext, name: str) -> bool:
    """Return whether the same transaction makes a view *name* again, with its columns.

    Then nobody ever sees it missing, and a view holds no data.
    """
    if not any(
        isinstance(other.tree, ast.ViewStmt)
        and statement.shares_transaction(other)
        and same(dotted(other.tree.view), name)
        for other in statement.later
    ):
        return False
    before = statement.revision.before("view", name) or {}
    return any(
        same(item.key.identity, name)
        and set(before.get("column order", ())) <= set(item.properties["column order"])
        for item in statement.revision.objects("view")
    )


RULE = Rule(
    id="drop-breaks-code",
    number=21,
    title="running code still uses what is dropped",
    family="code",
    severity="error",
    hazard=(
        "Old code goes on while the revision commits: each of its statements that "
        "names the table or column fails from then on, and the data is gone, as it is "
        "with TRUNCATE."
    ),
    measured=(
        "The object was there before; the statement itself says so, or, for SQL that "
        "is made as it runs, the catalog. A partition is not counted: code names its "
        "parent."
    ),
    remedy=(
        "First a release whose code does not use it any more, then the drop in a "
        "revision of its own that says Phase: contract."
    ),
    statement=check,
)
