"""A revision ready to be measured, and what is told while that goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ai_platform.connection import connect
from ai_platform.identifiers import quoted
from ai_platform.names import VERSION_TABLE

from .statements import split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_platform.catalog import Snapshot
    from ai_platform.connection import Target

    from ._promises import Promise
    from .compatibility import Statement as Query
    from .sources import Recording, RevisionSource
    from .statements import Statement

__all__ = [
    "Doing",
    "Online",
    "Options",
    "Plan",
    "Told",
    "found_version_schema",
    "version_table_sql",
]

Online = Callable[[str, str, bool], "Recording | None"]
"""Runs a revision of a project, named first, on the database of a URL; True: down.

It returns what the revision said to the server; None: nobody listened.
"""
Doing = Literal[
    "base",
    "rows",
    "find tables",
    "find statements",
    "stop and repeat",
    "up",
    "down",
    "up again",
]


@dataclass(frozen=True, slots=True)
class Told:
    """What is being done for *revision*: number *number* of *total*, where known.

    For ``base`` revisions are counted, for ``rows`` those of *detail*, a table, and
    for a way up or down its statements. *round* says that it is done once more.
    """

    revision: str
    doing: Doing
    number: int = 0
    total: int = 0
    detail: str = ""
    round: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """How revisions are measured; see `measure`."""

    settings: Mapping[str, str]
    rows: int
    limit_s: float
    version_table: str
    tell: Callable[[Told], None]
    look: Callable[[str, Snapshot, Snapshot], None]
    online: Online | None = None
    queries: tuple[Query, ...] = ()
    promises: tuple[Promise, ...] = ()
    """What the rows that are made up are to hold besides."""
    edges: bool = True
    """Whether some of them stand at the edges of their types."""
    referred: bool = True
    """Whether rows that are to stay refer to those that go."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The statements of a revision both ways; *down* is None where it has no way.

    *founding* makes the table in which Alembic keeps the version. Alembic does that
    once, before a first revision, and no way down takes it back. *online* are the
    ways that only Python can go.
    """

    source: RevisionSource
    up: tuple[Statement, ...]
    down: tuple[Statement, ...] | None
    founding: tuple[Statement, ...] = ()
    online: frozenset[Doing] = frozenset()

    @classmethod
    def only_up(cls, source: RevisionSource, version_table: str) -> Plan:
        """Return the plan of *source* without its way down."""
        alone = replace(source, down_sql=None, down_error=None)
        return cls.of(alone, version_table)

    @classmethod
    def of(cls, source: RevisionSource, version_table: str = VERSION_TABLE) -> Plan:
        """Return the plan of *source*; raises UnreadableSql for SQL that is none."""
        name = f"{source.file}: SQL of revision {source.revision}"
        up = split(source.up_sql, in_transaction=source.up_in_transaction, name=name)
        founding = tuple(item for item in up if _founds(item, version_table))
        up = tuple(item for item in up if item not in founding)
        if source.down_revision is None and not founding:
            founding = split(version_table_sql(version_table))
        online: set[Doing] = {"up"} if source.offline_error is not None else set()
        down: tuple[Statement, ...] | None = None
        if source.down_error is not None:
            online.add("down")
            down = ()
        elif source.down_sql is not None:
            down = split(
                source.down_sql,
                in_transaction=source.down_in_transaction,
                name=name.replace("SQL of", "SQL of the way down of", 1),
            )
        return cls(source, up, down, founding, frozenset(online))

    def each_alone(self) -> Plan:
        """Return the same plan for a session that commits each statement alone."""
        down = None if self.down is None else tuple(map(_alone, self.down))
        return replace(self, up=tuple(map(_alone, self.up)), down=down)


def _alone(statement: Statement) -> Statement:
    return replace(statement, transaction=None)


def _founds(statement: Statement, version_table: str) -> bool:
    names = [name for _, name in statement.relations]
    return statement.tag == "CREATE TABLE" and names == [
        version_table.rpartition(".")[2]
    ]


def found_version_schema(place: Target, version_table: str) -> None:
    """Make the schema of *version_table* in *place*: Alembic expects it there."""
    schema, _, _ = version_table.rpartition(".")
    if schema:
        with connect(place, application_name="platform-review") as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}".encode())


def version_table_sql(version_table: str) -> str:
    """Return the SQL by which Alembic would make *version_table*, where it can be."""
    schema, _, name = version_table.rpartition(".")
    table = ".".join(map(quoted, filter(None, (schema, name))))
    column = "version_num varchar(32) NOT NULL"
    key = f"CONSTRAINT {quoted(f'{name}_pkc')} PRIMARY KEY (version_num)"
    where = "'" + schema.replace("'", "''") + "'"
    return f"""DO $founding$ BEGIN
        IF {where} IN ('', (SELECT nspname FROM pg_catalog.pg_namespace
                             WHERE nspname = {where})) THEN
            CREATE TABLE IF NOT EXISTS {table} ({column}, {key});
        END IF;
    END $founding$"""
