"""An index is there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pglast import ast
from pglast.stream import RawStream

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._context import RevisionContext

__all__ = ["RULE"]


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        yield from _read(revision)
        return
    known: dict[str, list[str]] = {}
    for item in revision.objects("index"):
        if not item.properties.get("attached to"):
            known.setdefault(_shape(item.properties), []).append(item.key.identity)
    for item in revision.objects("index", new=True):
        twins = known.get(_shape(item.properties), [item.key.identity])
        others = [name for name in twins if name != item.key.identity]
        made = {other.key.identity for other in revision.objects("index", new=True)}
        # of two new ones only the later name is at fault
        if [name for name in others if name not in made or name < item.key.identity]:
            told = f"is the same as {others[0]}"
            yield Hit(item.key.identity, told, is_measured=True)


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
