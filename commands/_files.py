"""Write generated files where they differ, and say which did."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ai_platform.errors import BadValue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["write_files"]


def write_files(
    folder: Path, files: Mapping[str, str], *, only_these: str | None = None
) -> list[dict[str, str]]:
    """Write *files* where they differ; with *only_these*, remove other matches.

    Returns one row per file changed: its name, and ``new``, ``changed`` or ``removed``.

    Raises BadValue when *folder* is a file or may not be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stale = {path.name for path in folder.glob(only_these)} if only_these else set()
        rows = [_remove(folder / name) for name in sorted(stale - files.keys())]
        rows += [_write(folder / name, text) for name, text in files.items()]
    except OSError as error:
        raise BadValue(f"cannot write {folder}: {error.strerror}") from None
    return [row for row in rows if row["change"] != "none"]


def _remove(path: Path) -> dict[str, str]:
    path.unlink()
    return {"file": path.name, "change": "removed"}


def _write(path: Path, text: str) -> dict[str, str]:
    data = text.encode()
    was = path.read_bytes() if path.is_file() else None
    if was != data:
        _replace(path, data)
    change = "new" if was is None else "none" if was == data else "changed"
    return {"file": path.name, "change": change}


def _replace(path: Path, data: bytes) -> None:
    """Put *data* in place of the file as a whole: nobody reads the half of it."""
    if path.exists() and not path.is_file():
        path.write_bytes(data)  # a device or a pipe stays what it is
        return
    path = path.resolve()  # a link goes on to lead to the file
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(data)
        if path.exists():
            part.chmod(path.stat().st_mode)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
