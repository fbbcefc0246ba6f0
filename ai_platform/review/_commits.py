"""Keep commits, with their locks, from ending before the monitor has looked."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ai_platform.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import psycopg

__all__ = [
    "BRIEFLY_S",
    "BUSY",
    "DELAY_S",
    "MISSES",
    "Commit",
    "Commits",
    "delay",
    "is_release",
]

DELAY_S: Final = 0.1
"""So long a step outside a transaction waits at each of its commits, on a server of
others: longer it cannot. The monitor looks some hundred times."""
BRIEFLY_S: Final = 0.01
"""And so long where a project's Python commits, which may be often."""
MISSES: Final = (
    "locks of an instant may be missing of statements outside a transaction: the "
    "server does not sync to disk, or the login may not slow down its commits"
)
BUSY: Final = (
    "locks of an instant may be missing of statements outside a transaction: this "
    "machine was too busy to look in time"
)
_STANDBY: Final = "platform_review"
_RELOAD_S: Final = 60.0
_PAUSE_S: Final = 0.0005
_WAITING: Final = """
SELECT pid, backend_xid::text, query_start::text FROM pg_catalog.pg_stat_activity
 WHERE wait_event = 'SyncRep'
"""
_COMMIT: Final = """
BEGIN; SET LOCAL synchronous_commit = on;
SELECT pg_catalog.pg_logical_emit_message(true, 'platform', ''); COMMIT
"""


class Commit(NamedTuple):
    """A commit that waits: no two have the same session, transaction and statement."""

    pid: int
    transaction: str | None
    statement_began: str | None


class Commits:
    """Commits that wait for a standby which never comes, in whatever database.

    That is the only wait with all locks still held that no time limit ends: a monitor
    that gets no turn for a second misses none. The server must be our own, its settings
    are changed; *connection* is a superuser's, in a database where nothing is measured.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._released: set[Commit] = set()
        # what we say ourselves meanwhile waits for nobody
        connection.execute("SET synchronous_commit = local")

    def waiting(self) -> set[Commit]:
        """Return the commits that wait now and were not yet let go."""
        rows = self._connection.execute(_WAITING, prepare=True)
        found = {Commit(*row) for row in rows}
        self._released &= found
        return found - self._released

    def release(self, commits: Iterable[Commit]) -> None:
        """Let *commits* end; each is told so once, or its next step would end too."""
        for commit in commits:
            self._released.add(commit)
            cancel = "SELECT pg_catalog.pg_cancel_backend(%s)"
            self._connection.execute(cancel, [commit.pid])

    @contextmanager
    def held(self, session: psycopg.Connection[Any]) -> Iterator[None]:
        """Let commits wait while the block runs; *session* tries whether they do.

        Those of sessions whose ``synchronous_commit`` is ``on``. Somebody must let
        them go. Raises Refused where the server does not take the setting.
        """
        self._set(f"'{_STANDBY}'")
        try:
            deadline = time.monotonic() + _RELOAD_S
            while not self._holds(session):
                if time.monotonic() > deadline:
                    raise Refused(
                        "the scratch server does not take a changed setting",
                        hint="review again; see the server's log",
                    )
            yield
        finally:
            # the server lets go of whoever waits when it takes this
            if not self._connection.closed:
                self._set("DEFAULT")

    def _set(self, value: str) -> None:
        change = f"ALTER SYSTEM SET synchronous_standby_names = {value}"
        self._connection.execute(change.encode())
        self._connection.execute("SELECT pg_catalog.pg_reload_conf()")

    def _holds(self, session: psycopg.Connection[Any]) -> bool:
        """Return whether a commit of *session* waited; no setting tells when one does.

        The process that has others wait takes a setting in its own time.
        """
        waited = False
        with ThreadPoolExecutor(1, "review-commit") as pool:
            tried = pool.submit(session.execute, _COMMIT.encode())
            while not tried.done():
                waiting = self.waiting()
                self.release(waiting)
                waited = waited or bool(waiting)
                time.sleep(_PAUSE_S)
            tried.result()
        return waited


def is_release(diagnostic: psycopg.errors.Diagnostic) -> bool:
    """Return whether a message only says that a commit was let go."""
    return diagnostic.source_function == "SyncRepWaitForLSN"


def delay(seconds: float) -> dict[str, str]:
    """Return settings with which each commit waits so long before it frees its locks.

    Only a superuser may set them, and the server must sync to disk.
    """
    return {
        "commit_siblings": "0",
        "commit_delay": f"{seconds * 1e6:.0f}",
        "synchronous_commit": "on",
    }
