"""What a snapshot holds: the objects of a database by kind and identity."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["CatalogObject", "Key", "Snapshot"]


class Key(NamedTuple):
    """Names one object of a database, for example table ``auth.users``."""

    kind: str
    identity: str

    def __str__(self) -> str:
        return f"{self.kind} {self.identity}"


@dataclass(frozen=True, slots=True)
class CatalogObject:
    """One object: its properties (JSON values) and what it stands or falls with."""

    key: Key
    parent: str | None
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a database's catalog says, free of object ids and of data."""

    server_version: int
    objects: Mapping[Key, CatalogObject] = field(repr=False)

    def __len__(self) -> int:
        return len(self.objects)

    def __iter__(self) -> Iterator[CatalogObject]:
        return iter(self.objects.values())

    def __getitem__(self, key: tuple[str, str]) -> CatalogObject:
        return self.objects[Key(*key)]

    def __contains__(self, key: object) -> bool:
        return key in self.objects

    def to_json(self) -> str:
        """Return the snapshot as JSON text; equal catalogs give equal texts."""
        rows = [[*item.key, item.properties] for item in self]
        document = {"server_version": self.server_version, "objects": rows}
        return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
