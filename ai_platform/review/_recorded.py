"""Write down what a revision of Python says to the server, so that it is measured."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ai_platform import names
from ai_platform.catalog import snapshot
from ai_platform.catalog._made_roles import (
    drop_roles,
    name_back,
    named_roles,
    role_names,
    roles,
)
from ai_platform.connection import connect
from ai_platform.errors import BadValue, PlatformError
from ai_platform.identifiers import unquoted

from . import _evidence as evidence
from ._loops import gathered
from ._sessions import Worker
from ._words import words_of
from .scratch import clone
from .statements import run_plainly, split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.catalog import Snapshot
    from ai_platform.connection import Target

    from ._plan import Doing, Options, Plan
    from .scratch import Scratch
    from .sources import Recording
    from .statements import Statement

__all__ = [
    "AS_SAID",
    "is_of_alembic",
    "recorded",
    "refuses",
    "roles_dropped",
    "roles_undone",
    "spoken",
]

AS_SAID: Final = (
    "no SQL can be read beforehand: measured is what its Python said to the server on "
    "the rows made up here; on other rows it may say something else"
)
# a driver's exception, what Python raises by itself, and what ended it from outside
_FAULT: Final = re.compile(
    r"\b(sqlalchemy|psycopg2?|asyncpg|pg8000|alembic)\.|did not run within|"
    r"interpreter ended|\b(Attribute|Name|Type|Key|Index|Import|ModuleNotFound)Error:"
)
_NAME: Final = re.compile(r'"(?:[^"]|"")*"|[^\s".]+')
_MOST: Final = 200
_GONE_S: Final = 10.0
_OTHERS: Final = """
SELECT count(*) FROM pg_catalog.pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND backend_type = 'client backend'
"""
_WRITTEN: Final = """
SELECT relname, schemaname, n_tup_ins, n_tup_upd, n_tup_del
  FROM pg_catalog.pg_stat_user_tables
 WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND schemaname <> %s
"""
_WAYS: Final[tuple[Doing, ...]] = ("up", "down")


class _Gap(Exception):
    """What was written down is not what happened; the text says why."""


@dataclass(frozen=True, slots=True)
class _Copies:
    """Two copies of one database: Python runs in *theirs*, what it said in *ours*."""

    theirs: Target
    ours: Target
    options: Options

    def run(self, statements: tuple[Statement, ...], *places: Target) -> None:
        for place in places:
            with Worker(place, self.options.settings) as worker:
                run_plainly(worker.connection, statements)

    def differ(self) -> bool:
        """Return whether catalogs or rows written differ, but for Alembic's own."""
        table = self.options.version_table
        left, rows = _state(self.theirs)
        right, own_rows = _state(self.ours)
        changes = evidence.catalog_changes(left, right)
        return not (
            all(is_of_alembic(item.identity, table) for item in changes)
            and {name for name, *_ in rows ^ own_rows} <= {table.rpartition(".")[2]}
        )


def _state(place: Target) -> tuple[Snapshot, set[tuple[Any, ...]]]:
    """Return the catalog, and how many rows of each table were written."""
    with connect(place, application_name="platform-review") as connection:
        found = snapshot(connection, by_clock=False)
        deadline = time.monotonic() + _GONE_S
        # sessions count what they did when they end
        while connection.execute(_OTHERS).fetchone() != (0,):
            if time.monotonic() > deadline:
                raise _Gap("a session of its Python does not end")
            time.sleep(0.01)
        # the runner of the platform writes down what it runs; a revision does not
        written = connection.execute(_WRITTEN, [names.JOURNAL_SCHEMA])
        return found, set(written.fetchall())


def is_of_alembic(identity: str, version_table: str) -> bool:
    """Return whether an object is the table of versions, or a part of it."""
    own = version_table.rpartition(".")[2]
    # a constraint is named as its own name on that of its table
    names = [unquoted(name) for name in _NAME.findall(identity.rpartition(" on ")[2])]
    return bool(names) and (names[1:2] or names)[0] in (own, f"{own}_pkc")


@contextmanager
def roles_undone(server: Scratch) -> Iterator[list[Recording | None]]:
    """Drop the roles that a trial makes: they are the server's, and made once more.

    On a server of others only those that what was heard makes by name.
    """
    heard: list[Recording | None] = []
    with connect(server.control, application_name="platform-review") as connection:
        before = role_names(connection)
        yield heard
        name_back(connection, before)
        made = roles(connection) - set(before.values())
    if not server.is_own:
        made &= named_roles(said.sql for said in heard if said is not None)
    if made:
        with connect(server.place, application_name="platform-review") as connection:
            drop_roles(connection, made)


@contextmanager
def roles_dropped(server: Scratch) -> Iterator[list[Recording | None]]:
    """Drop in the end what `roles_undone` would; our own server goes with its roles."""
    if server.is_own:
        yield []
        return
    with roles_undone(server) as heard:
        yield heard


@contextmanager
def _copies(place: Target, options: Options) -> Iterator[_Copies]:
    with clone(place) as theirs, clone(place) as ours:
        yield _Copies(theirs, ours, options)


def recorded(server: Scratch, plan: Plan, options: Options) -> tuple[Plan, str | None]:
    """Return *plan* with the statements of its Python, and what is to be said of it.

    They were written down while it ran in a copy of the database of *server*. Where
    they do not do what it did, that way stays Python.
    """
    with roles_undone(server) as heard, _copies(server.place, options) as copies:
        try:
            for way in _WAYS:
                plan = _one_way(plan, way, copies, heard)
        except _Gap as gap:
            return plan, str(gap)
        except PlatformError:
            # measuring it as a whole tells what fails
            return plan, None
    return plan, AS_SAID


def _one_way(
    plan: Plan, way: Doing, copies: _Copies, heard: list[Recording | None]
) -> Plan:
    if way not in plan.online:
        if way == "up":
            _replay(plan.up, copies, copies.theirs, copies.ours)
        return plan
    run = copies.options.online
    url = copies.theirs.url
    said = run(plan.source.revision, url, way == "down") if run is not None else None
    if said is None:
        raise _Gap("nobody listened to its Python")
    heard.append(said)
    statements = _statements(said)
    # a role is made once on a server, whichever database it is for: no second trial
    if not named_roles(one.sql for one in heard if one is not None):
        _replay(statements, copies, copies.ours)
        if copies.differ():
            raise _Gap("what its Python said is not all that it did")
    online = plan.online - {way}
    if way == "down":
        return replace(plan, down=statements, online=online)
    return replace(plan, up=statements, online=online)


def _replay(
    statements: tuple[Statement, ...], copies: _Copies, *places: Target
) -> None:
    try:
        copies.run(statements, *places)
    except psycopg.Error as error:
        raise _Gap(f"what its Python said fails alone: {words_of(error)}") from None


def _statements(said: Recording) -> tuple[Statement, ...]:
    """Return the statements of *said*; raises what ends the recording."""
    if said.gap is not None:
        raise _Gap(said.gap)
    try:
        found = gathered(split(said.sql, in_transaction=said.in_transaction))
    except BadValue as error:
        raise _Gap(f"what its Python said cannot be read: {error.message}") from None
    if len(found) > _MOST:
        raise _Gap(f"its Python said {len(found):,} statements of many kinds")
    return found


def spoken(said: Recording | None) -> tuple[Statement, ...]:
    """Return the statements of Python, as far as they were written down."""
    try:
        return () if said is None else _statements(said)
    except _Gap:
        return ()


def refuses(error: str) -> bool:
    """Return whether a way down ended by what its author raised, not by a fault."""
    return _FAULT.search(error) is None
