"""What an archived partition is on disk: compressed CSV, and a manifest beside it."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = [
    "FORMAT",
    "GZIP",
    "SUFFIX",
    "ArchiveFault",
    "Contents",
    "Manifest",
    "RowCounter",
    "blocks",
    "manifest_of",
    "read_back",
    "read_manifest",
    "verified",
]

FORMAT: Final = 1
SUFFIX: Final = ".csv.gz"

_CHUNK_BYTES: Final = 1 << 18
GZIP: Final = 31
"""Zlib's own number for: a gzip header and trailer around the data."""


class ArchiveFault(Exception):
    """An archive that cannot be written or believed; the text says why."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file was found to hold; the header is no row."""

    rows: int
    csv_bytes: int
    csv_sha256: str
    file_bytes: int
    file_sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archived file is said to hold; bounds are ISO in UTC."""

    parent: str
    schema: str
    table: str
    lower: str
    upper: str
    columns: list[dict[str, str]]
    rows: int
    csv_bytes: int
    csv_sha256: str
    file_bytes: int
    file_sha256: str
    database: str
    server_version: str
    archived_at: str
    format: int = field(default=FORMAT)

    @property
    def contents(self) -> Contents:
        """Return what the file must be found to hold."""
        return Contents(
            self.rows,
            self.csv_bytes,
            self.csv_sha256,
            self.file_bytes,
            self.file_sha256,
        )

    def text(self) -> str:
        """Return it as it stands in its file."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"


class RowCounter:
    """Counts the lines of CSV that PostgreSQL wrote; line ends in values are none."""

    def __init__(self) -> None:
        self.lines = 0
        self._is_quoted = False

    def update(self, data: bytes) -> None:
        """Take the next part of the text, cut anywhere."""
        # a doubled quote changes the state twice, which is what it means
        for index, part in enumerate(data.split(b'"')):
            if index:
                self._is_quoted = not self._is_quoted
            if not self._is_quoted:
                self.lines += part.count(b"\n")

    @property
    def rows(self) -> int:
        """Return the rows seen so far, without the header."""
        return max(0, self.lines - 1)


def manifest_of(path: Path) -> Path:
    """Return where the manifest of the file at *path* is."""
    return path.with_name(f"{path.name}.json")


def read_manifest(path: Path) -> Manifest:
    """Return what the manifest of the file at *path* says.

    Raises ArchiveFault when there is none that can be understood; OSError.
    """
    try:
        found: Any = json.loads(manifest_of(path).read_text(encoding="utf-8"))
        manifest = _sound(Manifest(**found))
    except FileNotFoundError:
        raise ArchiveFault(f"{path.name} has no manifest beside it") from None
    except (ValueError, TypeError, KeyError):
        raise ArchiveFault(f"the manifest of {path.name} cannot be read") from None
    if manifest.format != FORMAT:
        raise ArchiveFault(
            f"the manifest of {path.name} has format {manifest.format!r}, not {FORMAT}"
        )
    return manifest


def _sound(manifest: Manifest) -> Manifest:
    """Return *manifest*, whose bounds and columns are such as were written.

    Raises ValueError, TypeError or KeyError.
    """
    lower = datetime.fromisoformat(manifest.lower)
    upper = datetime.fromisoformat(manifest.upper)
    # a time with a zone and one without do not compare
    if not (lower < upper and lower.tzinfo):
        raise ValueError("bounds")
    texts = [manifest.parent]
    for column in manifest.columns:
        texts += column["name"], column["type"]
    if len(texts) == 1 or not all(isinstance(text, str) for text in texts):
        raise TypeError("columns")
    return manifest


def verified(path: Path) -> Manifest:
    """Return the manifest of the file at *path*, which was found to be as it says.

    Raises ArchiveFault (no manifest, damaged, another file); OSError.
    """
    manifest = read_manifest(path)
    if read_back(path) != manifest.contents:
        raise ArchiveFault(f"{path.name} is not the file that its manifest describes")
    return manifest


def read_back(path: Path) -> Contents:
    """Read the file at *path* from disk and say what it holds, piece by piece.

    Raises ArchiveFault when it is no whole gzip file; OSError.
    """
    file_hash, csv_hash, counter = hashlib.sha256(), hashlib.sha256(), RowCounter()
    file_bytes = csv_bytes = 0

    def seen(raw: bytes) -> None:
        nonlocal file_bytes
        file_hash.update(raw)
        file_bytes += len(raw)

    for block in blocks(path, seen):
        csv_hash.update(block)
        counter.update(block)
        csv_bytes += len(block)
    return Contents(
        counter.rows, csv_bytes, csv_hash.hexdigest(), file_bytes, file_hash.hexdigest()
    )


def blocks(path: Path, seen: Callable[[bytes], None]) -> Iterator[bytes]:
    """Yield the text in the file at *path*; call *seen* with each piece of the file.

    Raises ArchiveFault when it is no whole gzip file; OSError.
    """
    unpack = zlib.decompressobj(GZIP)
    with path.open("rb") as file:
        while raw := file.read(_CHUNK_BYTES):
            seen(raw)
            try:
                # in bounds: a small piece of a file may unpack to a thousand times it
                while block := unpack.decompress(raw, _CHUNK_BYTES):
                    yield block
                    raw = unpack.unconsumed_tail
            except zlib.error:
                raise ArchiveFault(f"{path.name} is damaged: it is no gzip") from None
            if unpack.unused_data:
                raise ArchiveFault(f"{path.name} is damaged: something follows it")
    if not unpack.eof:
        raise ArchiveFault(f"{path.name} is damaged: its end is missing")
