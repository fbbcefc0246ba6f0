"""The folder of SQL files that declares what SQLAlchemy cannot say."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Final

from ai_platform.errors import BadValue

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["TABLES", "LoadOrder", "SqlFile", "load_order", "read_sources"]

TABLES: Final = "tables"
"""What a file requires that needs the tables of the metadata."""
_HEADER: Final = "-- requires:"


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One file: ``auth/uid.sql`` declares *name* ``auth.uid`` by its *text*."""

    name: str
    path: Path
    text: str
    requires: frozenset[str]

    @property
    def bootstrap(self) -> bool:
        """Return whether the login runs it: roles, extensions, rights, no objects."""
        return self.name.startswith("database.")

    @property
    def by_version(self) -> bool:
        """Return whether the file asks the server's version what to create."""
        return "server_version_num" in self.text


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """Files in the order that satisfies each: *before* the tables and *after* them."""

    before: tuple[SqlFile, ...]
    after: tuple[SqlFile, ...]


def read_sources(root: Path) -> tuple[SqlFile, ...]:
    """Return the files of ``<root>/<schema>/<object>.sql``, sorted by name.

    Raises BadValue for a missing folder or a file without its header line.
    """
    if not root.is_dir():
        raise BadValue(f"no folder of SQL files at {root}", hint="models/sql")
    return tuple(
        _parsed(path) for path in sorted(root.glob("*/*.sql"), key=lambda p: p.parts)
    )


def _parsed(path: Path) -> SqlFile:
    name = f"{path.parent.name}.{path.stem}"
    text = path.read_text(encoding="utf-8")
    first = text.partition("\n")[0]
    if not first.startswith(_HEADER):
        raise BadValue(
            f"{path.parent.name}/{path.name} does not begin with {_HEADER!r}",
            hint=f"write what it needs: {_HEADER} tables, auth.uid",
        )
    listed = (word.strip() for word in first.removeprefix(_HEADER).split(","))
    return SqlFile(name, path, text, frozenset(word for word in listed if word))


def load_order(files: Iterable[SqlFile]) -> LoadOrder:
    """Return *files* so that each comes after what it requires.

    Files that need `TABLES`, themselves or through others, come after the tables.

    Raises BadValue for a name that no file has and for files that need each other.
    """
    by_name = {file.name: file for file in files}
    for file in by_name.values():
        unknown = sorted(file.requires - by_name.keys() - {TABLES})
        if unknown:
            raise BadValue(
                f"{file.name} requires {unknown[0]!r}, which no file declares",
                hint="name a file as <schema>.<object>, or the word tables",
            )
    ordered = _sorted(by_name)
    late: set[str] = {TABLES}
    for file in ordered:
        if file.requires & late:
            late.add(file.name)
    return LoadOrder(
        before=tuple(file for file in ordered if file.name not in late),
        after=tuple(file for file in ordered if file.name in late),
    )


def _sorted(by_name: dict[str, SqlFile]) -> list[SqlFile]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name in sorted(by_name):
        sorter.add(name, *sorted(by_name[name].requires - {TABLES}))
    ordered: list[SqlFile] = []
    try:
        sorter.prepare()
    except CycleError as error:
        ring = " needs ".join(reversed(error.args[1]))
        raise BadValue(
            f"SQL files need each other: {ring}", hint="break the ring"
        ) from None
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.extend(by_name[name] for name in ready)
        sorter.done(*ready)
    return ordered
