"""A table is open, and those of its kind are under row security."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.visitors import Visitor

from ._rights import rights_of
from ._rule import Hit, Rule
from ._tree import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_platform.catalog import CatalogObject, Snapshot

    from ._context import RevisionContext

__all__ = ["RULE"]

_ENOUGH: Final = 2
_ROWS: Final = {"SELECT", "INSERT", "UPDATE", "DELETE"}


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        return
    before = revision.evidence.before
    known = _open(before) if before is not None else {}
    # a table that has policies and no row security is told of by another rule
    idle = {
        item.key.identity.partition(" on ")[2] for item in revision.objects("policy")
    }
    for table, column in sorted(_open(revision.evidence.after).items()):
        if table not in known and table not in idle:
            message = f"has {column}, as tables under row security have, and has none"
            yield Hit(table, message, is_measured=True)


def _open(catalog: Snapshot) -> Mapping[str, str]:
    """Return the tables open to others though their like are not: by what column."""
    tables = {
        item.key.identity: item
        for item in catalog
        if item.key.kind == "table" and not item.properties.get("partition bound")
    }
    kept = _kept_apart_by(catalog, tables)
    return {
        name: column
        for name, table in tables.items()
        if not table.properties.get("row security")
        and any(_ROWS & rights for rights in rights_of(table.properties).values())
        for column in table.properties["column order"]
        if column in kept
    }


def _kept_apart_by(
    catalog: Snapshot, tables: Mapping[str, CatalogObject]
) -> frozenset[str]:
    """Return the columns whose policies hold most of the tables that have them."""
    having: dict[str, int] = defaultdict(int)
    held: dict[str, set[str]] = defaultdict(set)
    for table in tables.values():
        for column in table.properties["column order"]:
            having[column] += 1
    for item in catalog:
        table_name = item.key.identity.partition(" on ")[2]
        if item.key.kind == "policy" and table_name in tables:
            for column in _columns(item):
                held[column].add(table_name)
    return frozenset(
        column
        for column, names in held.items()
        if len(names) >= _ENOUGH and 2 * len(names) > having[column]
    )


class _Columns(Visitor):
    """Collects the columns that stand without their table: those of the policy's."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_ColumnRef(self, _: object, node: ast.ColumnRef) -> None:  # noqa: N802
        if len(node.fields) == 1 and isinstance(node.fields[0], ast.String):
            self.found.add(node.fields[0].sval)


def _columns(policy: CatalogObject) -> set[str]:
    columns = _Columns()
    for name in ("using", "with check"):
        tree = parsed(f"SELECT {policy.properties.get(name)}")
        if tree is not None:
            columns(tree)
    return columns.found


RULE = Rule(
    id="row-security-forgotten",
    number=28,
    title="a table is open, and those of its kind are under row security",
    family="security",
    severity="warning",
    hazard=(
        "A new table of a multi-tenant schema has no row security until somebody "
        "switches it on: whoever has a right on it reads and writes the rows of every "
        "tenant."
    ),
    measured=(
        "The catalog before and after: a table without row security that others than "
        "its owner may read or write, with a column by which policies hold at least "
        "two tables, and most of those that have it. Nothing without a measurement."
    ),
    remedy=(
        "ALTER TABLE ... ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY and a "
        "policy on that column, before the first GRANT. Where the table is meant for "
        "everybody, let a person answer for it in review.accept.toml."
    ),
    revision=check,
)
