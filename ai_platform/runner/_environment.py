"""What `migrations/env.py` does: choose the database, lock it, run, make sure.

Every Alembic command comes through `run`. Upgrade, downgrade and stamp take the lock
and assert the result; current, check, history and revision neither wait nor write.
"""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

import psycopg
import sqlalchemy as sa
from alembic import context

from ai_platform.connection import Target, connect, resolve
from ai_platform.errors import PlatformError
from ai_platform.names import OWNER, VERSION_TABLE_SCHEMA
from ai_platform.settings import settings

from ._faults import Interrupted, MigrationFailed, explain
from ._journal import Journal
from ._lock import MigrationLock
from ._pooler import refuse_transaction_pooler
from ._preflight import (
    facts,
    refuse_foreign_ground,
    refuse_server,
    refuse_unknown_revision,
    report_waits,
)
from ._run import Run
from ._session import APPLICATION_NAME, LOCK_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.engine import Connection, Engine

    from ._preflight import Facts

__all__ = ["run"]

_WRITES: Final = {"upgrade", "downgrade", "do_stamp", "do_ensure_version"}
_COMPARES: Final = {"retrieve_migrations"}


def note(text: str) -> None:
    """Tell the person at the keyboard; standard output belongs to results."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the one place


def run(compare_options: Callable[[Connection], Mapping[str, Any]]) -> None:
    """Run the Alembic command that loaded `env.py`.

    *compare_options* gives the arguments of `context.configure` that a comparison
    needs (metadata, filters); it is called for ``check`` and ``revision`` only, so
    that an upgrade never imports the models.

    Raises MigrationFailed (a CommandError: one line, no traceback).
    """
    if context.is_offline_mode():
        _offline()
        return
    # What is imported by now stays: the collector need not walk it again and again
    # (a sixth of the client's time for a whole installation).
    gc.freeze()
    # Configured without a database, only to learn which command this is.
    context.configure(dialect_name="postgresql")
    verb = context.get_context().opts["fn"].__name__
    try:
        _online(verb, compare_options)
    except PlatformError as error:
        _fail(MigrationFailed(error))
    except MigrationFailed as error:
        _fail(error)
    except (sa.exc.DBAPIError, psycopg.Error) as error:
        _fail(MigrationFailed(explain(error)))
    except KeyboardInterrupt:
        told = "interrupted; finished revisions stay"
        _fail(MigrationFailed(Interrupted(told, hint="run the same command again")))


def _fail(failure: MigrationFailed) -> NoReturn:
    """End the run: a program gets the exception, a terminal one line on stderr.

    Alembic itself would print the line to standard output, where results belong.
    """
    options = context.config.cmd_opts
    if options is None or options.raiseerr:
        raise failure from None
    note(f"FAILED: {failure}")
    raise SystemExit(failure.cause.exit_code)


def _options() -> dict[str, Any]:
    return {
        "transaction_per_migration": True,
        "version_table_schema": VERSION_TABLE_SCHEMA,
    }


def _offline() -> None:
    context.configure(
        dialect_name="postgresql",
        # Any other paramstyle doubles each % of a function body.
        dialect_opts={"paramstyle": "named"},
        literal_binds=True,
        **_options(),
    )
    with context.begin_transaction():
        context.run_migrations()


def _online(
    verb: str, compare_options: Callable[[Connection], Mapping[str, Any]]
) -> None:
    borrowed = context.config.attributes.get("connection")
    if borrowed is not None:
        _borrowed(verb, borrowed, compare_options)
        return
    target = context.config.attributes.get("target") or resolve(
        context.get_x_argument(as_dictionary=True).get("url"),
        context.config.get_main_option("sqlalchemy.url"),
    )
    note(f"database: {target.shown} ({target.source})")
    with connect(target, application_name=f"{APPLICATION_NAME}-lock") as lock:
        known = facts(lock)
        refuse_server(known, writes=verb in _WRITES)
        if verb != "do_stamp":  # stamp --purge is the way out of an unknown one
            refuse_unknown_revision(lock, known, context.script)
        if verb in _WRITES:
            _write(verb, target, lock)
        else:
            _read(verb, target, known, compare_options)


def _read(
    verb: str,
    target: Target,
    known: Facts,
    compare_options: Callable[[Connection], Mapping[str, Any]],
) -> None:
    with _engine(target).connect() as connection:
        if known.is_ours:
            _become_owner(connection)
        connection.commit()
        extra = compare_options(connection) if verb in _COMPARES else {}
        connection.commit()
        context.configure(connection=connection, **_options(), **extra)
        with context.begin_transaction():
            context.run_migrations()


def _write(verb: str, target: Target, lock_connection: psycopg.Connection[Any]) -> None:
    refuse_transaction_pooler(target, lock_connection)
    _configure_session(lock_connection, LOCK_SETTINGS)
    lock = MigrationLock(lock_connection, wait_s=settings().lock_wait_s, note=note)
    lock.acquire()
    try:
        # What is true now: another runner may have finished while we waited.
        known = facts(lock_connection)
        built_by_files = refuse_foreign_ground(
            lock_connection, known, stamps=verb == "do_stamp"
        )
        journal = Journal(lock_connection, note=note)
        journal.report_interrupted()
        runner = Run(
            engine=_engine(target),
            lock=lock,
            journal=journal,
            note=note,
            settings=settings(),
            before_ddl=lambda own: report_waits(lock_connection, note, own=own),
            act_as_owner=verb == "do_stamp" and (known.is_ours or built_by_files),
        )
        runner.execute(_options())
    finally:
        _release(lock)


def _release(lock: MigrationLock) -> None:
    try:
        lock.release()
    except psycopg.Error:
        # The session is gone and the lock with it; the first error is the news.
        return


def _borrowed(
    verb: str,
    borrowed: Engine | Connection,
    compare_options: Callable[[Connection], Mapping[str, Any]],
) -> None:
    """Run on a connection that a test harness or program hands over.

    Lock, session settings and transaction are then the business of its owner.
    """
    if isinstance(borrowed, sa.Connection):
        _on_borrowed(verb, borrowed, compare_options)
        return
    with borrowed.connect() as connection:
        _on_borrowed(verb, connection, compare_options)


def _on_borrowed(
    verb: str,
    connection: Connection,
    compare_options: Callable[[Connection], Mapping[str, Any]],
) -> None:
    extra = compare_options(connection) if verb in _COMPARES else {}
    context.configure(connection=connection, **_options(), **extra)
    try:
        with context.begin_transaction():
            context.run_migrations()
    except sa.exc.DBAPIError as error:
        raise MigrationFailed(explain(error)) from error


def _engine(target: Target) -> Engine:
    """Return an engine without a pool that connects exactly as psycopg does."""

    def creator() -> psycopg.Connection[Any]:
        connection = connect(
            target,
            autocommit=False,
            application_name=APPLICATION_NAME,
            # No statement comes twice, and a prepared one would keep a snapshot.
            prepare_threshold=None,
        )
        connection.add_notice_handler(_show_notice)
        return connection

    return sa.create_engine(
        "postgresql+psycopg://",
        creator=creator,
        poolclass=sa.pool.NullPool,
        use_native_hstore=False,
    )


def _show_notice(diagnostic: psycopg.errors.Diagnostic) -> None:
    """Pass on what a revision says; ``… already exists, skipping`` is noise."""
    severity = diagnostic.severity_nonlocalized
    if severity == "WARNING" or (
        severity == "NOTICE" and diagnostic.sqlstate == "00000"
    ):
        note(f"{(severity or '').lower()}: {diagnostic.message_primary}")


def _become_owner(connection: Connection) -> None:
    """Act as the owner where that is allowed: the version table is the owner's."""
    allowed = connection.scalar(
        sa.text("SELECT pg_has_role(session_user, :owner, 'SET')"), {"owner": OWNER}
    )
    if allowed:
        connection.execute(sa.text(f"SET ROLE {OWNER}"))


def _configure_session(
    connection: psycopg.Connection[Any], values: Mapping[str, str]
) -> None:
    for name, value in values.items():
        connection.execute("SELECT set_config(%s, %s, false)", [name, value])
