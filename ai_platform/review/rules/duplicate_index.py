"""An index is there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast
from pglast.stream import RawStream

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_platform.catalog import CatalogObject

    from ._context import RevisionContext

__all__ = ["RULE"]


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        yield from _read(revision)
        return
    new = {item.key for item in revision.objects("index", new=True)}
    groups: dict[str, list[CatalogObject]] = {}
    for item in revision.objects("index"):
        if not item.properties.get("attached to"):
            groups.setdefault(_shape(item.properties), []).append(item)
    for group in groups.values():
        if any(item.key in new for item in group):
            group.sort(key=lambda item: (*_rank(item), item.key in new, item.key))
            for item in group[1:]:
                told = f"is the same as {group[0].key.identity}"
                yield Hit(item.key.identity, told, is_measured=True)


def _rank(item: CatalogObject) -> tuple[bool, bool]:
    """Return what makes an index needed: a constraint, or that it is unique."""
    return not item.properties.get("constraint"), not item.properties.get("unique")


def _shape(properties: Mapping[str, Any]) -> str:
    parts = ("table", "method", "keys", "include", "where", "nulls not distinct")
    return str([properties.get(name) for name in parts])


def _read(revision: RevisionContext) -> Iterator[Hit]:
    known: dict[str, str] = {}
    for statement in revision.statements:
        tree = statement.tree
        if isinstance(tree, ast.IndexStmt):
            parts = (tree.relation, *tree.indexParams, tree.whereClause)
            shape = str([RawStream()(part) if part else "" for part in parts])
            name = tree.idxname or "index"
            first = known.setdefault(f"{tree.accessMethod} {shape}", name)
            if first != name:
                yield Hit(name, f"is the same as {first}", statement=statement.number)


RULE = Rule(
    id="duplicate-index",
    number=27,
    title="an index is there twice",
    family="design",
    severity="warning",
    hazard=(
        "Each write keeps both current, each takes its space; no query needs the "
        "second."
    ),
    measured=(
        "The catalog after the revision: same table, method, columns, condition. "
        "Without a measurement: two such statements in the revision."
    ),
    remedy="Leave the new one out, or drop the other.",
    revision=check,
)
