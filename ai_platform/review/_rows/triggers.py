"""Silence what would act on made-up rows; constraints go on being checked."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ai_platform.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .catalog import Table

__all__ = ["quiet"]

_TRIGGERS: Final = """
    SELECT n.nspname, c.relname, t.tgname, t.tgenabled::text, t.tgconstraint <> 0
      FROM pg_partition_tree(%s) p
      JOIN pg_trigger t ON t.tgrelid = p.relid
      JOIN pg_class c ON c.oid = p.relid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT t.tgisinternal
     UNION ALL
    SELECT n.nspname, c.relname, t.tgname, t.tgenabled::text, t.tgconstraint <> 0
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT t.tgisinternal AND t.tgrelid = %s AND c.relkind <> 'p'
     ORDER BY 1, 2, 3
"""
_STATES: Final = {"O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}


@contextmanager
def quiet(conn: psycopg.Connection[Any], table: Table) -> Iterator[None]:
    """Insert into *table* without its triggers, in the transaction that is open.

    Where no constraint needs a trigger the session acts as a replica: then foreign
    keys are not looked up row by row either; rows are made of existing parents. Where
    one does (deferrable keys, constraint triggers), only the others are disabled.
    """
    rows = conn.execute(_TRIGGERS, [table.oid, table.oid]).fetchall()
    found = list(dict.fromkeys(rows))
    is_replica = not (table.is_deferred or any(one[4] for one in found))
    is_replica = is_replica and _act_as_replica(conn)
    loud = {"A", "R"} if is_replica else {"O", "A"}
    silenced = [one for one in found if one[3] in loud and not one[4]]
    for schema, relation, name, _, _ in silenced:
        _alter(conn, (schema, relation), "DISABLE", name)
    if not is_replica:
        conn.execute("SET CONSTRAINTS ALL DEFERRED")
    yield
    if not is_replica:
        conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for schema, relation, name, state, _ in silenced:
        _alter(conn, (schema, relation), _STATES[state], name)
    conn.execute(
        "SELECT set_config('session_replication_role', 'origin', true)"
        if is_replica
        else "SELECT 1"
    )


def _act_as_replica(conn: psycopg.Connection[Any]) -> bool:
    try:
        with conn.transaction():
            conn.execute("SET LOCAL session_replication_role = replica")
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def _alter(
    conn: psycopg.Connection[Any], relation: tuple[str, str], how: str, name: str
) -> None:
    title = ".".join(map(quoted, relation))
    statement = f"ALTER TABLE ONLY {title} {how} TRIGGER {quoted(name)}"
    conn.execute(statement.encode())
