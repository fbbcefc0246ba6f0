"""The partitions that a table has, and those that left it but were not dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql
from psycopg.rows import class_row

from ._bounds import BEGINNING, END, Bounds

if TYPE_CHECKING:
    import psycopg

    from ._policies import Parent

__all__ = [
    "Leftover",
    "Partition",
    "leftovers",
    "mark_of",
    "partitions",
    "partitions_of",
]

# A bound that is NULL is MINVALUE or MAXVALUE; a text that is NULL belongs to a
# partition dropped while the catalog was read.
_PARTITIONS: Final = """
    WITH attached AS MATERIALIZED (
        SELECT c.oid, n.nspname AS schema, c.relname AS name,
               c.relkind = 'f' AS is_foreign, c.relpersistence = 'u' AS is_unlogged,
               i.inhdetachpending AS is_pending,
               obj_description(c.oid, 'pg_class') AS comment,
               c.reltuples::bigint AS estimated_rows,
               pg_get_expr(c.relpartbound, c.oid) AS bound
          FROM pg_inherits i
          JOIN pg_class c ON c.oid = i.inhrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE i.inhparent = %(parent)s
    ), edges AS (
        SELECT a.*, substring(bound FROM 'FROM \\(''([^'']+)''')::timestamptz AS lower,
               substring(bound FROM 'TO \\(''([^'']+)''')::timestamptz AS upper
          FROM attached a WHERE bound LIKE 'FOR VALUES FROM%%'
    )
    SELECT oid, schema, name, is_foreign, is_unlogged, is_pending, comment,
           estimated_rows,
           CASE WHEN lower > %(first)s THEN LEAST(lower, %(last)s) END AS lower,
           CASE WHEN upper < %(last)s THEN GREATEST(upper, %(first)s) END AS upper
      FROM edges ORDER BY edges.lower, edges.upper, oid
"""

_MARK: Final = "expired partition of {parent} from {lower} to {upper}, table {oid}"
_MARK_TAIL: Final = ": `platform partitions prune` drops it"
_MARKED: Final = re.compile(
    _MARK.format(
        parent="(?P<parent>.+)",
        lower=r"(?P<lower>\S+)",
        upper=r"(?P<upper>\S+)",
        oid="(?P<oid>[0-9]+)",
    )
    + re.escape(_MARK_TAIL),
    re.DOTALL,
)

# The columns of both, in one text each: a table that only bears the name differs.
_LEFTOVERS: Final = """
    SELECT c.oid, n.nspname AS schema, c.relname AS name, d.description AS comment,
           c.relkind IN ('r', 'p') AND NOT EXISTS
               (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid) AS is_free,
           c.relowner = (SELECT p.relowner FROM pg_class p WHERE p.oid = %(parent)s)
               AS is_ours,
           (SELECT array_agg((a.attname, a.atttypid, a.atttypmod)::text
                             ORDER BY a.attname)
              FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
         = (SELECT array_agg((a.attname, a.atttypid, a.atttypmod)::text
                             ORDER BY a.attname)
              FROM pg_attribute a
             WHERE a.attrelid = %(parent)s AND a.attnum > 0 AND NOT a.attisdropped)
               AS is_alike
      FROM pg_description d
      JOIN pg_class c ON c.oid = d.objoid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE d.classoid = 'pg_class'::regclass AND d.objsubid = 0
       AND NOT c.relispartition
       AND starts_with(d.description, 'expired partition of ')
     ORDER BY c.oid
"""


@dataclass(frozen=True, slots=True)
class Partition:
    """An attached partition; a bound that is None has no end on that side."""

    oid: int
    schema: str
    name: str
    is_foreign: bool
    is_unlogged: bool
    is_pending: bool
    comment: str | None
    estimated_rows: int
    lower: datetime | None
    upper: datetime | None

    @property
    def bounds(self) -> Bounds:
        """Return the stretch of time that it holds."""
        lower, upper = self.lower or BEGINNING, self.upper or END
        return Bounds(lower.astimezone(UTC), upper.astimezone(UTC))

    @property
    def identifier(self) -> sql.Identifier:
        """Return its name for a statement."""
        return sql.Identifier(self.schema, self.name)

    @property
    def shown(self) -> str:
        """Return its name for people."""
        return f"{self.schema}.{self.name}"

    def is_marked(self, parent: Parent) -> bool:
        """Return whether prune has begun to remove it."""
        return bool(self.comment) and self.comment == mark_of(parent, self)


@dataclass(frozen=True, slots=True)
class Leftover:
    """A table that prune detached and did not come to drop."""

    oid: int
    schema: str
    name: str
    bounds: Bounds
    doubt: str | None
    """Why it may be somebody else's by now; None when it is proven ours."""

    @property
    def identifier(self) -> sql.Identifier:
        """Return its name for a statement."""
        return sql.Identifier(self.schema, self.name)

    @property
    def shown(self) -> str:
        """Return its name for people."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class _Commented:
    oid: int
    schema: str
    name: str
    comment: str
    is_free: bool
    is_ours: bool
    is_alike: bool | None


def partitions(conn: psycopg.Connection[Any], parent: Parent) -> list[Partition]:
    """Return the partitions of *parent* from the oldest on, half-detached ones too."""
    return partitions_of(conn, parent.oid)


def partitions_of(conn: psycopg.Connection[Any], oid: int) -> list[Partition]:
    """Return the partitions of the table *oid*, as `partitions` does."""
    parameters = {"parent": oid, "first": BEGINNING, "last": END}
    with conn.cursor(row_factory=class_row(Partition)) as cursor:
        return cursor.execute(_PARTITIONS, parameters).fetchall()


def mark_of(parent: Parent, partition: Partition) -> str:
    """Return the comment that says: prune is removing this very table.

    It names the table by its oid, so that a copy of the comment proves nothing.
    """
    mark = _MARK.format(
        parent=f"{parent.schema}.{parent.name}",
        lower=partition.bounds.lower.isoformat(),
        upper=partition.bounds.upper.isoformat(),
        oid=partition.oid,
    )
    return mark + _MARK_TAIL


def leftovers(conn: psycopg.Connection[Any], parent: Parent) -> list[Leftover]:
    """Return what a prune of *parent* detached and did not drop."""
    with conn.cursor(row_factory=class_row(_Commented)) as cursor:
        tables = cursor.execute(_LEFTOVERS, {"parent": parent.oid}).fetchall()
    found = (_leftover(parent, table) for table in tables)
    return [one for one in found if one is not None]


def _leftover(parent: Parent, table: _Commented) -> Leftover | None:
    match = _MARKED.fullmatch(table.comment)
    if match is None or match["parent"] != f"{parent.schema}.{parent.name}":
        return None
    try:
        lower = datetime.fromisoformat(match["lower"])
        upper = datetime.fromisoformat(match["upper"])
    except ValueError:
        return None
    doubt = _doubt(table, marked=int(match["oid"]))
    return Leftover(table.oid, table.schema, table.name, Bounds(lower, upper), doubt)


def _doubt(table: _Commented, *, marked: int) -> str | None:
    if table.oid != marked:
        return "its comment was made for another table"
    if not table.is_free:
        return "it is no plain table of its own"
    if not table.is_ours:
        return "it has another owner than the table it left"
    if not table.is_alike:
        return "its columns differ from those of the table it left"
    return None
