"""A partitioned table is to be unlogged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast, enums

from ._rule import Hit, Rule
from ._tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    for table in _tables(statement):
        yield Hit(
            table,
            "refused by PostgreSQL 18, without effect before",
            is_measured=not statement.is_measured
            and "unlogged" in (statement.facts.error or "").lower(),
        )


def _tables(statement: StatementContext) -> Iterator[str]:
    tree = statement.tree
    unlogged = isinstance(tree, ast.CreateStmt) and tree.relation.relpersistence == "u"
    if unlogged and tree.partspec is not None:
        yield dotted(tree.relation)
    for table, _ in statement.commands(enums.AlterTableType.AT_SetUnLogged):
        known = statement.revision.before("table", table) or {}
        if known.get("form") == "partitioned":
            yield table


RULE = Rule(
    id="unlogged-partitioned",
    number=26,
    title="a partitioned table is to be unlogged",
    family="repeat",
    severity="error",
    hazard=(
        "PostgreSQL 18 refuses an UNLOGGED partitioned table; before, it was "
        "accepted and had no effect: the partitions were logged."
    ),
    measured=(
        "The server's refusal. Without a measurement: UNLOGGED beside PARTITION BY."
    ),
    remedy=("Leave the parent logged, create each partition UNLOGGED and attach it."),
    statement=check,
)
