"""Write a detached partition to a file, and prove that it can be read back."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import quote

from psycopg import sql

from ai_platform.errors import BadValue

from ._archived_file import (
    GZIP,
    SUFFIX,
    ArchiveFault,
    Contents,
    Manifest,
    manifest_of,
    read_back,
    read_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import psycopg

    from ._attached import Leftover
    from ._policies import Parent

__all__ = ["Archive", "Archived"]

_PREFIX: Final = ".platform-"
_PART: Final = ".part"
_LONGEST_NAME: Final = 200
_PROBE_BYTES: Final = 4096
_BUFFER_BYTES: Final = 1 << 18
_TELL_EVERY_S: Final = 0.2

# The owner is under row security too: with a policy lost, COPY would write fewer rows
# and say nothing. Not forced, it is passed by; switched off, a filter is an error.
_UNFILTERED: Final = "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY"
_SETTINGS: Final = """
    SELECT set_config('row_security', 'off', true),
           set_config('synchronize_seqscans', 'off', true),
           set_config('extra_float_digits', '1', true),
           set_config('intervalstyle', 'postgres', true),
           set_config('bytea_output', 'hex', true),
           set_config('idle_in_transaction_session_timeout', '0', true)
"""
_COLUMNS: Final = """
    SELECT attname AS name, format_type(atttypid, atttypmod) AS type
      FROM pg_attribute
     WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
     ORDER BY attnum
"""
_COPY: Final = """
    COPY (SELECT {columns} FROM ONLY {table}) TO STDOUT
    (FORMAT csv, HEADER, ENCODING 'UTF8')
"""


@dataclass(frozen=True, slots=True)
class Archived:
    """A partition that is safe on disk; *is_new*: this run has written it."""

    path: Path
    rows: int
    file_bytes: int
    is_new: bool


class Archive:
    """A folder that archived partitions are written to.

    Raises BadValue when nothing can be written there.
    """

    def __init__(
        self, folder: Path, *, tell: Callable[[str], None] | None = None
    ) -> None:
        self.folder = folder.expanduser().absolute()
        self._tell = tell
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep()
            with self._part() as (_, file):
                # a full disk takes an empty file
                file.write(bytes(_PROBE_BYTES))
                file.flush()
        except OSError as error:
            raise BadValue(
                f"nothing can be archived in {self.folder}: {_words(error)}",
                hint="name a folder that can be written to",
            ) from None

    def keep(
        self, conn: psycopg.Connection[Any], parent: Parent, table: Leftover
    ) -> Archived:
        """Write the rows of *table*, read them back, and give the file its name.

        The caller holds a lock on *table* that keeps writers out, in a transaction
        that ends with the table: settings and row security are changed in it. A file
        of an earlier run that holds the same rows is kept instead.

        Raises ArchiveFault (disk full, what was read back differs) or psycopg.Error.
        """
        try:
            rows = _Rows(conn, table)
            return self._found(rows, parent) or self._written(rows, parent)
        except OSError as error:
            raise ArchiveFault(f"not archived: {_words(error)}") from None

    def _found(self, rows: _Rows, parent: Parent) -> Archived | None:
        """Return the file of an earlier run with exactly these rows, if there is one.

        Its manifest may be missing: the run died between the two.
        """
        table = None
        for path in self._names(rows.table):
            if not (path.exists() or manifest_of(path).exists()):
                return None
            held = _believed(path)
            if held is None or held.rows != rows.total:
                continue
            if table is None:
                table = rows.copy(lambda _: None)
            if (held.csv_sha256, held.csv_bytes) != table:
                continue
            if not manifest_of(path).exists():
                self._describe(path, rows.manifest(parent, held))
            return Archived(path, held.rows, held.file_bytes, is_new=False)
        return None

    def _written(self, rows: _Rows, parent: Parent) -> Archived:
        with self._part() as (part, file):
            told = self._write(rows, file)
            if self._tell:
                self._tell(f"reading back {rows.table.shown}: {rows.total:,} rows")
            held = read_back(part)
            if (held.rows, held.csv_sha256, held.file_sha256) != told:
                raise ArchiveFault(
                    f"what was read back of {rows.table.shown} is not what was written"
                )
            path = next(
                name
                for name in self._names(rows.table)
                if not manifest_of(name).exists() and _publish(part, name)
            )
        self._describe(path, rows.manifest(parent, held))
        return Archived(path, held.rows, held.file_bytes, is_new=True)

    def _write(self, rows: _Rows, file: BinaryIO) -> tuple[int, str, str]:
        """Write the rows to *file*; return their number and the two digests."""
        packer = zlib.compressobj(wbits=GZIP)
        packed = hashlib.sha256()
        told = monotonic()

        def put(data: bytes) -> None:
            packed.update(data)
            file.write(data)

        def write(block: bytes) -> None:
            nonlocal told
            put(packer.compress(block))
            if self._tell and monotonic() - told > _TELL_EVERY_S:
                told = monotonic()
                self._tell(f"archiving {rows.table.shown}: {rows.done:,} rows")

        digest, _ = rows.copy(write)
        put(packer.flush())
        file.flush()
        os.fsync(file.fileno())
        return rows.total, digest, packed.hexdigest()

    def _describe(self, path: Path, manifest: Manifest) -> None:
        with self._part() as (part, file):
            text = replace(manifest, archived_at=datetime.now(UTC).isoformat()).text()
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
            if not _publish(part, manifest_of(path)):
                raise ArchiveFault(f"{manifest_of(path)} was just made by another run")
        _sync_folder(self.folder)

    @contextmanager
    def _part(self) -> Iterator[tuple[Path, BinaryIO]]:
        """Give a new file under a name that no archive has; it is gone in the end."""
        part = self.folder / f"{_PREFIX}{secrets.token_hex(8)}{_PART}"
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
        descriptor = os.open(part, flags, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                # says to a sweep that this run is alive
                fcntl.flock(file, fcntl.LOCK_EX)
                yield part, file
        finally:
            part.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what runs left behind that were killed."""
        for part in self.folder.glob(f"{_PREFIX}*{_PART}"):
            with suppress(FileNotFoundError, BlockingIOError), part.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                part.unlink()

    def _names(self, table: Leftover) -> Iterator[Path]:
        """Yield the names that its file may have; nothing in them is a path."""
        name = f"{quote(table.schema, safe='')}.{quote(table.name, safe='')}"
        if len(name) > _LONGEST_NAME:
            digest = hashlib.sha256(table.shown.encode()).hexdigest()[:16]
            name = f"{name[:_LONGEST_NAME]}-{digest}"
        yield self.folder / f"{name}{SUFFIX}"
        for number in count(2):
            yield self.folder / f"{name}.{number}{SUFFIX}"


class _Rows:
    """The rows of a detached table, as often as they are asked for."""

    def __init__(self, conn: psycopg.Connection[Any], table: Leftover) -> None:
        self.conn = conn
        self.table = table
        self.done = 0
        conn.execute(sql.SQL(_UNFILTERED).format(table.identifier))
        conn.execute(_SETTINGS)
        self._columns = conn.execute(_COLUMNS, [table.oid]).fetchall()
        count_rows = sql.SQL("SELECT count(*) FROM ONLY {}").format(table.identifier)
        row = conn.execute(count_rows).fetchone()
        self.total = int(row[0]) if row else 0

    def copy(self, write: Callable[[bytes], object]) -> tuple[str, int]:
        """Give the rows to *write* as CSV; return the SHA-256 and the bytes of it.

        Raises ArchiveFault when the server sends another number than it counted.
        """
        statement = sql.SQL(_COPY).format(
            columns=sql.SQL(", ").join(
                sql.Identifier(name) for name, _ in self._columns
            ),
            table=self.table.identifier,
        )
        digest, size, buffer = hashlib.sha256(), 0, bytearray()
        self.done = -1  # the header

        def flush() -> None:
            nonlocal size
            size += len(buffer)
            digest.update(buffer)
            write(bytes(buffer))
            buffer.clear()

        with self.conn.cursor() as cursor:
            with cursor.copy(statement) as copied:
                for block in copied:
                    buffer += block
                    self.done += 1
                    if len(buffer) >= _BUFFER_BYTES:
                        flush()
            flush()
            if cursor.rowcount != self.total:
                raise ArchiveFault(
                    f"{self.table.shown}: the server counted {self.total} rows"
                    f" and sent {cursor.rowcount}"
                )
        return digest.hexdigest(), size

    def manifest(self, parent: Parent, held: Contents) -> Manifest:
        """Return what is to be said beside the file."""
        info = self.conn.info
        return Manifest(
            parent=f"{parent.schema}.{parent.name}",
            schema=self.table.schema,
            table=self.table.name,
            lower=self.table.bounds.lower.isoformat(),
            upper=self.table.bounds.upper.isoformat(),
            columns=[{"name": name, "type": kind} for name, kind in self._columns],
            rows=held.rows,
            csv_bytes=held.csv_bytes,
            csv_sha256=held.csv_sha256,
            file_bytes=held.file_bytes,
            file_sha256=held.file_sha256,
            database=info.dbname,
            server_version=info.parameter_status("server_version") or "",
            archived_at="",
        )


def _believed(path: Path) -> Contents | None:
    """Return what the file at *path* holds, unless its manifest says otherwise."""
    try:
        held = read_back(path)
        if manifest_of(path).exists() and read_manifest(path).contents != held:
            return None
    except (ArchiveFault, OSError):
        return None
    return held


def _publish(part: Path, path: Path) -> bool:
    """Give *part* the name *path*; False when something has it already."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        # a disk without second names: nothing else writes here between the two
        if os.path.lexists(path):
            return False
        part.rename(path)
    _sync_folder(path.parent)
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
