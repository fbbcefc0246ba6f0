"""A partition is made on a table in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    if not isinstance(tree, ast.CreateStmt) or tree.partbound is None:
        return
    parent = statement.name(tree.inhRelations[0])
    if not statement.exists(parent):
        return
    scans = statement.rows_scanned() > 0
    yield Hit(
        parent,
        f"{statement.cost()}; readers and writers of the parent wait"
        if scans
        else "ACCESS EXCLUSIVE on it until the commit: its reads and writes wait",
        is_measured=statement.is_measured,
        severity="error" if scans else "warning",
    )


RULE = Rule(
    id="partition-of-live-parent",
    number=23,
    title="a partition is made on a table in use",
    family="lock",
    severity="warning",
    hazard=(
        "CREATE TABLE ... PARTITION OF takes ACCESS EXCLUSIVE on the parent: its "
        "readers and writers wait, and with a default partition they wait while "
        "that one is read."
    ),
    measured=(
        "The lock on a parent that was there before. Without a measurement: "
        "PARTITION OF a table that the revision did not make."
    ),
    remedy=(
        "CREATE TABLE ... (LIKE parent ...) with a CHECK that says its bounds, "
        "then ALTER TABLE parent ATTACH PARTITION: that takes SHARE UPDATE EXCLUSIVE "
        "on the parent, which blocks neither reads nor writes."
    ),
    statement=check,
)
