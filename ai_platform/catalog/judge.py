"""Hold a database against its declaration, and renew what a newer server made old."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from ai_platform import names
from ai_platform.connection import connect

from .difference import WHOLE, Difference, diff
from .reference import reference
from .snapshot import snapshot
from .sources import load_order, read_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import psycopg
    from sqlalchemy import MetaData

    from ai_platform.connection import Target

    from ._objects import Snapshot
    from .sources import SqlFile

__all__ = ["Verdict", "check", "judge", "refresh", "sort_out"]

_OF_FILES = ("function", "procedure", "view")
# ICU or not, one set of contributed modules or another: the server's build decides.
_OF_SERVER = ("collation", "extension")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What distinguishes a database from its declaration.

    *drift* must be explained or undone. *outdated* differs because the database was
    carried to this server: the server's version chooses the text, or the dump left
    rights behind; `refresh` renews it from *files*. *notes* are the operator's
    choices and no fault.
    """

    drift: tuple[Difference, ...]
    outdated: tuple[Difference, ...]
    notes: tuple[Difference, ...]
    files: tuple[SqlFile, ...] = ()

    @property
    def clean(self) -> bool:
        """Return whether the database is what was declared."""
        return not self.drift and not self.outdated

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as a JSON object."""
        return {
            "clean": self.clean,
            "drift": [item.to_dict() for item in self.drift],
            "refresh": [item.to_dict() for item in self.outdated],
            "notes": [item.to_dict() for item in self.notes],
            "files": [file.name for file in self.files],
        }


def check(
    target: Target,
    metadata: MetaData,
    sql_root: Path,
    *,
    owner: str | None = names.OWNER,
    any_major: bool = True,
) -> Verdict:
    """Compare the database of *target* with what *metadata* and *sql_root* declare.

    Writes nothing to it; see `reference` for where the other side is built. A login
    that may not create a database, on a server of another major version than the
    embedded one, still gets its verdict: what the server's version decides is then a
    note. Without *any_major* it is Refused.
    """
    expected = reference(target, metadata, sql_root, owner=owner, any_major=any_major)
    with connect(target) as connection:
        _become(connection, owner)
        actual = snapshot(connection)
    return judge(expected, actual, read_sources(sql_root))


def judge(expected: Snapshot, actual: Snapshot, files: Sequence[SqlFile]) -> Verdict:
    """Return what distinguishes *actual* from *expected*, sorted by what to do."""
    majors = {side.server_version // 10000 for side in (expected, actual)}
    verdict = sort_out(diff(expected, actual), files)
    if len(majors) == 1:
        return verdict
    # Built on another major version: what versions decide cannot be judged there.
    unjudged = [item for item in verdict.drift if item.kind in _OF_SERVER]
    unjudged += [item for item in verdict.outdated if item.kind in _OF_FILES]
    return Verdict(
        drift=tuple(item for item in verdict.drift if item not in unjudged),
        outdated=tuple(item for item in verdict.outdated if item not in unjudged),
        notes=(*verdict.notes, *unjudged),
        files=tuple(file for file in verdict.files if not file.by_version),
    )


def _become(connection: psycopg.Connection[Any], owner: str | None) -> None:
    """Act as *owner* where that is allowed: it may read the partition policies."""
    query = """SELECT 1 FROM pg_roles
                WHERE rolname = %s AND pg_has_role(session_user, oid, 'SET')"""
    if owner is not None and connection.execute(query, [owner]).fetchone():
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(owner)))


def sort_out(differences: Iterable[Difference], files: Sequence[SqlFile]) -> Verdict:
    """Tell drift from what `refresh` would renew and from the operator's choices."""
    by_name = {file.name: file for file in files}
    drift: list[Difference] = []
    outdated: list[Difference] = []
    notes: list[Difference] = []
    renewing: set[SqlFile] = set()
    for item in differences:
        file = by_name.get(_renewed_by(item))
        if item.weak:
            notes.append(item)
        elif file is None or not (file.by_version or file.bootstrap):
            drift.append(item)
        else:
            outdated.append(item)
            renewing.add(file)
    order = load_order(files)
    ordered = tuple(f for f in (*order.before, *order.after) if f in renewing)
    return Verdict(tuple(drift), tuple(outdated), tuple(notes), ordered)


def _renewed_by(item: Difference) -> str:
    """Return the name of the file that could make *item* right, or an empty text."""
    if item.property == WHOLE:
        # what is missing comes from a revision: refresh makes nothing new
        return ""
    if item.kind in _OF_FILES:
        return item.identity.partition("(")[0].replace('"', "")
    if item.kind == "database" and _pairs(item.actual) < _pairs(item.expected):
        # a dump leaves the rights on the database itself behind
        return "database.rights"
    return ""


def _pairs(rights: Iterable[str] | None) -> set[tuple[str, str]]:
    """Return *rights* as pairs of role and privilege."""
    split = (line.partition(": ") for line in rights or ())
    return {(role, right) for role, _, all_ in split for right in all_.split(", ")}


def refresh(
    target: Target,
    metadata: MetaData,
    sql_root: Path,
    *,
    dry_run: bool = False,
    owner: str = names.OWNER,
) -> Verdict:
    """Run again the files whose objects a newer server version makes differently.

    All in one transaction, as *owner* (rights on the database as the login); with
    *dry_run* only say which. Returns the verdict from before: *outdated* is what was,
    or would be, renewed.
    """
    verdict = check(target, metadata, sql_root, owner=owner, any_major=False)
    if dry_run or not verdict.files:
        return verdict
    with connect(target, application_name="platform-refresh") as connection:
        connection.prepare_threshold = None
        with connection.transaction():
            for file in verdict.files:
                role = sql.SQL("NONE") if file.bootstrap else sql.Identifier(owner)
                connection.execute(sql.SQL("SET LOCAL ROLE {}").format(role))
                connection.execute(file.text.encode())
    return verdict
