"""The session in which maintenance works: owner's role, UTC, short waits, retries."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, TypeVar

from psycopg import errors, pq

from ai_platform.connection import connect, first_line
from ai_platform.errors import CannotConnect, Refused
from ai_platform.names import OWNER, PARTITION_POLICIES
from ai_platform.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import psycopg

    from ai_platform.connection import Target

__all__ = [
    "PASSING",
    "in_the_way",
    "limit_waits",
    "opened",
    "patiently",
    "session",
]

Result = TypeVar("Result")

PASSING: Final = (errors.LockNotAvailable, errors.DeadlockDetected)
"""What may succeed a moment later: 55P03 and 40P01."""

_SETTINGS: Final = {
    # bounds are printed and read in the zone and style of the session
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "search_path": "pg_catalog",
    "row_security": "on",
    "default_transaction_isolation": "read committed",
    "statement_timeout": "0",
    "transaction_timeout": "0",
    "lock_timeout": "",  # given by PLATFORM_LOCK_TIMEOUT
    # the backend of a killed client must end, or it goes on with its locks
    "client_connection_check_interval": "1s",
}
_PAUSES_S: Final = (0.05, 0.1, 0.2, 0.4, 0.8)

_CATALOG_FACTS: Final = """
    SELECT pg_is_in_recovery(),
           current_setting('default_transaction_read_only')::boolean,
           (SELECT c.oid FROM pg_catalog.pg_class c
             WHERE c.relname = %(table)s AND c.relnamespace =
                   (SELECT n.oid FROM pg_catalog.pg_namespace n
                     WHERE n.nspname = %(schema)s))
"""
# a setting that this server does not know is left out: transaction_timeout is of 17
_CURRENT: Final = """
    SELECT pg_catalog.lower(s.name), pg_catalog.current_setting(s.name)
      FROM pg_catalog.pg_settings s WHERE pg_catalog.lower(s.name) = ANY (%s)
"""
_MAY_READ: Final = """
    SELECT pg_catalog.has_table_privilege(c.oid, 'SELECT')
           AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')
      FROM pg_catalog.pg_class c WHERE c.oid = %s
"""
# what another role does is hidden from most logins, that it is there is not
_IN_THE_WAY: Final = """
    SELECT pg_catalog.format('session %%s%%s%%s', l.pid,
               COALESCE(' of ' OPERATOR(pg_catalog.||) a.usename, ''),
               COALESCE(', in a transaction since '
                   OPERATOR(pg_catalog.||) pg_catalog.to_char(
                       a.xact_start, 'YYYY-MM-DD HH24:MI:SS TZ'), ''))
      FROM pg_catalog.pg_locks l
      LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
     WHERE l.relation OPERATOR(pg_catalog.=) ANY (%s) AND l.granted
       AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
       AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d
             WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
     ORDER BY a.xact_start NULLS LAST LIMIT 1
"""
_SET: Final = "SELECT pg_catalog.set_config(%s, %s, false)"


@contextmanager
def opened(target: Target) -> Iterator[psycopg.Connection[Any]]:
    """Connect to *target* for maintenance; close the connection at the end.

    Raises CannotConnect, or Refused behind a pooler in transaction mode.
    """
    with connect(target) as conn:
        row = conn.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
        if row and row[0] != conn.info.backend_pid:
            from ai_platform.runner._pooler import (  # noqa: PLC0415 - loads Alembic
                refuse_transaction_pooler,
            )

            refuse_transaction_pooler(target, conn)
        yield conn


@contextmanager
def session(conn: psycopg.Connection[Any], *, writes: bool) -> Iterator[None]:
    """Prepare *conn* for maintenance and give it back as it was.

    Raises Refused: not migrated, standby, read-only, no right to the owner's role.
    """
    if conn.info.transaction_status != pq.TransactionStatus.IDLE:
        raise ValueError("partition work needs a connection outside a transaction")
    before = conn.autocommit
    conn.autocommit = True
    try:
        policies = _check(conn, writes=writes)
        with _settings(conn, policies, writes=writes), _loss_in_one_line(conn):
            yield
    finally:
        if not conn.closed:
            conn.autocommit = before


def _check(conn: psycopg.Connection[Any], *, writes: bool) -> int:
    """Return the oid of the table of policies, or refuse this database."""
    schema, table = PARTITION_POLICIES.split(".")
    facts = conn.execute(_CATALOG_FACTS, {"schema": schema, "table": table}).fetchone()
    standby, read_only, policies = facts or (False, False, None)
    if policies is None:
        raise Refused(
            f"database {conn.info.dbname} has no table {PARTITION_POLICIES}",
            hint="platform db upgrade",
        )
    if writes and standby:
        raise Refused(
            "this server is a standby: nothing can be changed here",
            hint="connect to the primary",
        )
    if writes and read_only:
        raise Refused(
            f"sessions of {conn.info.user} are read-only in {conn.info.dbname}",
            hint="use a login without default_transaction_read_only",
        )
    return int(policies)


@contextmanager
def _settings(
    conn: psycopg.Connection[Any], policies: int, *, writes: bool
) -> Iterator[None]:
    before = dict(conn.execute(_CURRENT, [list(_SETTINGS)]).fetchall())
    # `role` is no row of pg_settings for everybody
    row = conn.execute("SELECT pg_catalog.current_setting('role')").fetchone()
    before["role"] = row[0] if row else "none"
    try:
        if writes or not _may_read(conn, policies):
            _become_owner(conn)
        for name, value in _SETTINGS.items():
            if name in before and value:
                conn.execute(_SET, [name, value])
        limit_waits(conn, settings().lock_timeout_s)
        yield
    finally:
        if not conn.closed:
            for name, value in before.items():
                conn.execute(_SET, [name, value])


def _may_read(conn: psycopg.Connection[Any], policies: int) -> bool:
    """Return whether the login sees the policies without the owner's role."""
    row = conn.execute(_MAY_READ, [policies]).fetchone()
    return bool(row and row[0])


def _become_owner(conn: psycopg.Connection[Any]) -> None:
    try:
        conn.execute(_SET, ["role", OWNER])
    except (errors.InsufficientPrivilege, errors.InvalidParameterValue) as error:
        raise Refused(
            f"the login {conn.info.user} may not act as {OWNER}: {first_line(error)}",
            hint="use a login that may, such as a member of platform_migrator",
        ) from None


@contextmanager
def _loss_in_one_line(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """Say what a lost connection means here: the next run goes on."""
    try:
        yield
    except (errors.OperationalError, errors.InterfaceError) as error:
        if not conn.closed:
            raise
        raise CannotConnect(
            f"the connection was lost: {first_line(error)}",
            hint="run it again: it goes on where this one stopped",
        ) from None


def limit_waits(conn: psycopg.Connection[Any], seconds: float) -> None:
    """Let no statement of *conn* wait longer than *seconds* for one lock."""
    # zero would mean: wait for ever
    milliseconds = max(1, int(seconds * 1000))
    conn.execute(_SET, ["lock_timeout", f"{milliseconds}ms"])


def patiently(work: Callable[[], Result], *, for_s: float) -> Result:
    """Return what *work* returns, calling it again while a lock stops it.

    Raises LockNotAvailable or DeadlockDetected when *for_s* seconds were not enough.
    """
    ends = monotonic() + for_s
    attempt = 0
    while True:
        try:
            return work()
        except PASSING:
            pause = _PAUSES_S[min(attempt, len(_PAUSES_S) - 1)]
            if monotonic() + pause >= ends:
                raise
        sleep(pause)
        attempt += 1


def in_the_way(conn: psycopg.Connection[Any], relations: Sequence[int]) -> str | None:
    """Return whose oldest transaction holds a lock on one of *relations* (oids)."""
    row = conn.execute(_IN_THE_WAY, [list(relations)]).fetchone()
    return row[0] if row else None
