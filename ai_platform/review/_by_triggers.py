"""Tell what triggers wrote on the way from data that a revision loses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pglast
from pglast import ast
from pglast.visitors import Visitor

from ai_platform.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import psycopg

    from .preserve import Contents
    from .statements import Statement

__all__ = ["moment", "told_apart"]

_MOMENT: Final = (
    "SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint"
)
# Half of all transaction ids are younger than any one.
_OLD: Final = """
    SELECT count(*) FROM {relation}
     WHERE (xmin::text::bigint - {moment}) & 4294967295 >= 2147483648
"""
_PARTS: Final = """
SELECT n.nspname || '.' || c.relname
  FROM pg_catalog.pg_partition_tree((
           SELECT to_regclass(quote_ident(t[1]) || '.' || quote_ident(t[2]))
             FROM (SELECT %s::text[]) AS given (t))) p
  JOIN pg_catalog.pg_class c ON c.oid = p.relid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
"""
# BEFORE (2) UPDATE (16) of each ROW (1)
_STAMPING: Final = """
SELECT t.tgname, p.prosrc, pg_catalog.encode(t.tgargs, 'escape')
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname || '.' || c.relname = %s AND NOT t.tgisinternal
   AND t.tgenabled IN ('O', 'A') AND t.tgtype::integer & 19 = 19
 ORDER BY t.tgname
"""
_WRITES: Final = {"INSERT", "UPDATE", "DELETE", "MERGE"}
# What these do to which table stands in them; of others only the text is known.
_PLAIN: Final = {
    *_WRITES,
    *("ALTER TABLE", "CREATE INDEX", "DROP INDEX", "COMMENT", "CREATE TABLE"),
}
_REMOVES: Final = re.compile(r"\b(DELETE|TRUNCATE|DROP|RENAME|INSERT)\b", re.IGNORECASE)


def moment(conn: psycopg.Connection[Any]) -> int:
    """Return the first transaction id that is still to come."""
    ((found,),) = conn.execute(_MOMENT).fetchall()
    return int(found)


def told_apart(
    conn: psycopg.Connection[Any],
    gone: Sequence[str],
    held: Contents,
    began: int,
    statements: Sequence[Statement],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what of *gone* is lost after all, and notes on the rest.

    *gone* is what `lost` found of *held*; *began* is the `moment` then, *statements*
    all that ran since. A table that none of them names has lost nothing where each row
    from before stands there untouched. Nor is a column the author's loss that none of
    them sets, where a trigger sets it whenever its row is updated.
    """
    notes: dict[str, str] = {}
    for table, was in held.items():
        if table in gone:
            is_named = any(_mentions(statements, one) for one in _parts(conn, table))
            if not is_named and _untouched(conn, table, began) == was.rows:
                notes[table] = (
                    f"{table} got rows, although no statement names it; those from "
                    "before are unchanged"
                )
            continue
        for column in was.columns:
            name = f"{table}.{column}"
            trigger = _stamp(conn, table, column, statements) if name in gone else None
            if trigger is not None:
                notes[name] = (
                    f"{name} was stamped by trigger {trigger}: an update changes it, "
                    "and what it held before does not come back"
                )
    return tuple(one for one in gone if one not in notes), tuple(notes.values())


def _untouched(conn: psycopg.Connection[Any], table: str, began: int) -> int:
    """Return how many rows of *table* nobody wrote since *began*; -1: not known."""
    import psycopg  # noqa: PLC0415 - only its errors

    relation = ".".join(map(quoted, table.split(".", 1)))
    try:
        found = conn.execute(_OLD.format(relation=relation, moment=began).encode())
    except psycopg.Error:  # it is gone, or kept by another access method
        return -1
    ((rows,),) = found.fetchall()
    return int(rows)


def _parts(conn: psycopg.Connection[Any], table: str) -> list[str]:
    """Return *table* and its partitions, as schema.name."""
    found = conn.execute(_PARTS, [table.split(".", 1)]).fetchall()
    return [table, *(name for (name,) in found)]


def _mentions(statements: Iterable[Statement], table: str) -> bool:
    return next(_naming(statements, table), None) is not None


def _naming(statements: Iterable[Statement], table: str) -> Iterator[Statement]:
    """Yield those of *statements* that name *table*, or may do so in code."""
    schema, _, name = table.partition(".")
    for one in statements:
        is_named = any(
            own == name and its in (None, schema) for its, own in one.relations
        )
        if is_named or (one.tag not in _PLAIN and _says(one.text, name)):
            yield one


def _says(text: str, word: str) -> bool:
    return (
        re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None
    )


def _stamp(
    conn: psycopg.Connection[Any],
    table: str,
    column: str,
    statements: Sequence[Statement],
) -> str | None:
    """Return the trigger, if one it was, that alone changed *column*."""
    naming = list(_naming(statements, table))
    if not naming or not all(_leaves(one, table, column) for one in naming):
        return None
    for trigger, source, arguments in conn.execute(_STAMPING, [table]):
        if _says(f"{source} {arguments}", column):
            return str(trigger)
    return None


def _leaves(statement: Statement, table: str, column: str) -> bool:
    """Return whether *statement* keeps the rows of *table* and does not set *column*.

    A row that is removed and put back has lost what it held.
    """
    if statement.tag not in _WRITES:
        is_safe = _REMOVES.search(statement.text) is None
        return is_safe and not _says(statement.text, column)
    found = _Written()
    for one in pglast.parse_sql(statement.sql):
        found(one.stmt)
    return column not in found.columns and table.partition(".")[2] not in found.emptied


class _Written(Visitor):
    """Collects the columns that a statement sets, and the tables it takes rows from."""

    def __init__(self) -> None:
        self.columns: set[str] = set()
        self.emptied: set[str] = set()

    def visit_UpdateStmt(self, _: object, node: Any) -> None:  # noqa: N802
        self._sets(node)

    def visit_OnConflictClause(self, _: object, node: Any) -> None:  # noqa: N802
        self._sets(node)

    def visit_MergeWhenClause(self, _: object, node: Any) -> None:  # noqa: N802
        self._sets(node)

    def visit_DeleteStmt(self, _: object, node: ast.DeleteStmt) -> None:  # noqa: N802
        self.emptied.add(node.relation.relname)

    def visit_MergeStmt(self, _: object, node: ast.MergeStmt) -> None:  # noqa: N802
        self.emptied.add(node.relation.relname)

    def _sets(self, node: Any) -> None:
        self.columns |= {target.name for target in node.targetList or ()}
