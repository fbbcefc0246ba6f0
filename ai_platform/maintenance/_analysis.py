"""Keep the planner informed of whole tables: autovacuum never analyzes a parent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from psycopg import Error, sql
from psycopg.rows import class_row

from ai_platform.connection import first_line
from ai_platform.names import OWNER, SCHEMAS
from ai_platform.settings import settings

from ._session import PASSING, limit_waits, patiently, session
from ._steps import Outcome, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

__all__ = ["analyze"]

# as autovacuum counts: a tenth of the rows and fifty
_SHARE: Final = 0.1
_AT_LEAST: Final = 50
_REST: Final = timedelta(hours=6)
_HAS_ONLY: Final = 180000
"""From 18 on a parent is analyzed alone; before, its partitions are as well."""

# What autovacuum has analyzed since the parent has changed by that much. A partition
# that was analyzed by hand was so together with its parent, where there is no ONLY.
_PARENTS: Final = """
    WITH RECURSIVE tree AS (
        SELECT c.oid AS root, c.oid FROM pg_class c
         WHERE c.relkind = 'p' AND NOT c.relispartition
           AND c.relowner = to_regrole(%(owner)s)
           AND c.relnamespace IN
               (SELECT n.oid FROM pg_namespace n WHERE n.nspname = ANY (%(schemas)s))
        UNION ALL
        SELECT t.root, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
    ), leaves AS (
        -- the counters are empty after a crash, the estimate is not
        SELECT t.root,
               sum(GREATEST(pg_stat_get_live_tuples(t.oid), c.reltuples)) AS rows,
               sum(CASE WHEN pg_stat_get_last_autoanalyze_time(t.oid)
                             > pg_stat_get_last_analyze_time(t.root)
                        THEN pg_stat_get_live_tuples(t.oid)
                        ELSE pg_stat_get_mod_since_analyze(t.oid) END) AS changed
          FROM tree t JOIN pg_class c ON c.oid = t.oid AND c.relkind = 'r'
         GROUP BY t.root
    )
    SELECT n.nspname AS schema, c.relname AS name, l.rows::bigint AS rows,
           l.changed::bigint AS changed, c.reltuples::bigint AS known,
           pg_stat_get_last_analyze_time(c.oid) IS NOT NULL AS is_known,
           COALESCE(pg_stat_get_last_analyze_time(c.oid) > now() - %(rest)s, false)
               AS is_fresh
      FROM leaves l JOIN pg_class c ON c.oid = l.root
      JOIN pg_namespace n ON n.oid = c.relnamespace
     ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class _Parent:
    schema: str
    name: str
    rows: int
    changed: int
    known: int
    is_known: bool
    is_fresh: bool

    @property
    def is_due(self) -> bool:
        """Return whether the planner knows too little of it by now."""
        if not self.is_known:
            return self.rows > 0
        # What a partition has counted since its own ANALYZE may be in the parent's
        # statistics already; the number of rows is exact, and tells of dropped ones.
        grown = abs(self.rows - self.known)
        changed = grown if self.is_fresh else max(grown, self.changed)
        return changed > _AT_LEAST + _SHARE * self.rows

    @property
    def detail(self) -> str:
        """Return what it looks like, in one line."""
        if not self.is_known:
            return f"never analyzed, {self.rows:,} rows"
        return f"{self.changed:,} of {self.rows:,} rows changed"


def analyze(
    conn: psycopg.Connection[Any],
    *,
    dry_run: bool = False,
    wait_s: float | None = None,
    tell: Callable[[str], None] | None = None,
) -> list[Step]:
    """ANALYZE the partitioned tables whose rows have changed much; return the steps.

    A table that is locked for *wait_s* seconds (default: PLATFORM_RETRY_FOR) is
    *delayed*. A partition that has to be made while one is analyzed waits for that.

    Raises Refused or CannotConnect (connection lost).
    """
    patience = settings().retry_for_s if wait_s is None else wait_s
    with session(conn, writes=not dry_run):
        due = [one for one in _parents(conn) if one.is_due]
        return [
            _step(one, "planned", one.detail)
            if dry_run
            else _analyze(conn, one, patience, tell)
            for one in due
        ]


def _parents(conn: psycopg.Connection[Any]) -> list[_Parent]:
    parameters = {"owner": OWNER, "schemas": [*SCHEMAS, "public"], "rest": _REST}
    with conn.cursor(row_factory=class_row(_Parent)) as cursor:
        return cursor.execute(_PARENTS, parameters).fetchall()


def _analyze(
    conn: psycopg.Connection[Any],
    one: _Parent,
    wait_s: float,
    tell: Callable[[str], None] | None,
) -> Step:
    if tell:
        tell(f"analyzing {one.schema}.{one.name}: {one.rows:,} rows")
    only = "ONLY " if conn.info.server_version >= _HAS_ONLY else ""
    statement = sql.SQL("ANALYZE {}{}").format(
        sql.SQL(only), sql.Identifier(one.schema, one.name)
    )
    limit_waits(conn, min(settings().lock_timeout_s, wait_s))
    try:
        patiently(lambda: conn.execute(statement), for_s=wait_s)
    except PASSING as error:
        return _step(one, "delayed", first_line(error))
    except Error as error:
        if conn.closed:
            raise
        return _step(one, "failed", first_line(error))
    return _step(one, "done", one.detail)


def _step(one: _Parent, outcome: Outcome, detail: str) -> Step:
    parent = f"{one.schema}.{one.name}"
    return Step("analyze", parent, None, None, None, outcome, detail)
