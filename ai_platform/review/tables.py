"""What the tables that a revision touched looked like before and after it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ai_platform.identifiers import unquoted

from .facts import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ai_platform.catalog import CatalogObject, Snapshot

__all__ = ["touched_tables"]

_KEYS: Final = re.compile(r'(PRIMARY KEY|UNIQUE|FOREIGN KEY) \(((?:"[^"]*"|[^)"])*)\)')
_TARGET: Final = re.compile(r'REFERENCES ((?:"[^"]*"|[^("])+)\(')
_NAME: Final = re.compile(r'"(?:[^"]|"")*"|[^\s,"]+')
_SHORT: Final = {"PRIMARY KEY": "PK", "UNIQUE": "UQ", "FOREIGN KEY": "FK"}


def touched_tables(before: Snapshot, after: Snapshot) -> tuple[Table, ...]:
    """Return the tables whose columns or keys differ between two snapshots, by name."""
    old, new = dict(_tables(before)), dict(_tables(after))
    return tuple(
        Table(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _tables(snapshot: Snapshot) -> Iterator[tuple[str, tuple[Column, ...]]]:
    """Yield name and columns of every table."""
    columns: dict[str, dict[str, CatalogObject]] = {}
    keys: dict[tuple[str, str], list[str]] = {}
    for item in snapshot:
        table = (item.parent or "").removeprefix("table ")
        if item.key.kind == "column":
            name = item.key.identity.removeprefix(f"{table}.")
            columns.setdefault(table, {})[name] = item
        elif item.key.kind == "constraint":
            for column, word in _key_words(str(item.properties.get("definition"))):
                keys.setdefault((table, column), []).append(word)
    for item in snapshot:
        if item.key.kind == "table":
            table = item.key.identity
            order = _order(item.properties, columns.get(table, {}))
            yield table, tuple(_column(table, *pair, keys) for pair in order)


def _order(
    properties: Mapping[str, Any], columns: Mapping[str, CatalogObject]
) -> Iterable[tuple[str, CatalogObject]]:
    """Return *columns* as they stand in the table; names there are not quoted."""
    places = {
        name: place for place, name in enumerate(properties.get("column order") or ())
    }
    return sorted(
        columns.items(),
        key=lambda pair: places.get(unquoted(pair[0]), len(places)),
    )


def _column(
    table: str,
    name: str,
    item: CatalogObject,
    keys: Mapping[tuple[str, str], list[str]],
) -> Column:
    words = keys.get((table, name), ())
    ranked = sorted(words, key=lambda word: ("PK", "UQ", "FK").index(word[:2]))
    return Column(unquoted(name), _definition(item.properties), tuple(ranked))


def _definition(properties: Mapping[str, Any]) -> str:
    """Return what stands behind the name in CREATE TABLE."""
    words = [str(properties["type"])]
    if properties.get("generated"):
        kind = str(properties["generated"]).upper()
        words.append(f"GENERATED ALWAYS AS ({properties.get('default')}) {kind}")
    elif properties.get("default") is not None:
        words.append(f"DEFAULT {properties['default']}")
    if properties.get("identity"):
        words.append(f"GENERATED {str(properties['identity']).upper()} AS IDENTITY")
    if properties.get("not null"):
        words.append("NOT NULL")
        if properties["not null"] == "not valid":
            words.append("NOT VALID")
    return " ".join(words)


def _key_words(definition: str) -> Iterator[tuple[str, str]]:
    """Yield column and word of each key that *definition* speaks of."""
    found = _KEYS.match(definition)
    if found is None:
        return
    word = _SHORT[found[1]]
    target = _TARGET.search(definition)
    if target is not None:
        word += f" {target[1]}"
    yield from ((name, word) for name in _NAME.findall(found[2]))
