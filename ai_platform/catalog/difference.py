"""What distinguishes two snapshots, in an order and in words a person can use."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ._normal import without_maintain
from ._objects import CatalogObject, Key, Snapshot
from ._wording import change

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["WHOLE", "Difference", "diff", "is_trace", "is_validation", "render"]

_VALID = (None, False, "false")
WHOLE = "object"
PRESENT = "present"
# Older servers do not know the right: there an owner's full rights lack the word.
_MAINTAIN_SINCE = 170000
_WITH_RIGHTS = ("partitions", "rights")
# Properties that an operator may choose: shown, but no drift by themselves.
_OPERATORS_CHOICE = {
    ("database", "database owner"),
    ("database", "rights of PUBLIC"),
    ("schema", "rights of PUBLIC"),
    ("extension", "version"),
    ("index", "build record"),
    ("materialized view", "populated"),
    ("table", "column order"),
    ("view", "column order"),
}
# Of these what no revision can take back: its downgrade is not to blame.
_NO_WAY_BACK = {
    ("extension", "version"),
    ("index", "build record"),
    ("table", "column order"),
    ("view", "column order"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One property of one object that is not what was expected.

    *property* is ``"object"`` when the object as a whole is missing or unexpected.
    *weak* marks what an operator may choose freely.
    """

    kind: str
    identity: str
    property: str
    expected: Any
    actual: Any
    weak: bool = False

    def __str__(self) -> str:
        if self.property == WHOLE:
            state = "missing" if self.actual is None else "unexpected"
            content = self.expected if self.actual is None else self.actual
            told = "" if content == PRESENT else f": {content}"
            return f"{state} {self.kind} {self.identity}{told}"
        return (
            f"{self.kind} {self.identity}: {self.property}: "
            f"{change(self.expected, self.actual)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as a JSON object, with its readable line."""
        return {**asdict(self), "text": str(self)}


def diff(expected: Snapshot, actual: Snapshot) -> list[Difference]:
    """Return every difference, sorted by kind, identity and property.

    What hangs on a missing or unexpected object (the columns of a table) is not
    listed. Forms of run-time partitions are compared only where both sides have
    partitions; faults of single partitions always. The right MAINTAIN counts only
    where both sides are PostgreSQL 17 or later.
    """
    maintain = min(expected.server_version, actual.server_version) >= _MAINTAIN_SINCE
    found: list[Difference] = []
    for key in sorted(expected.objects.keys() | actual.objects.keys()):
        left, right = expected.objects.get(key), actual.objects.get(key)
        if left is not None and right is not None:
            found.extend(_changed(left, right, maintain=maintain))
        elif left is not None and not _parent_absent(left, actual):
            found.append(Difference(*key, WHOLE, _presence(left), None))
        elif right is not None and not _parent_absent(right, expected):
            weak = key.kind == "extension"
            found.append(Difference(*key, WHOLE, None, _presence(right), weak=weak))
    return found


def _presence(item: CatalogObject) -> str:
    """Return what a reader needs of an object that one side has not."""
    if item.key.kind != "settings":
        return PRESENT
    return "; ".join(f"{name} = {value}" for name, value in item.properties.items())


def _parent_absent(item: CatalogObject, other: Snapshot) -> bool:
    if item.parent is None:
        return False
    kind, identity = _split(item.parent)
    if kind == "schema" and identity == "public":
        return False
    return Key(kind, identity) not in other.objects


def _split(parent: str) -> tuple[str, str]:
    for kind in ("materialized view", "foreign server"):
        if parent.startswith(kind):
            return kind, parent[len(kind) + 1 :]
    kind, _, identity = parent.partition(" ")
    return kind, identity


def _changed(
    left: CatalogObject, right: CatalogObject, *, maintain: bool
) -> Iterator[Difference]:
    for name in sorted(left.properties.keys() | right.properties.keys()):
        old, new = left.properties.get(name), right.properties.get(name)
        if not maintain and name in _WITH_RIGHTS:
            old, new = without_maintain(old), without_maintain(new)
        if old == new or (name == "partitions" and (old is None or new is None)):
            continue
        weak = (left.key.kind, name) in _OPERATORS_CHOICE
        yield Difference(*left.key, name, old, new, weak=weak)


def is_trace(found: Difference) -> bool:
    """Return whether *found* shows what a revision did that another could undo."""
    if found.property == "populated":
        return bool(found.expected)
    return (found.kind, found.property) not in _NO_WAY_BACK


def is_validation(kind: str, property_: str, before: Any, after: Any) -> bool:
    """Return whether a constraint became valid, or a NOT NULL that was NOT VALID.

    PostgreSQL knows no way back from that, and nobody needs one.
    """
    if kind == "constraint" and property_ == "not valid":
        return bool(before) and str(before) != "false" and after in _VALID
    return (
        kind == "column"
        and "not valid" in str(before)
        and "not valid" not in str(after)
    )


def render(differences: list[Difference]) -> str:
    """Return one line per difference."""
    return "\n".join(str(difference) for difference in differences)
