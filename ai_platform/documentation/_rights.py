"""Who may do what, as a table of roles and rights."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ._model import Column, Item

__all__ = ["Rights", "holders", "rights_of"]

_ORDER = (
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "TRUNCATE",
    "REFERENCES",
    "TRIGGER",
    "MAINTAIN",
    "EXECUTE",
    "USAGE",
    "CREATE",
)
_GRANTABLE = " WITH GRANT OPTION"


class Rights(NamedTuple):
    """A table: the rights that occur, and per role what it holds of each.

    A cell is empty, ``yes``, ``yes, may grant``, or the columns a right is limited to.
    """

    rights: Sequence[str]
    rows: Mapping[str, Sequence[str]]


def rights_of(item: Item, columns: Sequence[Column] = ()) -> Rights:
    """Return the rights on *item* and on its *columns*, without its owner's."""
    owner = item.properties.get("owner")
    cells: dict[tuple[str, str], list[str]] = defaultdict(list)
    for role, right, how in _grants(item):
        cells[role, right] = [how]
    for column in columns:
        for role, right, how in _grants(column.item):
            if cells[role, right][:1] not in (["yes"], ["yes, may grant"]):
                suffix = how.removeprefix("yes").replace(", may", " may")
                cells[role, right].append(f"{column.name}{suffix}")
    found = {right for _, right in cells}
    rights = [right for right in _ORDER if right in found]
    rights += sorted(found - set(rights))
    roles = sorted({role for role, _ in cells} - {owner})
    rows = {
        role: [", ".join(cells.get((role, right), ())) for right in rights]
        for role in roles
    }
    held = [n for n in range(len(rights)) if any(row[n] for row in rows.values())]
    return Rights(
        [rights[n] for n in held],
        {role: [row[n] for n in held] for role, row in rows.items()},
    )


def holders(item: Item, right: str) -> list[str]:
    """Return the roles that hold *right* on *item*, its owner aside."""
    owner = item.properties.get("owner")
    return sorted({role for role, held, _ in _grants(item) if held == right} - {owner})


def _grants(item: Item) -> Iterator[tuple[str, str, str]]:
    lines = [
        *item.properties.get("rights", []),
        *item.properties.get("rights of PUBLIC", []),
    ]
    for line in lines:
        # a role may hold a colon; its rights never do
        role, _, words = line.partition(" (granted by ")[0].rpartition(": ")
        for word in words.split(", "):
            right = word.removesuffix(_GRANTABLE)
            yield role, right, "yes" if right == word else "yes, may grant"
