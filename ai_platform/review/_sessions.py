"""The sessions of a measurement: worker, monitor, observer, probes, a slow one."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

import psycopg
from psycopg import sql

from ai_platform.connection import connect

from ._commits import BRIEFLY_S, DELAY_S, Commits, delay, is_release
from ._probes import OldTransaction, Probes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ai_platform.connection import Target

__all__ = ["UNHURRIED", "Messages", "Sessions", "Worker"]

_WORKER: Final = "platform-review-worker"
_TEMPORARY: Final = re.compile(r'^temporary file: path ".*", size (\d+)$')
_SET_OFF: Final = """
SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
 WHERE name IN ('idle_in_transaction_session_timeout', 'idle_session_timeout',
                'transaction_timeout'{})
"""
UNHURRIED: Final = _SET_OFF.format("")
"""Takes away the limits of a transaction that waits for us to look at it."""
# What the login or its database has set is for users, not for who looks on.
_UNLIMITED: Final = _SET_OFF.format(", 'lock_timeout', 'statement_timeout'")
_MOST: Final = 20
_LONGEST: Final = 500


class Messages:
    """What the server told a session: notices, and the size of temporary files.

    A trigger may tell something for each row: of notices the first 20 that differ are
    kept, the others are counted.
    """

    def __init__(self) -> None:
        self._kept: dict[str, None] = {}
        self._others = 0
        self.temp_bytes = 0

    @property
    def notices(self) -> tuple[str, ...]:
        """Return what was told, and how much more."""
        more = (f"and {self._others:,} more",) if self._others else ()
        return (*self._kept, *more)

    def take(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        """Sort one message; what the server merely logs is dropped."""
        severity = diagnostic.severity_nonlocalized or ""
        text = diagnostic.message_primary or ""
        match = _TEMPORARY.match(text)
        if is_release(diagnostic):
            return
        if severity != "LOG":
            self._keep(f"{severity}: {text}")
        elif match:
            self.temp_bytes += int(match[1])

    def _keep(self, notice: str) -> None:
        if len(notice) > _LONGEST:
            notice = f"{notice[: _LONGEST - 1]}…"
        if notice in self._kept or len(self._kept) == _MOST:
            self._others += 1
        else:
            self._kept[notice] = None

    def clear(self) -> None:
        """Forget what was told, before the next statement."""
        self._kept, self._others, self.temp_bytes = {}, 0, 0


class Worker:
    """The session that runs a revision, set up as the runner sets up its own."""

    def __init__(self, place: Target, settings: Mapping[str, str]) -> None:
        self.messages = Messages()
        self.connection = connect(
            place, application_name=_WORKER, prepare_threshold=None
        )
        self.connection.add_notice_handler(self.messages.take)
        for name, value in settings.items():
            self._set(name, value)
        # sizes of temporary files come as messages of the lowest rank
        self._set("client_min_messages", "log")
        self.connection.execute(UNHURRIED)
        self._try({"log_temp_files": "0"})
        self.messages.clear()

    @property
    def pid(self) -> int:
        """Return the process id on the server."""
        return self.connection.info.backend_pid

    @contextmanager
    def setting(self, **settings: str) -> Iterator[None]:
        """Set *settings* of the session; set them back unless the block fails."""
        names = sql.SQL(", ").join(
            sql.SQL("pg_catalog.current_setting({})").format(name) for name in settings
        )
        row = self.connection.execute(sql.SQL("SELECT {}").format(names)).fetchone()
        for name, value in settings.items():
            self._set(name, value)
        yield
        for name, value in zip(settings, row or (), strict=True):
            self._set(name, value)

    def delay_commits(self, seconds: float) -> bool:
        """Let each commit wait with its locks held; return whether it does.

        The login must be a superuser's, and the server one that syncs to disk. The
        role that the revision chose for its session is put aside meanwhile.
        """
        with self.setting(role="none"):
            allowed = self._try(delay(seconds))
        return allowed and _syncs(self.connection)

    def _set(self, name: str, value: str) -> None:
        self.connection.execute(
            "SELECT pg_catalog.set_config(%s, %s, false)", [name, value]
        )

    def _try(self, settings: Mapping[str, str]) -> bool:
        """Set what only a superuser may; return whether that was allowed."""
        try:
            for name, value in settings.items():
                self._set(name, value)
        except psycopg.errors.InsufficientPrivilege:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


class Sessions:
    """Sessions that look at what a worker does in the database *place*.

    *control* is another database of the same server: the monitor looks from there.
    *owns_server* allows to change the server's settings for a moment.
    """

    def __init__(self, place: Target, control: Target, *, owns_server: bool) -> None:
        self.place = place
        with ExitStack() as stack:
            self.monitor = self._open(stack, control, "monitor")
            self.commits = Commits(self.monitor) if owns_server else None
            self.observer = self._open(stack, place, "observer")
            probes = [
                self._open(stack, place, f"probe-{name}")
                for name in ("read", "write", "ddl")
            ]
            self.probes = Probes(probes, self.monitor)
            old = self._open(stack, place, "old")
            self.old = OldTransaction(old)
            self._all = (self.monitor, self.observer, *probes, old)
            stack.callback(self.probes.close)
            self._stack = stack.pop_all()

    @staticmethod
    def _open(stack: ExitStack, target: Target, name: str) -> psycopg.Connection[Any]:
        label = f"platform-review-{name}"
        connection = connect(target, application_name=label, prepare_threshold=None)
        connection.execute(_UNLIMITED)
        return stack.enter_context(connection)

    def close(self) -> None:
        """End all sessions."""
        self._stack.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """Return the process ids of all these sessions."""
        return tuple(session.info.backend_pid for session in self._all)

    @contextmanager
    def held_commits(self, worker: Worker) -> Iterator[bool]:
        """Let commits of *worker* wait with their locks held; tell whether they do."""
        if self.commits is None:
            yield worker.delay_commits(DELAY_S)
            worker.delay_commits(0)
            return
        with (
            self.commits.held(self.observer),
            worker.setting(synchronous_commit="on"),
        ):
            yield True

    @contextmanager
    def held_commits_of_others(self) -> Iterator[bool]:
        """Let commits of new sessions wait with their locks held; tell whether so."""
        if self.commits is None:
            with self._delayed_commits(BRIEFLY_S) as is_delayed:
                yield is_delayed
            return
        with self.commits.held(self.observer):
            yield True

    @contextmanager
    def _delayed_commits(self, seconds: float) -> Iterator[bool]:
        """Let commits of new sessions take longer; tell whether they do.

        The login must be a superuser's, and the server one that syncs to disk.
        """
        statements = [
            sql.SQL("ALTER DATABASE {} {} {}").format(
                sql.Identifier(self.place.database),
                sql.SQL(verb),
                sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value))
                if verb == "SET"
                else sql.Identifier(name),
            )
            for verb in ("SET", "RESET")
            for name, value in delay(seconds).items()
        ]
        half = len(statements) // 2
        may = self._all_done(statements[:half])
        try:
            yield may and _syncs(self.observer)
        finally:
            self._all_done(statements[half:])

    def _all_done(self, statements: Iterable[sql.Composed]) -> bool:
        """Run what only a superuser may; return whether that was allowed."""
        try:
            for statement in statements:
                self.monitor.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            return False
        return True


def _syncs(session: psycopg.Connection[Any]) -> bool:
    return session.execute("SHOW fsync").fetchone() == ("on",)
