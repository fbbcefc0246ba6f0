"""The journal: which revision ran when, by whom, how it ended.

It lives in schema `platform_meta`, is written on the connection that holds the lock
(each row commits at once, so a killed run leaves its row behind) and goes when the
database is downgraded to base. It is a report, never a source of truth: that is
`alembic_version`.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ai_platform.names import JOURNAL_SCHEMA, OWNER

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import LiteralString

__all__ = ["Journal"]

# The catalogs are open to every login; to_regclass() would want USAGE on the schema.
_READY: Final = f"""
SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = '{JOURNAL_SCHEMA}' AND c.relname = 'journal')
   AND EXISTS (SELECT 1 FROM pg_roles
                WHERE rolname = '{OWNER}' AND pg_has_role(current_user, oid, 'SET'))
"""
_MAY_CREATE: Final = f"""
SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{OWNER}'
                  AND pg_has_role(current_user, oid, 'SET')
                  AND has_database_privilege(oid, current_database(), 'CREATE'))
"""
_CREATE: Final = f"""
CREATE SCHEMA IF NOT EXISTS {JOURNAL_SCHEMA};
COMMENT ON SCHEMA {JOURNAL_SCHEMA} IS
    'Journal of the migration runner; dropped with the last downgrade';
CREATE TABLE IF NOT EXISTS {JOURNAL_SCHEMA}.journal (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    revision     text NOT NULL,
    direction    text NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at  timestamptz,
    outcome      text,
    statements   integer,
    sql_sha256   text,
    backend_pid  integer NOT NULL,
    login        text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE {JOURNAL_SCHEMA}.journal IS
    'One row per revision and try: done, failed or interrupted; NULL while it runs'
"""
_START: Final = f"""
INSERT INTO {JOURNAL_SCHEMA}.journal (revision, direction, backend_pid)
VALUES (%s, %s, %s) RETURNING id
"""
_LATE: Final = f"""
INSERT INTO {JOURNAL_SCHEMA}.journal (revision, direction, backend_pid, started_at)
VALUES (%s, %s, %s, clock_timestamp() - make_interval(secs => %s)) RETURNING id
"""
_FINISH: Final = f"""
UPDATE {JOURNAL_SCHEMA}.journal
   SET finished_at = clock_timestamp(), outcome = %s, statements = %s, sql_sha256 = %s
 WHERE id = %s
"""
_ADOPT: Final = f"""
UPDATE {JOURNAL_SCHEMA}.journal
   SET finished_at = clock_timestamp(), outcome = 'interrupted'
 WHERE finished_at IS NULL
RETURNING revision, direction, started_at, backend_pid, login
"""


class Journal:
    """The journal of one database; every method is silent where there is none."""

    def __init__(
        self, connection: psycopg.Connection[Any], *, note: Callable[[str], None]
    ) -> None:
        self._connection = connection
        self._note = note
        self._row: int | None = None
        self._late: tuple[str, str, int, float] | None = None
        self._ready = self._ask(_READY)

    def report_interrupted(self) -> None:
        """Say which revisions a killed run left, and close their rows."""
        if not self._ready:
            return
        for revision, direction, started, pid, login in self._write(_ADOPT, ()):
            self._note(
                f"{direction} {revision} was interrupted: started {started:%F %T%z} "
                f"by {login}, pid {pid}; what it had not committed is gone"
            )

    def start(self, revision: str, direction: str, *, backend_pid: int) -> None:
        """Write that *revision* begins."""
        self._row = None
        self._late = None
        values = (revision, direction, backend_pid)
        if self._ready or self._create():
            rows = self._write(_START, values)
            self._row = rows[0][0] if rows else None
        else:
            self._late = (*values, time.monotonic())

    def finish(self, outcome: str, *, statements: int, sha256: str) -> None:
        """Write how the revision begun last has ended.

        The first one makes the owner of the journal and is written down afterwards.
        """
        if self._late is not None and self._create():
            *values, began = self._late
            rows = self._write(_LATE, (*values, time.monotonic() - began))
            self._row = rows[0][0] if rows else None
        if self._row is not None:
            self._write(_FINISH, (outcome, statements, sha256, self._row))
        self._row = self._late = None

    def _ask(self, question: LiteralString) -> bool:
        try:
            row = self._connection.execute(question).fetchone()
        except psycopg.Error:
            return False
        return bool(row and row[0])

    def _create(self) -> bool:
        if self._ask(_MAY_CREATE):
            self._ready = True
            self._write(_CREATE, ())
        return self._ready

    def _write(self, statement: str, values: tuple[object, ...]) -> list[Any]:
        """Run *statement* as the owner in one round trip; return its rows.

        A journal that cannot be written must not stop a run: the last downgrade
        drops it, and a lost session is the lock's to report.
        """
        text = f"BEGIN; SET LOCAL ROLE {OWNER}; {statement}; COMMIT"
        cursor = psycopg.ClientCursor(self._connection)
        try:
            cursor.execute(cursor.mogrify(text, values) if values else text)
        except psycopg.Error:
            self._ready = False
            with suppress(psycopg.Error):
                self._connection.execute("ROLLBACK")
            return []
        for _ in cursor.results():
            if cursor.description:
                return cursor.fetchall()
        return []
