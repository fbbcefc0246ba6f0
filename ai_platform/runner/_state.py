"""Where a database stands: its revision, what is missing, what ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg.rows import dict_row

from ai_platform.connection import connect, first_line
from ai_platform.errors import Refused
from ai_platform.names import JOURNAL_SCHEMA, OWNER, VERSION_TABLE, VERSION_TABLE_SCHEMA
from ai_platform.settings import CHECKOUT

from ._faults import translate
from ._preflight import facts, refuse_server, refuse_unknown_revision
from .offline import Revision, revisions

if TYPE_CHECKING:
    from ai_platform.connection import Target

__all__ = ["State", "runs", "state"]

_HAS_JOURNAL = """
SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = %s AND c.relname = 'journal')
"""


@dataclass(frozen=True, slots=True)
class State:
    """The revision of one database among the revisions of this checkout."""

    heads: tuple[str, ...]
    known: tuple[Revision, ...]

    @property
    def current(self) -> str | None:
        """Return the revision of the database; None before the first one."""
        return ", ".join(self.heads) or None

    @property
    def head(self) -> str:
        """Return the newest revision of this checkout."""
        return self.known[-1].id

    @property
    def missing(self) -> list[Revision]:
        """Return the revisions that an upgrade would run, oldest first."""
        order = [revision.id for revision in self.known]
        done = max((order.index(head) for head in self.heads), default=-1)
        return list(self.known[done + 1 :])

    def history(self) -> list[dict[str, Any]]:
        """Return one row per revision, oldest first."""
        missing = {revision.id for revision in self.missing}
        return [
            {
                "revision": revision.id,
                "applied": revision.id not in missing,
                "phase": revision.fields.get("Phase", ""),
                "subject": revision.subject,
            }
            for revision in self.known
        ]

    def steps(self, verb: str, revision: str) -> list[dict[str, str]]:
        """Return what *verb* (``upgrade``, ``downgrade``) to *revision* would run.

        Raises BadValue when *revision* is not on the way.
        """
        scripts = _scripts()
        find = scripts._upgrade_revs if verb == "upgrade" else scripts._downgrade_revs  # noqa: SLF001 - what Alembic's own commands call
        try:
            steps = find(revision, self.heads)  # type: ignore[arg-type]
        except CommandError as error:
            raise translate(error) from None
        return [
            {"step": verb, "revision": step.revision.revision, "subject": str(step.doc)}
            for step in steps
        ]


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(Config(str(CHECKOUT / "alembic.ini")))


def state(target: Target) -> State:
    """Read where *target* stands, as any login that may connect.

    Raises CannotConnect, or Refused (server too old, revision unknown here).
    """
    with connect(target) as connection:
        known = facts(connection)
        refuse_server(known, writes=False)
        refuse_unknown_revision(connection, known, _scripts())
        if known.version_table_owner is None:
            heads: tuple[str, ...] = ()
        else:
            rows = connection.execute(
                f"SELECT version_num FROM {VERSION_TABLE_SCHEMA}.{VERSION_TABLE}"
            )
            heads = tuple(version for (version,) in rows)
    return State(heads, tuple(revisions()))


def runs(target: Target) -> list[dict[str, Any]]:
    """Return the journal of *target*, newest first; empty where there is none.

    Raises Refused for a login that may not act as the owner.
    """
    with connect(target) as connection:
        row = connection.execute(_HAS_JOURNAL, [JOURNAL_SCHEMA]).fetchone()
        if row is None or not row[0]:
            return []
    with connect(target) as connection, connection.transaction():
        _become_owner(connection, target)
        cursor = connection.cursor(row_factory=dict_row)
        return cursor.execute(
            f"SELECT * FROM {JOURNAL_SCHEMA}.journal ORDER BY id DESC"
        ).fetchall()


def _become_owner(connection: psycopg.Connection[Any], target: Target) -> None:
    """Act as the owner until the transaction ends: a pooler shares the session."""
    try:
        connection.execute(f"SET LOCAL ROLE {OWNER}")
    except psycopg.Error as error:
        raise Refused(
            f"the login of {target.shown} may not act as {OWNER}: {first_line(error)}",
            hint=f"GRANT {OWNER} to the login, or use a login that may",
        ) from None
