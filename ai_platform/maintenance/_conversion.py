"""Make partitions logged or UNLOGGED, as their policy says by now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from psycopg import Error, sql

from ai_platform.connection import first_line
from ai_platform.settings import settings

from ._session import PASSING, limit_waits, patiently
from ._steps import Step

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

    from ._attached import Partition
    from ._policies import Parent

__all__ = ["conversions", "convert"]

# Readers of the whole table queue behind the lock that waits; writers lock only the
# partition of now, which is not touched.
_LOCK_WAIT_S: Final = 0.2

_BYTES: Final = "SELECT pg_table_size(%s), pg_relation_size(%s)"


def conversions(
    conn: psycopg.Connection[Any],
    parent: Parent,
    attached: list[Partition],
    at: datetime,
    *,
    everything: bool,
) -> list[Step]:
    """Return a planned step for each partition of the other persistence.

    Only those that are empty and begin after *at*, unless *everything*: a partition
    with rows is rewritten while nobody can read or write it.
    """
    steps = []
    for one in attached:
        if one.is_pending or one.is_foreign:
            continue
        if one.is_unlogged == parent.policy.is_unlogged:
            continue
        sizes = _sizes(conn, one)
        is_idle = sizes is not None and sizes[1] == 0 and one.bounds.lower > at
        if is_idle or everything:
            bounds = one.bounds
            steps.append(
                Step(
                    "convert",
                    parent.policy.parent,
                    one.shown,
                    bounds.lower,
                    bounds.upper,
                    "planned",
                    _words(parent, sizes[0] if sizes and sizes[1] else 0),
                )
            )
    return steps


def _sizes(conn: psycopg.Connection[Any], one: Partition) -> tuple[int, int] | None:
    """Return the bytes of the table and of its rows; None when it has just gone."""
    row = conn.execute(_BYTES, [one.oid, one.oid]).fetchone()
    return None if row is None or row[1] is None else (int(row[0]), int(row[1]))


def _words(parent: Parent, size: int) -> str:
    goal = "unlogged" if parent.policy.is_unlogged else "logged"
    if not size:
        return f"becomes {goal}"
    return f"becomes {goal}: {size:,} bytes are rewritten, readers and writers wait"


def convert(  # noqa: PLR0913 - the last two by name
    conn: psycopg.Connection[Any],
    parent: Parent,
    one: Partition,
    step: Step,
    *,
    wait_s: float,
    everything: bool,
) -> Step:
    """Convert the partition of *step*; say what became of it.

    Without *everything* one that has got rows since is left alone.
    """
    goal = sql.SQL("UNLOGGED" if parent.policy.is_unlogged else "LOGGED")
    alter = sql.SQL("ALTER TABLE {} SET {}").format(one.identifier, goal)
    filled = False

    def work() -> None:
        nonlocal filled
        with conn.transaction():
            lock = "LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE"
            conn.execute(sql.SQL(lock).format(one.identifier))
            sizes = _sizes(conn, one)
            filled = not everything and (sizes is None or sizes[1] > 0)
            if not filled:
                conn.execute(alter)

    limit_waits(conn, _LOCK_WAIT_S)
    try:
        patiently(work, for_s=wait_s)
    except PASSING as error:
        return replace(step, outcome="delayed", detail=first_line(error))
    except Error as error:
        if conn.closed:
            raise
        return replace(step, outcome="failed", detail=first_line(error))
    finally:
        if not conn.closed:
            limit_waits(conn, settings().lock_timeout_s)
    if filled:
        return replace(step, outcome="present", detail="it has got rows: left alone")
    return replace(step, outcome="done")
