"""What other sessions know: relations as they were before a transaction began."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import psycopg

__all__ = ["Known", "KnownRelation", "known_relations"]

_KINDS: Final = {
    "r": "table",
    "p": "partitioned table",
    "i": "index",
    "I": "partitioned index",
    "S": "sequence",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
    "c": "type",
}
# A column that may be assigned DEFAULT: any that stands. A table's parent is what
# it is a partition of, an index's the table.
_RELATIONS: Final = """
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind::text,
       coalesce(x.indrelid, h.inhparent),
       (SELECT pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         ORDER BY a.attnum LIMIT 1)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
  LEFT JOIN pg_catalog.pg_inherits h
    ON h.inhrelid = c.oid AND c.relispartition AND c.relkind IN ('r', 'p', 'f')
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""


@dataclass(frozen=True, slots=True)
class KnownRelation:
    """A relation; *parent* is the table that it is an index or partition of."""

    oid: int
    name: str
    relkind: str
    parent: int | None
    column: str | None

    @property
    def kind(self) -> str:
        """Return what it is, in words."""
        return _KINDS.get(self.relkind, self.relkind)


class Known:
    """All relations at one moment, by object id."""

    def __init__(self, relations: Mapping[int, KnownRelation]) -> None:
        self._relations = relations

    def __contains__(self, oid: object) -> bool:
        return oid in self._relations

    def __iter__(self) -> Iterator[int]:
        return iter(self._relations)

    def __getitem__(self, oid: int) -> KnownRelation:
        return self._relations[oid]

    def readable(self, oids: Iterable[int]) -> list[KnownRelation]:
        """Return the tables and views among *oids* and above them, by name.

        Who locks an index or a partition may block who reads the table.
        """
        found: dict[int, KnownRelation] = {}
        for oid in oids:
            at: int | None = oid
            while at is not None and at in self._relations:
                relation = self._relations[at]
                if relation.relkind in "rpmv":
                    found[at] = relation
                at = relation.parent
        return sorted(found.values(), key=lambda item: item.name)

    def below(self, oid: int) -> list[KnownRelation]:
        """Return relation *oid* with its indexes, its partitions and theirs."""
        found = [self._relations[oid]]
        for item in self._relations.values():
            if item.parent == oid:
                found += self.below(item.oid)
        return found


def known_relations(connection: psycopg.Connection[Any]) -> Known:
    """Return the relations that *connection* sees, without PostgreSQL's own."""
    rows = connection.execute(_RELATIONS).fetchall()
    return Known({row[0]: KnownRelation(*row) for row in rows})
