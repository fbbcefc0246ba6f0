"""Load an archived partition back: into the table it left, or one of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from psycopg import Error, errors, sql

from ai_platform.connection import first_line
from ai_platform.errors import BadValue, Refused
from ai_platform.text import quoted

from ._archived_file import ArchiveFault, Manifest, blocks, verified
from ._attached import partitions_of
from ._bounds import Bounds, gaps
from ._policies import policy_of
from ._session import session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import psycopg

__all__ = ["Restored", "checked", "restore"]

_STAGE: Final = sql.Identifier("pg_temp", "archived_rows")
_COPY: Final = """
    COPY {table} ({columns}) FROM STDIN (FORMAT csv, HEADER match, ENCODING 'UTF8')
"""
_INSERT: Final = """
    INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
    SELECT {columns} FROM {stage}
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """An archived file and where its rows went; *is_done* is false in a dry run."""

    file: Path
    into: str
    rows: int
    lower: datetime
    upper: datetime
    is_done: bool


def checked(file: Path) -> Manifest:
    """Return the manifest of *file*, after the file was read and found to be as told.

    Raises BadValue (no such file) or Refused (damaged, changed, no manifest).
    """
    if not file.is_file():
        raise BadValue(
            f"there is no file {file}", hint="name the .csv.gz of an archive"
        )
    try:
        return verified(file)
    except ArchiveFault as fault:
        raise Refused(
            str(fault), hint="take another copy of the file and of its .json"
        ) from None
    except OSError as error:
        raise BadValue(
            f"{file} cannot be read: {(error.strerror or str(error)).lower()}"
        ) from None


def restore(
    conn: psycopg.Connection[Any],
    file: Path,
    *,
    into: str | None = None,
    dry_run: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Restored:
    """Load *file*, all of it or nothing, after its checksums were verified.

    The rows go into the table they left, whose partitions must cover them, or into
    a new table *into* (schema.table) that belongs to the owner. *tell* hears how far
    it is.

    Raises BadValue (*file*, *into*) or Refused (damaged, no partition, rows that are
    there already).
    """
    manifest = checked(file)
    with session(conn, writes=not dry_run):
        table = _named(into) if into else _covering(conn, manifest)
        if into:
            _refuse_existing(conn, into)
        if not dry_run:
            _load(conn, manifest, _Load(file, table, is_new=bool(into), tell=tell))
    return Restored(
        file,
        into or manifest.parent,
        manifest.rows,
        datetime.fromisoformat(manifest.lower),
        datetime.fromisoformat(manifest.upper),
        is_done=not dry_run,
    )


@dataclass(frozen=True, slots=True)
class _Load:
    file: Path
    table: sql.Identifier
    is_new: bool
    tell: Callable[[str], None] | None


def _named(text: str) -> sql.Identifier:
    schema, dot, name = text.partition(".")
    if not (schema and dot and name) or "." in name:
        raise BadValue(
            f"a table is named as schema.table, got {quoted(text)}",
            hint="write --into schema.table",
        )
    return sql.Identifier(schema, name)


def _refuse_existing(conn: psycopg.Connection[Any], into: str) -> None:
    query = """SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = %s AND c.relname = %s"""
    if conn.execute(query, into.split(".")).fetchone() is not None:
        raise BadValue(f"table {into} exists already", hint="name a new one")


def _covering(conn: psycopg.Connection[Any], manifest: Manifest) -> sql.Identifier:
    """Return the table that the rows left, if its partitions cover them all.

    A manifest that somebody has changed may name any table: only one of ours that is
    partitioned by time is taken.
    """
    try:
        policy_of(conn, manifest.parent)
    except BadValue as error:
        raise Refused(
            f"rows are loaded back into partitioned tables only: {error.message}",
            hint="load them --into schema.table",
        ) from None
    row = conn.execute("SELECT to_regclass(%s)::oid", [manifest.parent]).fetchone()
    oid = row[0] if row else None
    taken = [one.bounds for one in partitions_of(conn, oid or 0) if not one.is_pending]
    wanted = Bounds(
        datetime.fromisoformat(manifest.lower), datetime.fromisoformat(manifest.upper)
    )
    if manifest.rows and gaps(wanted, taken):
        raise Refused(
            f"{manifest.parent} has no partition for rows"
            f" from {wanted.lower:%Y-%m-%d} to {wanted.upper:%Y-%m-%d}",
            hint=f"platform partitions apply --at {wanted.lower:%Y-%m-%d}, with a"
            " retention that keeps them; or load them --into schema.table",
        )
    return _named(manifest.parent)


def _load(conn: psycopg.Connection[Any], manifest: Manifest, load: _Load) -> None:
    try:
        with conn.transaction():
            if load.is_new:
                conn.execute(_table_like(conn, manifest, load.table))
            arrived = _copied(conn, manifest, load)
            if arrived != manifest.rows:
                raise Refused(
                    f"{arrived} rows arrived, {manifest.rows} were sent:"
                    f" something of {manifest.parent} keeps the others out"
                )
    except errors.UniqueViolation:
        raise Refused(
            f"rows of {load.file.name} are in {manifest.parent} already",
            hint="nothing was loaded; load them --into schema.table to compare",
        ) from None
    except Error as error:
        if conn.closed:
            raise
        raise Refused(f"{load.file.name} was not loaded: {first_line(error)}") from None


def _copied(conn: psycopg.Connection[Any], manifest: Manifest, load: _Load) -> int:
    """Send the rows; return how many the table has taken."""
    columns = sql.SQL(", ").join(
        sql.Identifier(column["name"]) for column in manifest.columns
    )
    row = conn.execute(
        "SELECT row_security_active(%s::regclass)", [load.table.as_string(conn)]
    ).fetchone()
    if not (row and row[0]):
        return _send(conn, load, load.table, columns)
    # COPY is refused under row security, INSERT is not
    conn.execute(_table_like(conn, manifest, _STAGE))
    _send(conn, load, _STAGE, columns)
    insert = sql.SQL(_INSERT).format(table=load.table, columns=columns, stage=_STAGE)
    arrived = conn.execute(insert).rowcount
    conn.execute(sql.SQL("DROP TABLE {}").format(_STAGE))
    return arrived


def _send(
    conn: psycopg.Connection[Any],
    load: _Load,
    table: sql.Identifier,
    columns: sql.Composed,
) -> int:
    done = 0

    def seen(raw: bytes) -> None:
        nonlocal done
        done += len(raw)
        if load.tell:
            load.tell(f"loading {load.file.name}: {done:,} bytes read")

    with conn.cursor() as cursor:
        statement = sql.SQL(_COPY).format(table=table, columns=columns)
        with cursor.copy(statement) as copy:
            for block in blocks(load.file, seen):
                copy.write(block)
        return cursor.rowcount


def _table_like(
    conn: psycopg.Connection[Any], manifest: Manifest, table: sql.Identifier
) -> sql.Composed:
    """Return the statement that makes *table* with the columns of the file."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(
            sql.Identifier(column["name"]), _type(conn, column["type"])
        )
        for column in manifest.columns
    )
    return sql.SQL("CREATE TABLE {} ({})").format(table, columns)


def _type(conn: psycopg.Connection[Any], text: str) -> sql.SQL:
    """Return the name of a type for a statement.

    It comes from a file that somebody may have changed: only what the server reads
    as nothing but a type passes.
    """
    try:
        row = conn.execute("SELECT to_regtype(%s)::oid", [text]).fetchone()
    except Error as error:
        if conn.closed:
            raise
        row = None
        reason = first_line(error)
    else:
        reason = "there is none"
    if row is None or row[0] is None:
        raise Refused(f"the manifest names a type {quoted(text)}: {reason}")
    return sql.SQL(text)
