"""What a reader of the documentation meets: schemas, relations, routines, types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .policies import PartitionPolicy

__all__ = ["Column", "Item", "Library", "Reference", "Relation", "Schema"]


@dataclass(frozen=True, slots=True)
class Item:
    """One object with its name inside its schema or table, and what is known of it."""

    kind: str
    identity: str
    name: str
    properties: Mapping[str, Any]

    @property
    def comment(self) -> str:
        """Return the comment, empty where there is none."""
        return str(self.properties.get("comment", ""))


@dataclass(frozen=True, slots=True)
class Column:
    """One column; *keys* says which keys it is part of: PK, FK, UK."""

    item: Item
    keys: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the name as SQL writes it."""
        return self.item.name

    @property
    def type(self) -> str:
        """Return the type with the collation, where that is not the type's own."""
        collation = self.item.properties.get("collation")
        return str(self.item.properties["type"]) + (
            f" COLLATE {collation}" if collation else ""
        )

    @property
    def required(self) -> bool:
        """Return whether the column refuses NULL."""
        return bool(self.item.properties.get("not null"))

    @property
    def default(self) -> str:
        """Return the default, the generation expression or the kind of identity."""
        found = self.item.properties
        if "identity" in found:
            return f"GENERATED {found['identity'].upper()} AS IDENTITY"
        if "generated" in found:
            return f"GENERATED ALWAYS AS ({found['default']}) {found['generated']}"
        return str(found.get("default", ""))


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key from *source* to *target*, both identities of tables.

    *required*: none of its columns may be NULL; *single*: at most one row of *source*
    refers to a row of *target*.
    """

    name: str
    source: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    required: bool
    single: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view or materialized view with everything that hangs on it."""

    item: Item
    columns: Sequence[Column]
    constraints: Sequence[Item]
    indexes: Sequence[Item]
    policies: Sequence[Item]
    triggers: Sequence[Item]
    rules: Sequence[Item]
    references: Sequence[Reference]
    referenced_by: Sequence[Reference]
    partitions: Sequence[Item]
    policy: PartitionPolicy | None

    @property
    def name(self) -> str:
        """Return the name inside the schema, as SQL writes it."""
        return self.item.name

    @property
    def is_table(self) -> bool:
        """Return whether it is a table, of whatever form."""
        return self.item.kind == "table"


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema; its relations, routines, types and sequences in order of name."""

    item: Item
    tables: Sequence[Relation]
    views: Sequence[Relation]
    routines: Sequence[Item]
    types: Sequence[Item]
    sequences: Sequence[Item]

    @property
    def name(self) -> str:
        """Return the name, as SQL writes it."""
        return self.item.name

    @property
    def relations(self) -> Sequence[Relation]:
        """Return tables, then views."""
        return [*self.tables, *self.views]


@dataclass(frozen=True, slots=True)
class Library:
    """Every schema; *home* is the schema of a relation, *anchors* its heading there."""

    schemas: Sequence[Schema]
    home: Mapping[str, str]
    anchors: Mapping[str, str]
