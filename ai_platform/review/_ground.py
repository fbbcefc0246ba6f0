"""Rows in the tables that a revision touches, before it is measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from ai_platform.connection import connect

from ._code import named_in_code
from ._following import followers, holders
from ._plan import Told
from ._promises import kept
from ._readings import flush_counts
from ._search_path import names_as_in
from ._weight import changed_type, heavy, shaken
from .facts import Scan
from .fill import Profile, fill
from .statements import run_plainly

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import psycopg

    from ai_platform.connection import Target

    from ._plan import Options, Plan
    from ._weight import Shaken
    from .statements import Relation, Statement

__all__ = ["Ground", "prepare"]

_FEWEST_VECTORS: Final = 1_000
# Of a table ANALYZE takes three hundred rows for each point of the target.
_SAMPLED: Final = 300
_USUAL_TARGET: Final = 100
_MOST_TARGET: Final = 10_000
# An index stands for its table. Bookkeeping of Alembic stays as it is. With %(beneath)s
# a view stands for what it reads, and a type for the tables that have it.
_TABLES: Final = """
WITH RECURSIVE named (oid) AS (
       SELECT coalesce(x.indrelid, c.oid)
         FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS n (schema, name)
         JOIN pg_catalog.pg_class c
           ON c.oid = to_regclass(concat_ws('.', quote_ident(n.schema),
                                                 quote_ident(n.name)))
         LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
        UNION
       SELECT d.refobjid
         FROM named
         JOIN pg_catalog.pg_rewrite r ON r.ev_class = named.oid AND %(beneath)s
         JOIN pg_catalog.pg_depend d
           ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> named.oid
     ),
     types (oid) AS (
       SELECT to_regtype(name)::oid FROM unnest(%(types)s::text[]) AS d (name)
        UNION
       SELECT t.oid
         FROM types JOIN pg_catalog.pg_type t ON types.oid IN (t.typbasetype, t.typelem)
     )
SELECT DISTINCT n.nspname, t.relname
  FROM pg_catalog.pg_class t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
 WHERE (t.oid IN (SELECT oid FROM named)
        OR t.reloftype IN (SELECT oid FROM types)
        OR t.oid IN (SELECT attrelid FROM pg_catalog.pg_attribute a
                       JOIN types ON types.oid = a.atttypid AND NOT a.attisdropped))
   AND t.relkind IN ('r', 'p') AND t.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND t.relname <> %(version)s
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                    WHERE e.classid = 'pg_catalog.pg_class'::regclass
                      AND e.objid = t.oid AND e.deptype = 'e')
 ORDER BY 1, 2
"""
# A rewrite leaves a new file without a visibility map and counts as nothing else.
_UNSETTLED: Final = """
SELECT n.nspname, t.relname
  FROM unnest(%s::text[], %s::text[]) AS named (schema, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = named.schema
  JOIN pg_catalog.pg_class t ON t.relnamespace = n.oid AND t.relname = named.name
 WHERE EXISTS (
       SELECT FROM (SELECT t.oid UNION
                    SELECT relid FROM pg_catalog.pg_partition_tree(t.oid)) AS part (oid)
         JOIN pg_catalog.pg_class c ON c.oid = part.oid
         LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
        WHERE c.relkind IN ('r', 'p')
          AND (c.reltuples < 0 OR s.n_dead_tup > 0 OR s.n_mod_since_analyze > 0
               OR c.relkind = 'r' AND c.relallvisible < c.relpages))
 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """The touched *tables*, as schema and name, and the rows that they got."""

    tables: tuple[tuple[str, str], ...]
    filled: tuple[Scan, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Return the tables as schema.name."""
        return [".".join(table) for table in self.tables]

    def with_note(self, note: str) -> Ground:
        """Return the same ground with one more thing to be said of it."""
        return replace(self, notes=(*self.notes, note))


def prepare(
    place: Target,
    plan: Plan,
    options: Options,
    relations: Collection[Relation],
    said: Collection[Statement] = (),
) -> Ground:
    """Give those of *relations* that are tables rows, and the server time to settle.

    All that were asked for where some statement costs more the more there are, few
    elsewhere. So do tables that its code may name, and those whose rows follow those
    that a statement deletes or updates, or one of those *said* by its Python; or which
    hold these fast.
    A first scan after a load writes hint bits, which would count as the revision's
    WAL: VACUUM has them written before. With 0 rows asked for, tables stay as they
    are.
    """
    with connect(place, application_name="platform-review-rows") as connection:
        run_plainly(connection, plan.founding)
        with names_as_in(connection, plan, options.settings):
            big, tables = _chosen(connection, plan, options, relations, said)
        if not tables or not options.rows:
            return Ground(tuple(tables))
        profile = Profile(
            edges=options.edges, vectors=max(_FEWEST_VECTORS, options.rows // 10)
        )
        with kept(connection, options.promises):
            filled = fill(
                connection,
                [".".join(table) for table in big],
                options.rows,
                few=[".".join(table) for table in tables],
                profile=profile,
                on_table=lambda name, rows: options.tell(
                    Told(plan.source.revision, "rows", rows, options.rows, name)
                ),
            )
        _settle(connection, filled, is_exact=bool(options.queries))
    notes = (
        f"{item.table} has no rows: {item.constraint} {item.reason}"
        for item in filled.unfilled
    )
    rows = sorted(Scan(name, count) for name, count in filled.items())
    return Ground(tuple(tables), tuple(rows), tuple(notes))


def _chosen(
    connection: psycopg.Connection[Any],
    plan: Plan,
    options: Options,
    relations: Collection[Relation],
    said: Collection[Statement],
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the tables that get all rows that were asked for, and all that get some.

    Each as schema and name.
    """
    hidden = named_in_code(connection, (*plan.up, *(plan.down or ())))
    named = _tables(connection, {*relations, *hidden}, options.version_table)
    big = _tables(
        connection,
        {*_heavy(plan, relations, options), *hidden},
        options.version_table,
        types=_types(plan),
    )
    following = followers(connection, _shaken(plan, said))
    big += [(schema, name) for schema, name, is_found in following if is_found]
    few = [(schema, name) for schema, name, _ in following]
    if options.referred:
        few += holders(connection, _shaken_above(plan, said))
    return big, sorted({*named, *big, *few})


def _heavy(
    plan: Plan, relations: Collection[Relation], options: Options
) -> Collection[Relation]:
    """Return those of *relations* that some statement works through."""
    # nobody knows what Python will say; and queries are planned by the rows there are
    if plan.source.offline_error is not None or options.queries:
        return relations
    every = (*plan.up, *(plan.down or ()))
    return {name for statement in every for name in heavy(statement)}


def _shaken(plan: Plan, said: Collection[Statement]) -> set[Shaken]:
    """Return the tables whose rows others may have to follow, up or down."""
    every = (*plan.up, *(plan.down or ()), *said)
    return {table for statement in every for table in shaken(statement)}


def _shaken_above(plan: Plan, said: Collection[Statement]) -> set[Shaken]:
    """Return those on the way up: what comes down, the way up has often made itself."""
    return {table for statement in (*plan.up, *said) for table in shaken(statement)}


def _types(plan: Plan) -> list[str]:
    """Return the types for which every row that has one of them is tested or cut."""
    every = (*plan.up, *(plan.down or ()))
    return [name for item in every if (name := changed_type(item)) is not None]


def _tables(
    connection: psycopg.Connection[Any],
    relations: Collection[Relation],
    version_table: str,
    *,
    types: Collection[str] | None = None,
) -> list[tuple[str, str]]:
    """Return schema and name of the tables that *relations* are, or are indexes of.

    With *types* also those that have one of them, and what views read.
    """
    given = {
        "schemas": [schema for schema, _ in relations],
        "names": [name for _, name in relations],
        "types": list(types or ()),
        "beneath": types is not None,
        "version": version_table,
    }
    return [(schema, name) for schema, name in connection.execute(_TABLES, given)]


def _settle(
    connection: psycopg.Connection[Any], filled: Mapping[str, int], *, is_exact: bool
) -> None:
    """Vacuum and analyze those of *filled* that changed since that was last done.

    With *is_exact* every row is looked at: by a sample a query might be planned
    otherwise the next time.
    """
    if is_exact:
        most = max(filled.values(), default=0)
        target = min(max(_USUAL_TARGET, ceil(most / _SAMPLED)), _MOST_TARGET)
        connection.execute(f"SET default_statistics_target = {target}".encode())
    flush_counts(connection)
    parts = [name.split(".", 1) for name in filled]
    schemas, names = [part[0] for part in parts], [part[1] for part in parts]
    rows = connection.execute(_UNSETTLED, [schemas, names]).fetchall()
    if rows:
        tables = sql.SQL(", ").join(sql.Identifier(*row) for row in rows)
        connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(tables))
    flush_counts(connection)
