"""A partition is readable past the policies of its parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast, enums

from ._rule import Hit, Rule
from ._tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.catalog import CatalogObject

    from ._context import RevisionContext

__all__ = ["RULE"]


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        yield from _read(revision)
        return
    for item in revision.objects("table"):
        known = revision.before("table", item.key.identity)
        if known != item.properties and _is_under_policies(revision, item):
            for who in _strangers(item):
                told = f"is open by itself to {who}"
                yield Hit(item.key.identity, told, is_measured=True)


def _is_under_policies(revision: RevisionContext, item: CatalogObject) -> bool:
    """Return whether *item* is a bare partition of a table with row security."""
    now = item.properties
    if not now.get("partition bound") or now.get("row security"):
        return False
    parents = now.get("inherits") or ()
    return any(
        entry.properties.get("row security")
        for entry in revision.objects("table")
        if entry.key.identity in parents
    )


def _strangers(item: CatalogObject) -> Iterator[str]:
    owner = f"{item.properties.get('owner')}: "
    for text in item.properties.get("rights") or ():
        if not text.startswith(owner):
            yield text


def _read(revision: RevisionContext) -> Iterator[Hit]:
    trees = [item.tree for item in revision.statements]
    partitions = {
        dotted(tree.relation)
        for tree in trees
        if isinstance(tree, ast.CreateStmt) and tree.partbound
    }
    for statement in revision.statements:
        for table in sorted(partitions & set(_granted(statement.tree))):
            yield Hit(
                table,
                "rights are given on a partition by itself",
                severity="warning",
                statement=statement.number,
            )


def _granted(tree: ast.Node | None) -> Iterator[str]:
    tables = enums.ObjectType.OBJECT_TABLE
    if isinstance(tree, ast.GrantStmt) and tree.is_grant and tree.objtype == tables:
        yield from map(dotted, tree.objects)


RULE = Rule(
    id="partition-side-door",
    number=28,
    title="a partition is readable past the policies of its parent",
    family="security",
    severity="error",
    hazard=(
        "Partitions inherit neither row security nor rights. Who has a right on "
        "the partition itself reads all of its rows, whatever the policies of the "
        "parent say."
    ),
    measured=(
        "The catalog after the revision: a partition without row security, of a "
        "parent with it, on which others than the owner have rights. Without a "
        "measurement: GRANT on a table that the revision makes a partition."
    ),
    remedy=(
        "Give rights on the parent only, or switch row security on for the "
        "partition too; take back what default privileges gave."
    ),
    revision=check,
)
