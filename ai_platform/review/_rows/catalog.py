"""What the catalog says about tables that rows are made up for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .hints import mentioned
from .templates import literal

if TYPE_CHECKING:
    import psycopg

__all__ = ["Catalog", "Check", "Column", "ForeignKey", "Table", "Type", "read"]

_TABLES: Final = """
    SELECT c.oid, n.nspname, c.relname, c.relkind = 'p',
           ARRAY(SELECT a.attname::text FROM pg_partitioned_table p
                   JOIN pg_attribute a ON a.attrelid = p.partrelid
                    AND a.attnum = ANY (p.partattrs)
                  WHERE p.partrelid = c.oid AND p.partstrat = 'l')
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND c.relpersistence <> 't'
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
       AND NOT EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'e')
     ORDER BY n.nspname, c.relname
"""
_LEAVES: Final = """
    SELECT r.oid, l.oid, n.nspname || '.' || l.relname,
           pg_get_partition_constraintdef(l.oid), l.relkind <> 'p'
      FROM pg_class r
      JOIN LATERAL pg_partition_tree(r.oid) t ON t.level > 0
      JOIN pg_class l ON l.oid = t.relid
      JOIN pg_namespace n ON n.oid = l.relnamespace
     WHERE r.relkind = 'p' AND NOT r.relispartition
     ORDER BY r.oid, l.relname
"""
_COLUMNS: Final = """
    SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod,
           format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated,
           a.attidentity, pg_get_expr(d.adbin, d.adrelid),
           pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)
      FROM pg_attribute a
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = ANY (%s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attrelid, a.attnum
"""
_CONSTRAINTS: Final = """
    SELECT c.conrelid, c.conname, c.contype, c.confrelid,
           ARRAY(SELECT attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, i)
                   JOIN pg_attribute ON attrelid = c.conrelid AND attnum = n
                  ORDER BY i),
           ARRAY(SELECT attname::text FROM unnest(c.confkey) WITH ORDINALITY k(n, i)
                   JOIN pg_attribute ON attrelid = c.confrelid AND attnum = n
                  ORDER BY i),
           c.confmatchtype, c.condeferrable, pg_get_expr(c.conbin, c.conrelid)
      FROM pg_constraint c
     WHERE c.conrelid = ANY (%s::oid[]) AND c.contype IN ('c', 'f', 'p', 'u', 'x')
       AND c.conparentid = 0
       -- the column came with PostgreSQL 18
       AND NOT (c.contype = 'c' AND to_jsonb(c) @> '{"conenforced": false}')
     ORDER BY c.conrelid, c.contype, c.conname
"""
_INDEXES: Final = """
    SELECT i.indrelid, string_to_array(i.indkey::text, ' ')::int[],
           i.indpred IS NULL, i.indnkeyatts,
           -- with the columns inside expressions and conditions of the index
           ARRAY(SELECT n FROM unnest(string_to_array(i.indkey::text, ' ')::int[])
                          WITH ORDINALITY k(n, at) WHERE at <= i.indnkeyatts
                 UNION
                 SELECT refobjsubid FROM pg_depend
                  WHERE classid = 'pg_class'::regclass AND objid = i.indexrelid
                    AND refobjid = i.indrelid AND i.indexprs IS NOT NULL)
      FROM pg_index i
     WHERE i.indrelid = ANY (%s::oid[]) AND (i.indisunique OR i.indisexclusion)
     ORDER BY i.indexrelid
"""
_EXPRESSIONS: Final = """
    SELECT coalesce(pg_partition_root(i.indrelid), i.indrelid)::oid, c.relname,
           pg_get_indexdef(i.indexrelid, k, false)
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid,
           generate_series(1, i.indnatts) AS k
     WHERE i.indrelid = ANY (%s::oid[]) AND i.indkey[k - 1] = 0
     ORDER BY i.indexrelid, k
"""
_TYPE: Final = """
    SELECT n.nspname, t.typname, t.typtype, t.typcategory, t.typbasetype, t.typtypmod,
           CASE WHEN t.typsubscript = 'array_subscript_handler'::regproc
                THEN t.typelem ELSE 0 END,
           t.typrelid, t.typnotnull, coalesce(r.rngsubtype, 0),
           coalesce((SELECT m.rngtypid FROM pg_range m
                      WHERE m.rngmultitypid = t.oid), 0),
           ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid
                  ORDER BY enumsortorder),
           ARRAY(SELECT pg_get_expr(conbin, 0) FROM pg_constraint
                  WHERE contypid = t.oid AND contype = 'c' ORDER BY conname)
      FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
      LEFT JOIN pg_range r ON r.rngtypid = t.oid
     WHERE t.oid = %s
"""


@dataclass(frozen=True, slots=True)
class Type:
    """A data type with its modifier; *sql* is how a cast names it."""

    oid: int
    typmod: int
    sql: str
    schema: str
    name: str
    kind: str
    category: str
    base: Type | None
    element: Type | None
    fields: tuple[Type, ...]
    labels: tuple[str, ...]
    checks: tuple[str, ...]
    is_not_null: bool

    @property
    def plain(self) -> Type:
        """Return the type below all domains."""
        return self.base.plain if self.kind == "d" and self.base else self


@dataclass(frozen=True, slots=True)
class Column:
    """A column; *generated* is the expression that the server computes it by.

    *is_left_out*: a sequence numbers it, an INSERT does not name it.
    """

    number: int
    name: str
    type: Type
    is_not_null: bool
    generated: str | None
    default: str | None
    is_left_out: bool
    sequence: str | None = None
    """The name of the sequence that belongs to it, as SQL."""

    @property
    def numbered_by(self) -> str | None:
        """Return the SQL of the next number."""
        return self.default or (
            f"nextval({literal(self.sequence)})" if self.sequence else None
        )


@dataclass(frozen=True, slots=True)
class Check:
    """A condition over *columns* (none: unknown) that a row must not make false."""

    name: str
    sql: str
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """*columns* refer to *targets* of table *parent*, an oid."""

    name: str
    parent: int
    columns: tuple[str, ...]
    targets: tuple[str, ...]
    is_full: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table with all that its rows must keep to.

    *keys* are the columns of unique and exclusion constraints; where an expression is
    part of one, the columns around it. *partitions*: name and condition of each leaf.
    """

    oid: int
    schema: str
    name: str
    columns: tuple[Column, ...]
    checks: tuple[Check, ...]
    keys: tuple[frozenset[str], ...]
    whole_keys: tuple[frozenset[str], ...]
    foreign_keys: tuple[ForeignKey, ...]
    is_deferred: bool
    """Whether a deferrable unique or exclusion constraint looks at it."""
    is_partitioned: bool
    listed: frozenset[str]
    """Columns whose few values choose a partition."""
    partitions: tuple[tuple[str, str], ...]
    expressions: tuple[Check, ...] = ()
    """What its indexes compute, each with the name of the index."""

    @property
    def title(self) -> str:
        """Return schema.name."""
        return f"{self.schema}.{self.name}"

    def column(self, name: str) -> Column:
        """Return the column called *name*."""
        return next(column for column in self.columns if column.name == name)

    def is_mandatory(self, key: ForeignKey) -> bool:
        """Return whether every row must have a parent by *key*."""
        return all(self.column(name).is_not_null for name in key.columns)


@dataclass(frozen=True, slots=True)
class Catalog:
    """The tables of a database by oid; *roots* leads a partition to its root."""

    tables: dict[int, Table]
    roots: dict[str, int]


class _Types:
    """Types read once each."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn
        self._rows: dict[int, tuple[Any, ...]] = {}
        self._fields: dict[int, list[tuple[int, int, str]]] = {}

    def get(self, oid: int, typmod: int, sql: str) -> Type:
        """Return type *oid* with *typmod*."""
        row = self._row(oid)
        schema, name, kind, category, base, base_mod, element, relid = row[:8]
        is_not_null, subtype, of_multi, labels, checks = row[8:]
        inner = element or subtype or of_multi
        below = None
        if base:
            below = self._named(base, base_mod)
        return Type(
            oid,
            typmod,
            sql,
            schema,
            name,
            kind,
            category,
            below,
            self._named(inner, typmod if element else -1) if inner else None,
            tuple(self.get(*field) for field in self._members(relid))
            if kind == "c"
            else (),
            tuple(labels),
            tuple(checks),
            is_not_null,
        )

    def _named(self, oid: int, typmod: int) -> Type:
        query = "SELECT format_type(%s, %s)"
        (sql,) = self._conn.execute(query, [oid, typmod]).fetchall()[0]
        return self.get(oid, typmod, sql)

    def _row(self, oid: int) -> tuple[Any, ...]:
        if oid not in self._rows:
            self._rows[oid] = self._conn.execute(_TYPE, [oid]).fetchall()[0]
        return self._rows[oid]

    def _members(self, relid: int) -> list[tuple[int, int, str]]:
        if relid not in self._fields:
            query = """
                SELECT atttypid::int8, atttypmod, format_type(atttypid, atttypmod)
                  FROM pg_attribute
                 WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped
                 ORDER BY attnum
            """
            self._fields[relid] = self._conn.execute(query, [relid]).fetchall()
        return self._fields[relid]


def read(conn: psycopg.Connection[Any]) -> Catalog:
    """Return every ordinary and partitioned table that is nobody's partition.

    Left out: system schemas, temporary tables, what belongs to an extension.
    """
    found = conn.execute(_TABLES).fetchall()
    oids = [row[0] for row in found]
    leaves = _grouped(conn.execute(_LEAVES).fetchall())
    below = [leaf[0] for group in leaves.values() for leaf in group if leaf[3]]
    columns = _grouped(conn.execute(_COLUMNS, [oids]).fetchall())
    constraints = _grouped(conn.execute(_CONSTRAINTS, [oids + below]).fetchall())
    indexes = _grouped(conn.execute(_INDEXES, [oids]).fetchall())
    computed = _grouped(conn.execute(_EXPRESSIONS, [oids + below]).fetchall())
    types = _Types(conn)
    tables = {}
    for oid, schema, name, is_partitioned, listed in found:
        own = tuple(_column(types, row) for row in columns.get(oid, []))
        mine = [leaf for leaf in leaves.get(oid, []) if leaf[3]]
        rows = constraints.get(oid, [])
        tables[oid] = Table(
            oid=oid,
            schema=schema,
            name=name,
            columns=own,
            checks=tuple(_checks(rows, mine, constraints)),
            keys=tuple(_keys(own, indexes.get(oid, []), whole=False)),
            whole_keys=tuple(_keys(own, indexes.get(oid, []), whole=True)),
            foreign_keys=tuple(_foreign(row) for row in rows if row[1] == "f"),
            is_deferred=any(row[6] and row[1] in "pux" for row in rows),
            is_partitioned=is_partitioned,
            listed=frozenset(listed),
            partitions=tuple((leaf[1], leaf[2] or "true") for leaf in mine),
            expressions=tuple(_expressions(own, computed.get(oid, []))),
        )
    roots = {leaf[1]: oid for oid, group in leaves.items() for leaf in group}
    return Catalog(tables, roots)


def _expressions(
    columns: tuple[Column, ...], rows: list[tuple[Any, ...]]
) -> list[Check]:
    names = [column.name for column in columns]
    return [Check(index, sql, mentioned(sql, names)) for index, sql in rows]


def _keys(
    columns: tuple[Column, ...], indexes: list[tuple[Any, ...]], *, whole: bool
) -> list[frozenset[str]]:
    """Return the columns of unique indexes; *whole*: plain ones over all rows."""
    names = {column.number: column.name for column in columns}
    found = []
    for numbers, is_total, count, used in indexes:
        key = numbers[:count]
        if not whole:
            found.append(frozenset(names[n] for n in used if n in names))
        elif is_total and 0 not in key:
            found.append(frozenset(names[n] for n in key))
    return [key for key in found if key]


def _grouped(rows: list[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    groups: dict[int, list[tuple[Any, ...]]] = {}
    for first, *rest in rows:
        groups.setdefault(first, []).append(tuple(rest))
    return groups


def _column(types: _Types, row: tuple[Any, ...]) -> Column:
    number, name, oid, typmod, sql, not_null, generated, identity, *rest = row
    default, sequence = rest
    kind = types.get(oid, typmod, sql)
    numbered = bool(identity) or (default or "").startswith("nextval(")
    below: Type | None = kind
    while below is not None:
        not_null = not_null or below.is_not_null
        below = below.base
    return Column(
        number,
        name,
        kind,
        not_null,
        default if generated else None,
        None if generated else default,
        numbered and not generated,
        sequence,
    )


def _checks(
    rows: list[tuple[Any, ...]],
    leaves: list[tuple[Any, ...]],
    constraints: dict[int, list[tuple[Any, ...]]],
) -> list[Check]:
    """Return the conditions of a table and those that only its partitions have."""
    found = [_check(row) for row in rows if row[1] == "c"]
    inherited = {check.name for check in found}
    for oid, _, condition, _ in leaves:
        for row in constraints.get(oid, []):
            if row[1] == "c" and row[0] not in inherited:
                check = _check(row)
                sql = f"(NOT ({condition or 'true'})) OR ({check.sql})"
                found.append(Check(check.name, sql, frozenset()))
    return found


def _check(row: tuple[Any, ...]) -> Check:
    return Check(row[0], row[7], frozenset(row[3]))


def _foreign(row: tuple[Any, ...]) -> ForeignKey:
    name, _, parent, columns, targets, match = row[:6]
    return ForeignKey(name, parent, tuple(columns), tuple(targets), match == "f")
