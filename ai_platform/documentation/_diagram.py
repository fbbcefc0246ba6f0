"""Entity-relationship diagrams in Mermaid, small enough to be read."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._model import Column, Reference, Relation, Schema

__all__ = ["Diagram", "diagram"]

# A table of another schema that most tables refer to would be a star over all others.
_HUB_FROM = 3
_SHORT = {
    "character varying": "varchar",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time with time zone": "timetz",
    "time without time zone": "time",
    "double precision": "float8",
}
_LONG = re.compile("|".join(_SHORT))
# Mermaid reads these as the mark of a key, whatever their case
_MARKS = {"pk", "fk", "uk"}


class Diagram(NamedTuple):
    """Mermaid text, and the tables of other schemas that are not drawn in it."""

    text: str
    hubs: tuple[str, ...]


def diagram(schema: Schema) -> Diagram | None:
    """Return the diagram of the tables of *schema*, None where there is none.

    Tables show their key columns; a table of another schema is a name only, and not
    drawn at all where more than half of the tables refer to it.
    """
    if not schema.tables:
        return None
    own = {table.item.identity: table.name for table in schema.tables}
    uses = Counter(
        target
        for table in schema.tables
        for target in {reference.target for reference in table.references} - own.keys()
    )
    limit = max(_HUB_FROM, len(own) // 2)
    hubs = {target for target, count in uses.items() if count > limit}
    lines = ["erDiagram"]
    for table in schema.tables:
        lines += _entity(table)
    for table in schema.tables:
        lines += [
            _line(reference, own)
            for reference in sorted(table.references, key=lambda item: item.name)
            if reference.target not in hubs
        ]
    return Diagram("\n".join(lines), tuple(sorted(hubs)))


def _entity(table: Relation) -> Iterator[str]:
    keys = [column for column in table.columns if column.keys]
    if not keys:
        yield f'    "{_quoted(table.name)}"'
        return
    yield f'    "{_quoted(table.name)}" {{'
    for column in keys:
        yield f"        {_attribute(column)}"
    yield "    }"


def _attribute(column: Column) -> str:
    return f"{_type(column)} {_word(column.name)} {', '.join(column.keys)}"


def _type(column: Column) -> str:
    spelled = str(column.item.properties["type"])
    short = _LONG.sub(lambda found: _SHORT[found[0]], spelled)
    return _word(short.replace(",", "_"), also="()[]")


def _word(name: str, also: str = "") -> str:
    """Return *name* as a word of Mermaid's grammar.

    >>> _word('"Größe in %"'), _word("pk"), _word("varchar(20)", also="()")
    ('Gr__e_in__', 'pk_', 'varchar(20)')
    """
    name = name.removeprefix('"').removesuffix('"')
    word = re.sub(rf"[^A-Za-z0-9_{re.escape(also)}]", "_", name)
    word = word if re.match("[A-Za-z_]", word) else f"_{word}"
    return f"{word}_" if word.lower() in _MARKS else word


def _quoted(name: str) -> str:
    """Return *name* for between double quotes, which Mermaid has no way to escape."""
    return re.sub(r'["%\\\x00-\x1f]', "_", name.replace('"', ""))


def _line(reference: Reference, own: dict[str, str]) -> str:
    one = "||" if reference.required else "|o"
    many = "o|" if reference.single else "o{"
    target = own.get(reference.target, reference.target)
    source = own[reference.source]
    label = ", ".join(reference.columns)
    ends = f'"{_quoted(target)}" {one}--{many} "{_quoted(source)}"'
    return f'    {ends} : "{_quoted(label)}"'
