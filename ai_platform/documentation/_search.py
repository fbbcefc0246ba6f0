"""What the search of the HTML page finds: every object that has an anchor there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ._elements import Html, anchor
from ._text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._model import Item, Library, Relation

__all__ = ["search_index"]

Entry = tuple[str, str, str, str, str]


def search_index(library: Library) -> Html:
    """Return JSON for a script element: kind, name, where, anchor and comment each."""
    lines = [
        json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
        for entry in _entries(library)
    ]
    text = "[\n" + ",\n".join(lines) + "\n]"
    # inside a script element nothing is unescaped; this keeps `</script>` out of it
    return Html(text.replace("<", "\\u003c").replace(">", "\\u003e"))


def _entries(library: Library) -> Iterator[Entry]:
    for schema in library.schemas:
        yield _entry(schema.item, "")
        for relation in schema.relations:
            yield _entry(relation.item, schema.name)
            for item in _hanging(relation):
                yield _entry(item, relation.item.identity)
        for item in (*schema.routines, *schema.types, *schema.sequences):
            yield _entry(item, schema.name)


def _hanging(relation: Relation) -> Iterator[Item]:
    yield from (column.item for column in relation.columns)
    yield from relation.constraints
    yield from relation.indexes
    yield from relation.policies
    yield from relation.triggers
    yield from relation.rules
    yield from relation.partitions


def _entry(item: Item, where: str) -> Entry:
    target = anchor(item.kind, item.identity)
    return item.kind, item.name, where, target, one_line(item.comment)
