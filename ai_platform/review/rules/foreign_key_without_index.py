"""A foreign key has no index on its own side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pglast import ast

from ._created import created_keys, created_references
from ._rule import Hit, Rule
from ._tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["RULE"]

_KEY: Final = re.compile(r"FOREIGN KEY \(([^)]*)\)")


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        yield from _read(revision)
        return
    for item in revision.objects("constraint", new=True):
        match = _KEY.match(str(item.properties.get("definition")))
        if match and item.parent and not item.properties.get("inherited"):
            table = item.parent.removeprefix("table ")
            columns = {name.strip() for name in match[1].split(",")}
            if not any(_leads(keys, columns) for keys in _indexes(revision, table)):
                yield _hit(table, sorted(columns), is_measured=True)


def _indexes(revision: RevisionContext, table: str) -> Iterator[list[str]]:
    """Yield the columns of each valid index of *table* that covers all its rows."""
    for item in revision.objects("index"):
        where = item.properties.get("where")
        partial = where is not None and "IS NOT NULL" not in str(where)
        if partial or item.properties.get("invalid"):
            continue
        if item.properties.get("table") == table:
            yield [key.split(" ")[0] for key in item.properties["keys"]]


def _leads(keys: list[str], columns: set[str]) -> bool:
    return set(keys[: len(columns)]) == columns


def _hit(table: str, columns: list[str], *, is_measured: bool = False) -> Hit:
    told = f"no index begins with the key ({', '.join(columns)})"
    return Hit(table, told, is_measured=is_measured)


def _read(revision: RevisionContext) -> Iterator[Hit]:
    trees = [item.tree for item in revision.statements]
    for tree in trees:
        if isinstance(tree, ast.CreateStmt) and not tree.partbound:
            keys = list(created_keys(tree, trees))
            for columns in created_references(tree):
                if not any(_leads(item, columns) for item in keys):
                    yield _hit(dotted(tree.relation), sorted(columns))


RULE = Rule(
    id="foreign-key-without-index",
    number=27,
    title="a foreign key has no index on its own side",
    family="design",
    severity="warning",
    hazard=(
        "Each DELETE or change of a key in the table referred to reads the "
        "referring table from end to end, once per row, while it holds its locks."
    ),
    measured=(
        "The catalog after the revision: no index begins with the columns of a "
        "new foreign key. Without a measurement: the same for tables that the "
        "revision makes itself."
    ),
    remedy=(
        "Create an index that begins with the columns of the key, concurrently "
        "where the table is in use, before the key."
    ),
    revision=check,
)
