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

# FOREIGN KEY (a, b) REFERENCES s.t(c, d)
_KEY: Final = re.compile(r"FOREIGN KEY \(([^)]*)\) REFERENCES ([^(]*)\(([^)]*)\)")


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        yield from _read(revision)
        return
    for item in revision.objects("constraint", new=True):
        match = _KEY.match(str(item.properties.get("definition")))
        if not match or not item.parent or item.properties.get("inherited"):
            continue
        table = item.parent.removeprefix("table ")
        columns = _names(match[1])
        selective = {
            column
            for column, there in zip(columns, _names(match[3]), strict=True)
            if [there] in list(_indexes(revision, match[2], unique=True))
        }
        if not any(
            _serves(keys, columns, selective) for keys in _indexes(revision, table)
        ):
            yield _hit(table, columns, is_measured=True)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _indexes(
    revision: RevisionContext, table: str, *, unique: bool = False
) -> Iterator[list[str]]:
    """Yield the columns of each valid index of *table* that covers all its rows."""
    for item in revision.objects("index"):
        where = item.properties.get("where")
        partial = where is not None and "IS NOT NULL" not in str(where)
        if partial or item.properties.get("invalid"):
            continue
        counts = not unique or item.properties.get("unique")
        if counts and item.properties.get("table") == table:
            yield [key.split(" ")[0] for key in item.properties["keys"]]


def _serves(keys: list[str], columns: list[str], selective: set[str]) -> bool:
    """Return whether an index finds the rows of one key.

    It begins with all *columns*, or with one that is unique where it refers to.
    """
    return set(keys[: len(columns)]) == set(columns) or keys[0] in selective


def _hit(table: str, columns: list[str], *, is_measured: bool = False) -> Hit:
    told = f"no index begins with the key ({', '.join(columns)})"
    return Hit(table, told, is_measured=is_measured)


def _read(revision: RevisionContext) -> Iterator[Hit]:
    trees = [item.tree for item in revision.statements]
    for tree in trees:
        if isinstance(tree, ast.CreateStmt) and not tree.partbound:
            leading = {keys[0] for keys in created_keys(tree, trees)}
            for columns in created_references(tree):
                if not leading & columns:
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
