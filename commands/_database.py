"""A connection for a command: the schema is there, the role is the least."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ai_platform.errors import Refused

from ._read_only import explaining_read_only
from ._standing import require_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from psycopg import Connection

    from ai_platform.connection import Target

__all__ = ["database", "may_become", "session"]

_MAY_BECOME = """
SELECT r.rolname
  FROM unnest(%s::text[]) WITH ORDINALITY AS wanted(name, place)
  JOIN pg_catalog.pg_roles r ON r.rolname = wanted.name
 WHERE pg_catalog.pg_has_role(r.oid, 'SET')
 ORDER BY wanted.place
 LIMIT 1
"""


@contextmanager
def database(*roles: str) -> Iterator[Connection[Any]]:
    """Give one transaction under the first of *roles* that the login may take.

    The role ends with the transaction, so that a pooler in transaction mode never
    hands it to somebody else. Raises CannotConnect; Refused without a role, and
    where `require_schema` does.
    """
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow

    with session(resolve(), *roles) as begin, begin() as connection:
        yield connection


@contextmanager
def session(
    target: Target, *roles: str, hint: str | None = None, steady: bool = False
) -> Iterator[Callable[[], AbstractContextManager[Connection[Any]]]]:
    """Give a function that begins a transaction as `database` does, many times.

    One connection serves them all. *hint* is the next step for a login that may take
    none of *roles*. A *steady* transaction sees one moment, however long it reads.
    """
    from psycopg import IsolationLevel  # noqa: PLC0415 - slow to import

    from ai_platform.connection import connect  # noqa: PLC0415

    with explaining_read_only(target), connect(target) as connection:
        require_schema(connection, target)
        if steady:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ

        @contextmanager
        def begin() -> Iterator[Connection[Any]]:
            with connection.transaction():
                _become(connection, target, roles, hint)
                yield connection

        yield begin


def may_become(target: Target, *roles: str) -> str:
    """Return the first of *roles* that the login may take; raises as `session`."""
    with session(target, *roles) as begin, begin() as connection:
        query = "SELECT pg_catalog.current_setting('role')"
        return str(connection.execute(query).fetchall()[0][0])


def _become(
    connection: Connection[Any],
    target: Target,
    roles: tuple[str, ...],
    hint: str | None,
) -> None:
    from psycopg import sql  # noqa: PLC0415 - slow to import

    row = connection.execute(_MAY_BECOME, (list(roles),)).fetchone()
    if row is None:
        raise Refused(
            f"the login of {target.shown} may not act as {' or '.join(roles)}",
            hint=hint or f"GRANT {roles[-1]} to the login, or use a login that may",
        )
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(row[0])))
