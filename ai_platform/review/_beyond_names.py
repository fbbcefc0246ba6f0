"""What the server finds wrong with a statement only after it has found its names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import psycopg
from pglast import ast, parse_sql
from pglast.parser import ParseError
from pglast.stream import RawStream
from pglast.visitors import Visitor
from psycopg import sql

from ai_platform.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._application import Statement

__all__ = ["explained", "stand_ins", "unfilled", "unplanned"]

_SETTINGS: Final = """
SELECT pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true),
       pg_catalog.set_config('max_parallel_workers_per_gather', '0', true),
       pg_catalog.set_config('search_path',
           coalesce(%s, pg_catalog.current_setting('search_path')), true)
"""
_PLANNED: Final = (
    *(ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt),
)
# A trigger before INSERT (4) of each ROW (1), before (2) it, may fill what is left out.
_REQUIRED: Final = """
SELECT a.attname::text, c.relname::text
  FROM (SELECT *, row_number() OVER (ORDER BY attnum) AS place
          FROM pg_catalog.pg_attribute
         WHERE attrelid = to_regclass(%(table)s) AND attnum > 0 AND NOT attisdropped
       ) AS a
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
 WHERE c.relkind IN ('r', 'p') AND (a.attnotnull OR t.typnotnull)
   AND NOT a.atthasdef AND a.attidentity = '' AND t.typdefault IS NULL
   AND a.place > %(places)s AND NOT a.attname = ANY (%(columns)s::text[])
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g
                    WHERE g.tgrelid = c.oid AND NOT g.tgisinternal
                      AND g.tgenabled IN ('O', 'A') AND g.tgtype::integer & 7 = 7)
 ORDER BY a.attnum
 LIMIT 1
"""


def explained(connection: psycopg.Connection[Any], statement: Statement) -> Any:
    """Return the generic plan of *statement* as EXPLAIN's JSON; nothing is executed.

    *connection* must be in autocommit. Raises psycopg.Error where the server does not
    take it, or has no plan for it, such as for a utility statement.
    """
    types = [sql.SQL(name or "unknown") for name in statement.types]
    of = sql.SQL("({})").format(sql.SQL(", ").join(types)) if types else sql.SQL("")
    nulls = sql.SQL(", ").join([sql.SQL("NULL")] * len(types))
    values = sql.SQL("({})").format(nulls) if types else sql.SQL("")
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(_SETTINGS, [statement.search_path])
            prepare = sql.SQL("PREPARE platform_review {} AS ").format(of)
            connection.execute(prepare.as_bytes(connection) + statement.sql.encode())
            explain = "EXPLAIN (FORMAT JSON, VERBOSE) EXECUTE platform_review {}"
            row = connection.execute(sql.SQL(explain).format(values)).fetchone()
    finally:
        if not connection.closed:
            # a prepared statement outlives its transaction
            connection.execute("DEALLOCATE ALL")
    return row[0] if row else None


def unplanned(
    connection: psycopg.Connection[Any], statement: Statement
) -> psycopg.Error | None:
    """Return what the planner says against *statement*; None for what has no plan.

    Only there does the server look for the unique index that ON CONFLICT names.
    Raises psycopg.Error where the server is lost.
    """
    if not isinstance(_tree(statement.sql), _PLANNED):
        return None
    try:
        explained(connection, statement)
    except psycopg.Error as error:
        if connection.closed:
            raise
        return error
    return None


def stand_ins(text: str) -> list[str]:
    """Return statements that find the names of the utility statement *text*.

    PREPARE takes a COPY, TRUNCATE or LOCK without looking anything up. Nothing for
    statements of other kinds.
    """
    tree = _tree(text)
    if isinstance(tree, ast.CopyStmt):
        return [_copied(tree)]
    if isinstance(tree, ast.RefreshMatViewStmt):
        return [f"SELECT FROM {_name(tree.relation)}"]
    if isinstance(tree, ast.TruncateStmt | ast.LockStmt):
        return [f"SELECT FROM {_name(one)}" for one in tree.relations or ()]
    return []


def _copied(tree: ast.CopyStmt) -> str:
    """Return a query or INSERT that names what a COPY does."""
    if tree.query is not None:
        return str(RawStream()(tree.query))
    table = _name(tree.relation)
    columns = ", ".join(quoted(one.sval) for one in tree.attlist or ())
    if not tree.is_from or not columns:
        return f"SELECT {columns} FROM {table}"
    nulls = ", ".join(["NULL"] * len(tree.attlist))
    # COPY writes what it is given, also where an identity is GENERATED ALWAYS
    return f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({nulls})"


def unfilled(connection: psycopg.Connection[Any], text: str) -> tuple[str, str] | None:
    """Return column and table where an INSERT in *text* leaves out what it must fill.

    A column NOT NULL without a default, in a table without a trigger that may fill it.
    """
    found = _Inserts()
    tree = _tree(text)
    if tree is not None:
        found(tree)
    for table, columns, places in found.seen:
        given = {"table": table, "columns": columns, "places": places}
        row = connection.execute(_REQUIRED, given).fetchone()
        if row is not None:
            return row[0], row[1]
    return None


class _Inserts(Visitor):
    """Collects table, columns, and without these the number of values, of INSERTs."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, list[str], int]] = []

    def visit_InsertStmt(self, _: object, node: ast.InsertStmt) -> None:  # noqa: N802
        columns = [target.name for target in node.cols or ()]
        places = 0 if columns else _places(node.selectStmt)
        if places is not None:
            self.seen.append((_name(node.relation), columns, places))


def _places(select: Any) -> int | None:
    """Return how many values *select* gives a row, 0 for DEFAULT VALUES."""
    if select is None:
        return 0
    if select.valuesLists:
        return len(select.valuesLists[0])
    stars = _Stars()
    for target in select.targetList or ():
        stars(target)
    return None if stars.found or not select.targetList else len(select.targetList)


class _Stars(Visitor):
    """Tells whether there is a ``*`` that stands for columns."""

    found = False

    def visit_A_Star(self, _: object, __: Any) -> None:  # noqa: N802
        self.found = True


def _tree(text: str) -> Any:
    """Return the tree of *text*, None where it is not one statement."""
    try:
        parsed = parse_sql(text)
    except ParseError:
        return None
    return parsed[0].stmt if len(parsed) == 1 else None


def _name(relation: Any) -> str:
    parts: Iterator[str] = filter(None, (relation.schemaname, relation.relname))
    return ".".join(map(quoted, parts))
