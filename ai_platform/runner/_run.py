"""One run of revisions: steps one by one, each watched, repeated where that helps."""

from __future__ import annotations

import hashlib
import random
import time
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from alembic import context

from ai_platform.errors import Refused
from ai_platform.names import OWNER, VERSION_TABLE, VERSION_TABLE_SCHEMA

from ._faults import MigrationFailed, explain, is_passing, sqlstate
from ._session import migration_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from alembic.runtime.migration import (
        MigrationContext,
        MigrationInfo,
        RevisionStep,
        StampStep,
    )
    from sqlalchemy.engine import Connection, Engine

    from ai_platform.settings import Settings

    from ._journal import Journal
    from ._lock import MigrationLock

__all__ = ["Run"]

_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_VERSION_TABLE: Final = f"{VERSION_TABLE_SCHEMA}.{VERSION_TABLE}"
_HAS_VERSION_TABLE: Final = f"SELECT to_regclass('{_VERSION_TABLE}') IS NOT NULL"
_NEEDS_OWNER: Final = f"""
SELECT NOT has_schema_privilege('{VERSION_TABLE_SCHEMA}', 'CREATE')
   AND EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{OWNER}'
                  AND pg_has_role(session_user, oid, 'SET'))
"""
# "$user" could be anybody's schema; what is left holds public and vector's schema.
_PLAIN_PATH: Final = """
SELECT set_config('search_path',
                  coalesce(string_agg(quote_ident(name), ', '), ''), false)
  FROM unnest(current_schemas(false)) AS name WHERE name <> session_user
"""


class _Watch:
    """Counts and hashes the statements of the step that is running."""

    def __init__(self) -> None:
        self.statements = 0
        self.last = ""
        self._digest = hashlib.sha256()

    def see(self, statement: str) -> None:
        self.statements += 1
        self.last = statement
        self._digest.update(statement.encode())

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class _Patience:
    """How long one step is tried again: *limit_s* from its first passing fault on."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._step = -1
        self._until = 0.0
        self.tries = 0

    def pause(self, step: int) -> float | None:
        """Return the seconds to wait before *step* is tried again; None: give up."""
        now = time.monotonic()
        if step != self._step:
            self._step, self._until, self.tries = step, now + self._limit_s, 0
        self.tries += 1
        limit = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**self.tries)
        pause = random.uniform(0, limit)  # noqa: S311 - jitter, not a secret
        return pause if now + pause <= self._until else None


class Run:
    """Run what the Alembic command asks for, under a lock that somebody else took."""

    def __init__(  # noqa: PLR0913 - a run has that many parties, all named
        self,
        *,
        engine: Engine,
        lock: MigrationLock,
        journal: Journal,
        note: Callable[[str], None],
        settings: Settings,
        before_ddl: Callable[[list[int]], None],
        act_as_owner: bool,
    ) -> None:
        self._engine = engine
        self._lock = lock
        self._journal = journal
        self._note = note
        self._settings = settings
        self._before_ddl = before_ddl
        self._act_as_owner = act_as_owner
        self._steps: list[RevisionStep | StampStep] | None = None
        self._done = 0
        self._watch = _Watch()
        self._heads: set[str] = set()
        self._backend_pid = 0
        self._wanted: Callable[..., Iterable[Any]] = lambda *_: ()
        sa.event.listen(engine, "before_cursor_execute", self._watch_statement)

    def execute(self, options: dict[str, Any]) -> None:
        """Run all steps; repeat from where it stood after a passing fault.

        Raises MigrationFailed, or the PlatformError of a check between two steps.
        """
        self._wanted = context.get_context().opts["fn"]
        patience = _Patience(self._settings.retry_for_s)
        while True:
            try:
                self._attempt(options)
                break
            except sa.exc.DBAPIError as error:
                self._journal_failure(error)
                pause = patience.pause(self._done) if is_passing(error) else None
                if pause is None:
                    raise self._failure(error) from None
                self._note(
                    f"{self._running or 'connection'}: {sqlstate(error)}, "
                    f"try {patience.tries + 1} in {pause:.1f} s"
                )
                time.sleep(pause)
        self._assert_heads()

    def _attempt(self, options: dict[str, Any]) -> None:
        with self._engine.connect() as connection:
            self._prepare(connection)
            # A transaction begun before configure() would make Alembic leave every
            # commit to us, and the run would end with nothing kept.
            if connection.in_transaction():  # pragma: no cover - guards an edit here
                raise AssertionError
            context.configure(
                connection=connection,
                fn=self._plan,
                on_version_apply=self._remember_heads,
                **options,
            )
            with context.begin_transaction():
                context.run_migrations()
            if connection.in_transaction():
                connection.commit()

    def _prepare(self, connection: Connection) -> None:
        values = migration_settings(self._settings)
        calls = ", ".join(
            f"set_config('{name}', '{value}', false)" for name, value in values.items()
        )
        connection.exec_driver_sql(f"SELECT {calls}")
        connection.exec_driver_sql(_PLAIN_PATH)
        self._backend_pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
        self._prepare_version_table(connection)
        if self._act_as_owner:
            connection.exec_driver_sql(f"SET ROLE {OWNER}")
        connection.commit()

    def _prepare_version_table(self, connection: Connection) -> None:
        """Make the version table as the owner where Alembic must not make it.

        That is when roles and rights came from a DBA (the migrator has no right on
        schema public of its own), and when a schema that SQL files built is stamped.
        """
        if connection.exec_driver_sql(_HAS_VERSION_TABLE).scalar():
            return
        needs_owner = connection.exec_driver_sql(_NEEDS_OWNER).scalar()
        if not (needs_owner or self._act_as_owner):
            return
        connection.exec_driver_sql(f"SET LOCAL ROLE {OWNER}")
        connection.exec_driver_sql(
            f"CREATE TABLE {_VERSION_TABLE} (version_num varchar(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        connection.exec_driver_sql(f"GRANT SELECT ON {_VERSION_TABLE} TO PUBLIC")

    def _plan(self, heads: tuple[str, ...], ctx: MigrationContext) -> Iterator[Any]:
        """Yield the steps that are left, each between its journal entries."""
        if self._steps is None:
            self._heads = set(heads)
            self._steps = list(self._wanted(heads, ctx))
            if self._steps:
                self._before_ddl([self._backend_pid, self._lock_pid])
        for position in range(self._done, len(self._steps)):
            step = self._steps[position]
            self._lock.assert_held()
            self._watch = _Watch()
            started = time.monotonic()
            self._journal.start(
                _revision(step), _direction(step), backend_pid=self._backend_pid
            )
            yield step
            self._done = position + 1
            self._report(step, time.monotonic() - started)

    def _report(self, step: RevisionStep | StampStep, seconds: float) -> None:
        self._journal.finish(
            "done", statements=self._watch.statements, sha256=self._watch.sha256
        )
        subject = str(getattr(step, "doc", None) or "")
        self._note(
            f"{_direction(step):>9} {_revision(step)}  {seconds:6.2f} s  {subject}"
        )

    def _journal_failure(self, error: sa.exc.DBAPIError) -> None:
        """Write the failure down, unless the server is what failed."""
        if error.connection_invalidated or self._lock.connection.broken:
            return
        self._journal.finish(
            "failed", statements=self._watch.statements, sha256=self._watch.sha256
        )

    @property
    def _running(self) -> str | None:
        if self._steps is None or self._done >= len(self._steps):
            return None
        return _revision(self._steps[self._done])

    @property
    def _lock_pid(self) -> int:
        return self._lock.connection.info.backend_pid

    def _failure(self, error: sa.exc.DBAPIError) -> MigrationFailed:
        return MigrationFailed(
            explain(error, revision=self._running, statement=self._watch.last)
        )

    def _watch_statement(
        self, _conn: object, _cursor: object, statement: str, *_: object
    ) -> None:
        self._watch.see(statement)

    def _remember_heads(
        self,
        ctx: MigrationContext,
        step: MigrationInfo,
        heads: Collection[Any],
        run_args: Mapping[str, Any],
    ) -> None:
        del ctx, step, run_args
        self._heads = set(heads)

    def _assert_heads(self) -> None:
        """Read the heads in another session: only what was committed shows there."""
        self._lock.assert_held()
        connection = self._lock.connection
        row = connection.execute(_HAS_VERSION_TABLE).fetchone()
        found: set[str] = set()
        if row and row[0]:
            rows = connection.execute(f"SELECT version_num FROM {_VERSION_TABLE}")
            found = {version for (version,) in rows}
        if found != self._heads:
            raise Refused(
                f"the run ended at {sorted(self._heads)} but another session sees "
                f"{sorted(found)}",
                hint="something else writes alembic_version; platform db check",
            )


def _revision(step: RevisionStep | StampStep) -> str:
    """Return the revision that is applied or undone; for a stamp, the new one."""
    info = step.info
    names = info.destination_revision_ids if info.is_stamp else info.up_revision_ids
    return ", ".join(names) or "base"


def _direction(step: RevisionStep | StampStep) -> str:
    if step.info.is_stamp:
        return "stamp"
    return "upgrade" if step.info.is_upgrade else "downgrade"
