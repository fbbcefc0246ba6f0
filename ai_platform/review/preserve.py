"""Find the columns whose data does not survive a revision up, down and up again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ai_platform import names
from ai_platform.errors import BadValue
from ai_platform.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import psycopg

    from ai_platform.catalog import Snapshot

    from .sources import RevisionSource

__all__ = [
    "Contents",
    "contents",
    "demand_columns",
    "lossy_columns",
    "lost",
    "survived",
]

Contents = dict[str, "TableContents"]
"""What is in each table, by schema.name."""

_HINT: Final = 'write lossy = {"schema.table.column"}'
_SESSION: Final = """
    SELECT set_config('search_path', 'pg_catalog', true),
           set_config('timezone', 'UTC', true),
           set_config('datestyle', 'ISO, MDY', true),
           set_config('intervalstyle', 'postgres', true),
           set_config('bytea_output', 'hex', true),
           set_config('extra_float_digits', '1', true)
"""
# A descending or cycling one gives numbers that were given before on purpose.
_SEQUENCES: Final = """
    SELECT a.attname::text, s.seqrelid::regclass::text
      FROM pg_depend d
      JOIN pg_sequence s ON s.seqrelid = d.objid
      JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
       AND d.deptype IN ('a', 'i') AND d.refobjid = %s::regclass
       AND s.seqincrement > 0 AND NOT s.seqcycle
       AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
       AND has_sequence_privilege(s.seqrelid, 'SELECT')
     ORDER BY a.attnum
"""
_COLUMNS: Final = """
    SELECT n.nspname, c.relname,
           ARRAY(SELECT a.attname::text FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  ORDER BY a.attnum),
           ARRAY(SELECT a.attname::text FROM pg_index i
                   JOIN pg_attribute a ON a.attrelid = c.oid
                    AND a.attnum = ANY (i.indkey)
                  WHERE i.indrelid = c.oid AND i.indisprimary
                  ORDER BY a.attnum),
           ARRAY(SELECT s.nspname || '.' || p.relname
                   FROM pg_partition_tree(c.oid) t JOIN pg_class p ON p.oid = t.relid
                   JOIN pg_namespace s ON s.oid = p.relnamespace)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
       AND n.nspname <> %s AND c.relname <> %s
       AND NOT EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'e')
     ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Counter:
    """A sequence: what it gives next, and the largest number that its column holds."""

    sequence: str
    following: int
    largest: int


@dataclass(frozen=True, slots=True)
class TableContents:
    """A table's number of rows and, for each column, a digest of all its values.

    It does not depend on the order of rows; with a primary key it depends on which
    row a value is in. Without one *together* is the digest of whole rows. *counters*
    are the sequences of columns, by column.
    """

    rows: int
    columns: dict[str, int]
    together: int | None = None
    counters: dict[str, Counter] = field(default_factory=dict)


def contents(
    conn: psycopg.Connection[Any], tables: Collection[str] | None = None
) -> Contents:
    """Return what is in *tables*, or in every table; nothing is written.

    A partition stands for the whole table that it is part of. Left out: system
    schemas, what belongs to an extension, Alembic's version table and the runner's
    journal.
    """
    with conn.transaction(force_rollback=True):
        conn.execute(_SESSION)
        found = conn.execute(_COLUMNS, [names.JOURNAL_SCHEMA, names.VERSION_TABLE])
        return {
            f"{schema}.{table}": _contents(conn, (schema, table), columns, key)
            for schema, table, columns, key, parts in found.fetchall()
            if tables is None or not {f"{schema}.{table}", *parts}.isdisjoint(tables)
        }


def _contents(
    conn: psycopg.Connection[Any],
    table: tuple[str, str],
    columns: list[str],
    key: list[str],
) -> TableContents:
    # a value's hash begins with that of its row's key; NULL adds nothing
    digests = [
        f'coalesce(sum(hashtextextended({quoted(name)}::text, "#key")), 0)'
        for name in columns
    ]
    parts = [f"quote_nullable({quoted(name)}::text)" for name in key] or ["''"]
    joined = " || ',' || ".join(parts)
    seed = f"hashtextextended({joined}, 0)"
    relation = ".".join(map(quoted, table))
    whole = "NULL" if key or not columns else _together(columns)
    query = (
        f"SELECT {', '.join(['count(*)', whole, *digests])}"
        f' FROM (SELECT *, {seed} AS "#key" FROM {relation} OFFSET 0) AS t'
    )
    rows, together, *values = conn.execute(query.encode()).fetchall()[0]
    return TableContents(
        rows,
        dict(zip(columns, map(int, values), strict=True)),
        None if together is None else int(together),
        _counters(conn, relation),
    )


def _together(columns: list[str]) -> str:
    """Return the digest of whole rows, whatever the order of *columns*."""
    values = " || ',' || ".join(
        f"quote_nullable({quoted(name)}::text)" for name in sorted(columns)
    )
    return f"coalesce(sum(hashtextextended({values}, 1)), 0)"


def _counters(conn: psycopg.Connection[Any], relation: str) -> dict[str, Counter]:
    """Return the sequences behind the columns of *relation*, by column."""
    found = {}
    for column, sequence in conn.execute(_SEQUENCES, [relation]).fetchall():
        query = (
            f"SELECT last_value + is_called::int,"
            f" (SELECT coalesce(max({quoted(column)}), 0) FROM {relation})"
            f" FROM {sequence}"
        )
        ((following, largest),) = conn.execute(query.encode()).fetchall()
        found[column] = Counter(sequence, int(following), int(largest))
    return found


def lost(
    before: Contents, after: Contents, *, lossy: Collection[str] = ()
) -> tuple[str, ...]:
    """Return what of *before* is not in *after*, sorted: columns whose data differs.

    A column is named schema.table.column; a table that is gone, or has another
    number of rows, is named once, and so is one without a key whose values went to
    other rows; a sequence where it gives numbers again that rows have. *lossy* names
    columns whose loss is declared, with their sequences.
    """
    found: list[str] = []
    for table, was in before.items():
        now = after.get(table)
        columns = [f"{table}.{name}" for name in was.columns]
        if now is None or now.rows != was.rows:
            if was.rows and not set(columns) <= set(lossy):
                found.append(table)
            continue
        differing = [
            f"{table}.{name}"
            for name, digest in was.columns.items()
            if was.rows and now.columns.get(name) != digest
        ]
        found += differing or ([table] if _is_shuffled(was, now) else [])
        found += [
            counter.sequence
            for name, counter in now.counters.items()
            if f"{table}.{name}" not in lossy and _is_behind(counter, was, name)
        ]
    return tuple(sorted(set(found) - set(lossy)))


def _is_shuffled(was: TableContents, now: TableContents) -> bool:
    """Return whether values went to other rows, in a table without a key."""
    both = was.together is not None and now.together is not None
    is_alike = both and was.columns.keys() == now.columns.keys()
    return is_alike and was.together != now.together


def _is_behind(counter: Counter, was: TableContents, column: str) -> bool:
    """Return whether *counter* gives numbers again that rows have, as it did not."""
    known = was.counters.get(column)
    return (
        known is not None
        and known.following > known.largest
        and counter.following <= counter.largest
    )


def survived(
    conn: psycopg.Connection[Any],
    *,
    up: Callable[[], object],
    down: Callable[[], object],
    lossy: Collection[str] = (),
) -> tuple[str, ...]:
    """Go up, down and up; return the columns whose data did not survive, as `lost`.

    The way down must give back what was there before; the second way up must arrive
    where the first one did, but for new columns and for tables that the revision
    puts rows into: those may carry its time. *conn* is in autocommit and only reads.
    What *up* and *down* raise goes through.
    """
    before = contents(conn)
    up()
    above = contents(conn)
    down()
    below = contents(conn)
    up()
    again = contents(conn)
    kept = {
        table: TableContents(
            now.rows,
            {n: digest for n, digest in now.columns.items() if n in was.columns},
        )
        for table, now in above.items()
        if (was := before.get(table)) is not None and was.rows == now.rows
    }
    gone = {*lost(before, below, lossy=lossy), *lost(kept, again, lossy=lossy)}
    return tuple(sorted(gone))


def lossy_columns(value: list[str] | str, file: str) -> tuple[str, ...]:
    """Return the columns that the revision in *file* declares as ``lossy = {...}``.

    *value* is a list of texts, or what else stands there as Python writes it. Raises
    BadValue where it is no set, list or tuple of texts such as "schema.table.column".
    """
    if isinstance(value, list):
        bad = [item for item in value if item.count(".") != len(("table", "column"))]
        if not bad:
            return tuple(sorted(set(value)))
        value = repr(bad[0])
    raise BadValue(f"{file}: lossy must name columns, got {value}", hint=_HINT)


def demand_columns(source: RevisionSource, before: Snapshot, after: Snapshot) -> None:
    """Raise BadValue where *source* declares a loss in a column that never was."""
    for name in source.lossy:
        if not any(
            item.key.kind == "column" and item.key.identity.replace('"', "") == name
            for item in (*before, *after)
        ):
            raise BadValue(
                f"{source.file}: lossy names a column that is not there, got {name!r}",
                hint=_HINT,
            )
