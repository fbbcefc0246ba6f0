"""Keep the daily statistics of metrics: days archived first, then the view renewed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from psycopg import errors

from ai_platform.connection import first_line
from ai_platform.errors import PlatformError, Refused
from ai_platform.names import ARCHIVE_DAILY_STATS, DAILY_STATS

from ._session import PASSING, patiently, session

if TYPE_CHECKING:
    import psycopg

__all__ = ["WAIT_S", "Busy", "Refreshed", "archive", "refresh"]

WAIT_S: Final = 20.0
"""How long a refresh is tried while another one holds the view, in seconds."""

_IS_POPULATED: Final = """
    SELECT c.relispopulated FROM pg_catalog.pg_class c
     WHERE c.oid = pg_catalog.to_regclass(%s)
"""
_COUNTS: Final = f"""
    SELECT count(DISTINCT day), count(DISTINCT node_id) FROM {DAILY_STATS}
"""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did; *archived* counts days of nodes that are new or fuller."""

    archived: int
    concurrently: bool
    days: int
    nodes: int
    seconds: float


def archive(conn: psycopg.Connection[Any]) -> int:
    """Archive the finished days that still have samples; return how many are new.

    A day of one node counts once. A day that is archived is replaced only by one of
    more samples. Needs no more than platform_worker may.

    Raises Refused without the right or on a standby.
    """
    try:
        row = conn.execute(f"SELECT {ARCHIVE_DAILY_STATS}()").fetchone()
    except (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction) as error:
        raise Refused(
            f"daily statistics cannot be archived: {first_line(error)}",
            hint="use a login of platform_worker or platform_migrator on the primary",
        ) from None
    return int(row[0]) if row else 0


class Busy(PlatformError):
    """Another session was at it for longer than one waits; the next run goes on."""


def refresh(conn: psycopg.Connection[Any], *, wait_s: float | None = None) -> Refreshed:
    """Archive finished days, then compute `monitoring.daily_stats` anew.

    In that order: a refresh forgets the days whose samples are gone. Readers of the
    view are not stopped, unless it was never filled. *wait_s* (default: WAIT_S) is
    how long another refresh is waited for.

    Raises Refused (not migrated, standby, right) and Busy (another was too long).
    """
    patience = WAIT_S if wait_s is None else wait_s
    began = monotonic()
    with session(conn, writes=True):
        is_populated = _is_populated(conn)
        archived = _patiently(conn, partial(archive, conn), patience)
        how = "CONCURRENTLY " if is_populated else ""
        statement = f"REFRESH MATERIALIZED VIEW {how}{DAILY_STATS}"
        _patiently(conn, partial(_run, conn, statement), patience)
        days, nodes = conn.execute(_COUNTS.encode()).fetchall()[0]
    return Refreshed(archived, is_populated, days, nodes, round(monotonic() - began, 3))


def _is_populated(conn: psycopg.Connection[Any]) -> bool:
    row = conn.execute(_IS_POPULATED, [DAILY_STATS]).fetchone()
    if row is None:
        raise Refused(
            f"database {conn.info.dbname} has no view {DAILY_STATS}",
            hint="platform db upgrade",
        )
    return bool(row[0])


def _run(conn: psycopg.Connection[Any], statement: str) -> int:
    conn.execute(statement.encode())
    return 0


def _patiently(conn: psycopg.Connection[Any], work: partial[int], wait_s: float) -> int:
    try:
        return patiently(work, for_s=wait_s)
    except PASSING as error:
        raise Busy(
            f"daily statistics of {conn.info.dbname} are busy: {first_line(error)}",
            hint="run it again: what was archived stays",
        ) from None
