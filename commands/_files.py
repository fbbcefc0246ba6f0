"""Write generated files where they differ, and say which did."""

from __future__ import annotations

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
    was = path.read_text(encoding="utf-8") if path.exists() else None
    if was != text:
        path.write_text(text, encoding="utf-8")
    change = "new" if was is None else "none" if was == text else "changed"
    return {"file": path.name, "change": change}
