"""A database for a moment, gone again whatever happens to this process."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn

import psycopg
from psycopg import sql

from ai_platform.connection import Target, connect, first_line
from ai_platform.errors import PlatformError, Refused

from ._made_roles import drop_roles, marked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["PREFIX", "scratch_database", "sweep", "terminated_as_exit"]

PREFIX: Final = "platform_scratch_"
_TERMINATED: Final = 128 + signal.SIGTERM
_LIKE_TARGET: Final = """
    SELECT pg_encoding_to_char(encoding), datcollate, datctype,
           (SELECT setting FROM pg_db_role_setting s, unnest(s.setconfig) setting
             WHERE s.setdatabase = d.oid AND s.setrole = 0
               AND setting LIKE 'search_path=%') AS search_path,
           (SELECT n.nspname FROM pg_extension e
              JOIN pg_namespace n ON n.oid = e.extnamespace
             WHERE e.extname = 'vector') AS vector_schema
      FROM pg_database d WHERE datname = current_database()
"""
_MAY_CREATE: Final = """
    SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
           rolsuper OR rolcreatedb
      FROM pg_roles WHERE rolname = session_user
"""
_ABANDONED: Final = """
    SELECT datname FROM pg_database d
     WHERE starts_with(datname, %s)
       AND NOT EXISTS (SELECT FROM pg_stat_activity a
                        WHERE a.application_name = d.datname OR a.datname = d.datname)
"""


@contextmanager
def scratch_database(target: Target, *, any_major: bool = False) -> Iterator[Target]:
    """Give an empty database on the server of *target*; drop it on the way out.

    The session that makes it carries its name as application name: a database whose
    session has gone was left behind by a killed process and is dropped by the next
    caller. SIGTERM counts as an exception meanwhile.

    Where the login may not create databases, or nobody may (a standby), an embedded
    server of the same major version gives one, with *any_major* of whatever version
    it is. Raises Refused where there is none.
    """
    name = f"{PREFIX}{os.getpid()}_{secrets.token_hex(4)}"
    with connect(target, application_name=name) as holder, terminated_as_exit():
        sweep(holder)
        obstacle = _obstacle(holder)
        if obstacle is not None:
            with _embedded(holder, obstacle, any_major=any_major) as place:
                yield place
            return
        try:
            place = _create(holder, target, name)
            yield place
        finally:
            _drop(holder, name)


def sweep(connection: psycopg.Connection[Any]) -> list[str]:
    """Drop the scratch databases that nobody holds, with the roles made for them.

    Returns the names of the databases.
    """
    dropped: list[str] = []
    for (name,) in connection.execute(_ABANDONED, [PREFIX]).fetchall():
        try:
            made = marked(connection, name)
            _drop(connection, name)
            drop_roles(connection, made)
        except psycopg.Error:  # another login's, or another sweep was quicker
            continue
        dropped.append(name)
    return dropped


def _obstacle(connection: psycopg.Connection[Any]) -> str | None:
    """Return why no database can be created here, None where it can."""
    row = connection.execute(_MAY_CREATE).fetchone()
    standby, read_only, may = row or (False, False, False)
    if standby:
        return "the server is a read-only standby"
    if read_only:
        return "the login's sessions are read-only"
    return None if may else "the login may not create a scratch database"


def _create(holder: psycopg.Connection[Any], target: Target, name: str) -> Target:
    row = holder.execute(_LIKE_TARGET).fetchone()
    if row is None:
        raise Refused("this database does not list itself", hint="connect again")
    encoding, collate, ctype, search_path, vector_schema = row
    database = sql.Identifier(name)
    statement = (
        "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}"
    )
    try:
        holder.execute(sql.SQL(statement).format(database, encoding, collate, ctype))
    except psycopg.Error as error:
        raise Refused(
            f"no scratch database can be created: {first_line(error)}",
            hint="use a login with CREATEDB",
        ) from None
    if search_path:
        # stored as a list of names already quoted
        path = sql.SQL(search_path.partition("=")[2])
        holder.execute(
            sql.SQL("ALTER DATABASE {} SET search_path = {}").format(database, path)
        )
    place = target.with_database(name)
    if vector_schema not in (None, "public"):
        _place_vector(place, vector_schema)
    return place


def _place_vector(place: Target, schema: str) -> None:
    """Put vector where the compared database has it: types carry its schema's name."""
    with connect(place, application_name=place.database) as connection:
        for statement in (
            "CREATE SCHEMA IF NOT EXISTS {}",
            "CREATE EXTENSION vector WITH SCHEMA {}",
        ):
            connection.execute(sql.SQL(statement).format(sql.Identifier(schema)))


def _drop(connection: psycopg.Connection[Any], name: str) -> None:
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    connection.execute(statement.format(sql.Identifier(name)))


@contextmanager
def _embedded(
    holder: psycopg.Connection[Any], obstacle: str, *, any_major: bool
) -> Iterator[Target]:
    """Give an empty database of an embedded server that ends with the block."""
    from ai_platform.server.temporary import temporary_server  # noqa: PLC0415 - slow

    wanted = holder.info.server_version // 10000
    hint = "use a login with CREATEDB on the primary"
    with temporary_server("platform-scratch-") as server:
        try:
            server.start()
        except PlatformError as error:
            raise Refused(
                f"{obstacle}, and no embedded server can stand in: {error.message}",
                hint=hint,
            ) from None
        major = server.status().major
        if major != wanted and not any_major:
            raise Refused(
                f"{obstacle}, and the embedded server is PostgreSQL {major}, "
                f"not {wanted}",
                hint=hint,
            )
        yield Target(server.url(), "scratch server")


@contextmanager
def terminated_as_exit() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, where we may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(_TERMINATED)
