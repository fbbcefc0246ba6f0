"""A server to review on: one of our own for a moment, or one that is given."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from ai_platform.catalog._made_roles import (
    drop_roles,
    mark,
    marked,
    name_back,
    named_roles,
    role_names,
    roles,
)
from ai_platform.catalog._role_state import (
    alters_roles,
    changed,
    is_named,
    role_state,
    set_back,
)
from ai_platform.catalog.scratch import (
    PREFIX,
    scratch_database,
    sweep,
    terminated_as_exit,
)
from ai_platform.connection import Target, connect, first_line
from ai_platform.errors import CannotConnect, PlatformError, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ai_platform.catalog._role_state import Facet
    from ai_platform.server import EmbeddedServer

    from .sources import RevisionSource

__all__ = ["OPTIONS", "Scratch", "clone", "scratch", "sql_of"]

OPTIONS: Final = {
    "fsync": "off",
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "8GB",
    "max_connections": "50",
}
"""What our own server is started with: faster, and nothing that a review measures."""
_FOLDER: Final = "platform-review-"
_OWN: Final = "scratch server"
_TURN: Final = 0x7265_7669_6577
_WAITS: Final = "platform-review-turn"
_ROOM_BYTES: Final = 100 << 20
_SEGMENT_BYTES: Final = 16 << 20
_RIGHTS: Final = """
SELECT a.privilege_type, r.rolname
  FROM pg_catalog.pg_database d CROSS JOIN LATERAL aclexplode(d.datacl) a
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
 WHERE d.datname = %s
"""
_IN_USE: Final = """
SELECT count(*) FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v', 'S') AND n.nspname !~ '^pg_'
   AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
"""


@dataclass(frozen=True, slots=True)
class Scratch:
    """An empty database *place*, and *control*, another one of the same server.

    *is_own*: nobody else uses the server, its settings may be changed.
    """

    place: Target
    control: Target
    is_own: bool


def sql_of(source: RevisionSource) -> str:
    """Return the SQL of *source*, both ways."""
    return f"{source.up_sql}\n{source.down_sql or ''}"


@contextmanager
def scratch(
    dsn: Target | None = None, *, insist: str | None = None, texts: Iterable[str] = ()
) -> Iterator[Scratch]:
    """Give an empty database, by default on a server of its own; remove both after.

    On the server of *dsn* a database is made beside the one named. That one must be
    empty, as a sign that the server is for this, or *insist* repeats its name. Roles
    that *texts*, the SQL to be run, make by name are dropped there afterwards, and
    what they change of roles that were there is set back. What else is new of roles
    and databases, or other than before, is told on stderr.

    Whatever ends the block removes what was made, SIGTERM and Ctrl-C too. What a
    killed process left is removed by the next.

    Raises Refused for a database in use, CannotConnect where no server starts.
    """
    if dsn is None:
        with _own_server() as found:
            yield found
        return
    _refuse_production(dsn, insist)
    with _roles_removed(dsn, texts) as made, scratch_database(dsn) as place:
        # where the login may make no database, an embedded server stands in
        stands_in = place.with_database("x") != dsn.with_database("x")
        control = place.with_database("postgres") if stands_in else dsn
        if made and not stands_in:
            with connect(control, application_name=place.database) as connection:
                mark(connection, place.database, made)
        yield Scratch(place, control, is_own=stands_in)


def _refuse_production(dsn: Target, insist: str | None) -> None:
    with connect(dsn, application_name="platform-review") as connection:
        row = connection.execute(_IN_USE).fetchone() or (0,)
        name = connection.info.dbname
    if row[0] and insist != name:
        raise Refused(
            f"database {name!r} of {dsn.shown} is in use: it holds {row[0]} "
            f"relation{'s' * (row[0] > 1)}",
            hint="name an empty database of a server for tests; to review on this "
            f"server all the same, repeat the name: --insist {name}",
        )


@contextmanager
def _roles_removed(dsn: Target, texts: Iterable[str]) -> Iterator[set[str]]:
    """Give the roles that *texts* make and that are not there; drop them in the end.

    Reviews that make or alter roles take turns: each would find what the other did.
    """
    texts = tuple(texts)
    with ExitStack() as stack:
        if named_roles(texts) or alters_roles(texts):
            stack.enter_context(_turn(dsn))
        with connect(dsn, application_name="platform-review") as connection:
            sweep(connection)
            names, databases = role_names(connection), _databases(connection)
            state = role_state(connection, besides=PREFIX)
        before = set(names.values())
        made = named_roles(texts, before)
        try:
            yield made
        finally:
            # what ended the review is told, not that the server has gone with it
            with suppress(PlatformError, psycopg.Error):
                _drop_roles(dsn, names, made, databases)
            with suppress(PlatformError, psycopg.Error):
                _set_back(dsn, state, texts)


@contextmanager
def _turn(dsn: Target) -> Iterator[None]:
    """Wait for other reviews that make roles; our own turn ends with the block.

    Locks of this kind count in one database only: in that which every server has.
    Such a review was not asked to be quick, so we wait as long as it takes.
    """
    try:
        common = connect(dsn.with_database("postgres"), application_name=_WAITS)
    except PlatformError:
        common = connect(dsn, application_name=_WAITS)
    with common as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_TURN]).fetchone()
        if row != (True,):
            told = "platform: waiting for another review that makes roles there"
            print(told, file=sys.stderr, flush=True)  # noqa: T201 - it may take minutes
            connection.execute("SELECT pg_advisory_lock(%s)", [_TURN])
        yield


def _drop_roles(
    dsn: Target, names: Mapping[int, str], made: set[str], databases: set[str]
) -> None:
    """Drop the roles *made*; tell what else has come since there were *names*."""
    before = set(names.values())
    with connect(dsn, application_name="platform-review") as connection:
        left = name_back(connection, names)
        left |= drop_roles(connection, made - set(left))
        told = [f"role {name!r} ({reason})" for name, reason in left.items()]
        others = sorted(roles(connection) - before - made - set(left))
        told += [f"role {name!r} (the SQL does not name it)" for name in others]
        others = sorted(_databases(connection) - databases)
        told += [f"database {name!r}" for name in others]
    if told:
        line = f"platform: new on {dsn.shown}, and still there: {', '.join(told)}"
        print(line, file=sys.stderr)  # noqa: T201 - whatever ends the review


def _set_back(
    dsn: Target, before: Mapping[Facet, str | None], texts: Sequence[str]
) -> None:
    """Set back what *texts* changed of the roles that were there *before*; tell else.

    What others changed meanwhile is theirs: it is told.
    """
    told: list[str] = []
    with connect(dsn, application_name="platform-review") as connection:
        login = connection.info.user
        for facet in changed(before, role_state(connection, besides=PREFIX)):
            reason: str | None = "the SQL does not name it"
            if is_named(facet, texts, login):
                reason = set_back(connection, facet, before.get(facet))
            if reason is not None:
                told.append(f"{facet.shown} ({reason})")
    if told:
        line = f"platform: other than before on {dsn.shown}: {', '.join(told)}"
        print(line, file=sys.stderr)  # noqa: T201 - whatever ends the review


def _databases(connection: psycopg.Connection[Any]) -> set[str]:
    """Return all databases but those that reviews make for a while."""
    query = "SELECT datname::text FROM pg_database WHERE NOT starts_with(datname, %s)"
    return {name for (name,) in connection.execute(query, [PREFIX]).fetchall()}


@contextmanager
def _own_server() -> Iterator[Scratch]:
    from ai_platform.server.temporary import (  # noqa: PLC0415 - starts processes
        MORE_ROOM,
        temporary_server,
    )

    with terminated_as_exit(), temporary_server(_FOLDER, options=OPTIONS) as server:
        folder = Path(tempfile.gettempdir())
        try:
            _start(server, folder)
            control = Target(server.url("postgres"), _OWN)
            with scratch_database(control) as place:
                yield Scratch(place, control, is_own=True)
        except (psycopg.Error, PlatformError) as error:
            # what did not fit has often made room again by being undone
            is_told = "No space left" in str(error)
            if not is_told and shutil.disk_usage(folder).free > _SEGMENT_BYTES:
                raise
            raise Refused(
                f"no space left for the scratch server in {folder}: "
                f"{first_line(error)}",
                hint=f"{MORE_ROOM}; or review with fewer --rows",
            ) from error
        except OSError as error:
            raise CannotConnect(
                f"no scratch server can be kept in {folder}: {error.strerror}",
                hint=MORE_ROOM,
            ) from error


def _start(server: EmbeddedServer, folder: Path) -> None:
    """Start *server*; where there is no room for it, TMPDIR is what helps."""
    from ai_platform.server.temporary import MORE_ROOM  # noqa: PLC0415

    try:
        server.start()
    except PlatformError as error:
        if shutil.disk_usage(folder).free > _ROOM_BYTES:
            raise
        raise CannotConnect(
            f"no space for a scratch server in {folder}: {error.message}",
            hint=MORE_ROOM,
        ) from error


@contextmanager
def clone(source: Target) -> Iterator[Target]:
    """Give a copy of the database *source*, which nobody may be connected to.

    Roles that come meanwhile, as far as they are the review's, go with it: what is
    tried on a copy is done again elsewhere.

    Raises Refused where it cannot be made, as on a full disk.
    """
    name = f"{PREFIX}{os.getpid()}_{secrets.token_hex(4)}"
    control = source.with_database("postgres")
    with connect(control, application_name=name) as holder:
        before = role_names(holder)
        _copy(holder, source.database, name)
        try:
            _copy_rights(holder, source.database, name)
            yield source.with_database(name)
        finally:
            statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            holder.execute(statement.format(sql.Identifier(name)))
            is_own = source.source == _OWN
            made = roles(holder) if is_own else set(marked(holder, source.database))
            name_back(holder, before)
            drop_roles(holder, made - set(before.values()))


def _copy_rights(holder: psycopg.Connection[Any], source: str, name: str) -> None:
    """Give on database *name* what was given on *source*; CREATE DATABASE does not."""
    database = sql.Identifier(name)
    for right, grantee in holder.execute(_RIGHTS, [source]).fetchall():
        to = sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC")
        statement = sql.SQL("GRANT {} ON DATABASE {} TO {}")
        holder.execute(statement.format(sql.SQL(right), database, to))


def _copy(holder: psycopg.Connection[Any], source: str, name: str) -> None:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    try:
        holder.execute(statement.format(sql.Identifier(name), sql.Identifier(source)))
    except psycopg.Error as error:
        sweep(holder)
        raise Refused(
            f"the scratch database cannot be copied: {first_line(error)}",
            hint="free some space on the disk of the scratch server",
        ) from None
