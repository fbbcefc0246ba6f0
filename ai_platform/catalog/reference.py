"""Build the database that the models and SQL files declare, to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from ai_platform import names
from ai_platform.connection import connect, first_line
from ai_platform.errors import Refused

from .scratch import scratch_database
from .snapshot import snapshot
from .sources import load_order, read_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sqlalchemy import MetaData
    from sqlalchemy.engine.mock import MockConnection

    from ai_platform.connection import Target

    from ._objects import Snapshot
    from .sources import SqlFile

__all__ = ["build", "reference"]


def reference(
    target: Target,
    metadata: MetaData,
    sql_root: Path | None,
    *,
    owner: str | None = names.OWNER,
    any_major: bool = False,
) -> Snapshot:
    """Return the snapshot of what *metadata* and *sql_root* declare.

    It is built in a scratch database on the server of *target*, which is dropped
    again; where none can be created, on an embedded server of the same
    major version, with *any_major* of whatever version it is.

    The declaration has no rows, hence none of the partitions that are made from rows
    at run time: `diff` compares their forms only where both sides have some, and
    their faults against their own parent and policy.

    Raises Refused when no scratch database can be had or a file does not load.
    """
    with (
        scratch_database(target, any_major=any_major) as place,
        connect(place, application_name=place.database) as connection,
    ):
        build(connection, metadata, sql_root, owner=owner)
        return snapshot(connection)


def build(
    connection: psycopg.Connection[Any],
    metadata: MetaData,
    sql_root: Path | None,
    *,
    owner: str | None = names.OWNER,
) -> None:
    """Create everything that *metadata* and the files under *sql_root* declare.

    Files named ``database.…`` run as the login, all else as *owner*, in an order that
    their headers allow; each file is one execution, so it may hold colons, percent
    signs and dollar quotes. *connection* must be in autocommit.

    Raises Refused naming the file or table that does not load, BadValue for the
    folder's own mistakes.
    """
    # every text runs once; preparing it would only forbid several statements in it
    connection.prepare_threshold = None
    order = load_order(read_sources(sql_root) if sql_root is not None else ())
    with connection.transaction():
        # its warnings are meant for those who install
        connection.execute("SET LOCAL client_min_messages = error")
        _run(connection, order.before, owner)
        for statement in table_statements(metadata):
            _execute(connection, statement, " ".join(statement.split())[:60])
        _run(connection, order.after, owner)
        connection.execute("RESET ROLE")


def table_statements(metadata: MetaData) -> Iterator[str]:
    """Yield the DDL of *metadata* with colons and percent signs as they stand."""
    from sqlalchemy import create_mock_engine  # noqa: PLC0415 - slow to import

    statements: list[str] = []

    def collect(ddl: Any, *_: object, **__: object) -> None:
        statements.append(str(ddl.compile(dialect=engine.dialect)))

    # any other paramstyle doubles percent signs
    engine: MockConnection = create_mock_engine(
        "postgresql+psycopg://", collect, paramstyle="named"
    )
    metadata.create_all(engine, checkfirst=False)
    yield from statements


def _run(
    connection: psycopg.Connection[Any], files: Iterable[SqlFile], owner: str | None
) -> None:
    for file in files:
        _become(connection, None if file.bootstrap else owner)
        _execute(connection, file.text, file.name)
    # the tables come next, or nothing
    _become(connection, owner)


def _become(connection: psycopg.Connection[Any], owner: str | None) -> None:
    role = sql.SQL("NONE") if owner is None else sql.Identifier(owner)
    try:
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(role))
    except psycopg.errors.InsufficientPrivilege as error:
        login = connection.info.user
        raise Refused(
            f"login {login!r} may not act as {owner}",
            hint=f'GRANT {owner} TO "{login}" WITH INHERIT FALSE, SET TRUE',
        ) from error


def _execute(connection: psycopg.Connection[Any], text: str, what: str) -> None:
    try:
        # without parameters psycopg sends the text as it stands
        connection.execute(text.encode())
    except psycopg.Error as error:
        raise Refused(
            f"the declared {what} does not load: {first_line(error)}",
            hint=error.diag.message_hint or "correct the file or the model",
        ) from error
