"""Databases for the tests of revisions: on TEST_DATABASE_URL, or a server of ours."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ai_platform.catalog import snapshot
from ai_platform.catalog._made_roles import drop_roles, named_roles, roles
from ai_platform.catalog.scratch import scratch_database
from ai_platform.connection import Target, connect, first_line, resolve
from ai_platform.errors import PlatformError, Refused
from ai_platform.review._foreign import Interpreter
from ai_platform.review._known_types import makes_known_type
from ai_platform.review._plan import found_version_schema
from ai_platform.review.scratch import sql_of
from ai_platform.server.temporary import temporary_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_platform.catalog import Snapshot
    from ai_platform.review.projects import Project, Step

__all__ = ["Ground", "Walk"]

_URL: Final = "TEST_DATABASE_URL"


class Ground:
    """A server on which databases come and go; ended by `close`."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._target: Target | None = None

    @contextmanager
    def database(self, texts: Sequence[str] | None = None) -> Iterator[Target]:
        """Give an empty database; roles that *texts* of SQL make go with it.

        They are the server's: the next database would meet them. Of *texts* there may
        be more in the end than in the beginning; with None no role is dropped.
        """
        if self._target is None:
            self._target = self._stack.enter_context(_server())
        with (
            nullcontext() if texts is None else _roles_dropped(self._target, texts),
            scratch_database(self._target) as target,
        ):
            yield target

    def close(self) -> None:
        """End the server, if it is ours."""
        self._stack.close()
        self._target = None


@contextmanager
def _roles_dropped(server: Target, texts: Sequence[str]) -> Iterator[None]:
    """Drop in the end the roles that *texts* made; on a server of ours all new ones."""
    with connect(server, application_name="ai_platform.testing") as connection:
        before = roles(connection)
    try:
        yield
    finally:
        with connect(server, application_name="ai_platform.testing") as connection:
            new = roles(connection) - before
            is_ours = _URL not in os.environ
            named = new if is_ours else named_roles(texts, before)
            drop_roles(connection, new & named)


@contextmanager
def _server() -> Iterator[Target]:
    url = os.environ.get(_URL)
    if url:
        yield resolve(url)
        return
    with temporary_server("platform-revisions-") as server:
        server.start()
        yield Target(server.url(), "embedded server")


class Walk:
    """A database that is led from revision to revision by the project itself.

    In order of the history it goes on from where it stands; for a step back it
    begins anew. *timeout_s* bounds each step.
    """

    def __init__(self, project: Project, ground: Ground, timeout_s: float) -> None:
        self._project = project
        self._ground = ground
        self.timeout_s = timeout_s
        self._stack = ExitStack()
        self._target: Target | None = None
        self._standing = 0
        self._obstacle: tuple[str, PlatformError] | None = None
        self._seen: Snapshot | None = None

    def before(self, revision: str) -> None:
        """Bring the database to where *revision* begins."""
        self._to(self._project.history.order.index(revision))

    def to_the_end(self) -> None:
        """Run whatever is left."""
        self._to(len(self._project.history.order))

    def _to(self, index: int) -> None:
        order = self._project.history.order
        if self._obstacle is not None and self._obstacle[0] in order[:index]:
            raise self._in_the_way(*self._obstacle)
        if self._target is None or self._standing > index:
            self._begin()
        for name in order[self._standing : index]:
            try:
                self.run(name, history=True)
            except PlatformError as error:
                self._obstacle = (name, error)
                raise self._in_the_way(name, error) from None

    @staticmethod
    def _in_the_way(name: str, error: PlatformError) -> Refused:
        return Refused(
            f"{name}, which comes before, does not run: {error.message}",
            hint=error.hint or "see its own test",
        )

    def _begin(self) -> None:
        self.close()
        self._texts = list(map(sql_of, self._project.revisions))
        self._target = self._stack.enter_context(self._ground.database(self._texts))
        self._interpreter = self._stack.enter_context(
            Interpreter(self._project.place, timeout_s=self.timeout_s)
        )
        # the version table is there before the first snapshot
        found_version_schema(self._target, self._project.version_table)
        self._ask(None)

    def run(self, revision: str, *, down: bool = False, history: bool = False) -> None:
        """Run the way up, or *down*, of *revision*; as *history*, as one run would."""
        # half a step leads nowhere: until it is whole, the next begins anew
        standing, self._standing = self._standing, len(self._project.history.order) + 1
        self._ask(revision, down=down, history=history)
        self._standing = standing + (-1 if down else 1)

    def write(self, revision: str) -> None:
        """Run the SQL that *revision* writes offline, as psql would.

        One that writes none runs as ever.
        """
        history = self._project.history
        steps = self._project.steps[revision, "up"]
        source = next(s for s in self._project.revisions if s.revision == revision)
        self._standing = len(history.order) + 1
        if source.offline_error:
            self._ask(revision, stamp=history.before(revision))
        else:
            try:
                with self.connect() as connection:
                    _execute(connection, steps)
            except psycopg.Error as error:
                raise Refused(
                    f"{source.file}: the SQL that {revision} writes does not run: "
                    f"{first_line(error)}",
                    hint="see `alembic upgrade --sql` there: it must run in psql",
                ) from None
            self._seen = None

    def written(self) -> None:
        """Bring a new database to the head by written SQL."""
        self._begin()
        for name in self._project.history.order:
            self.write(name)

    def _ask(self, revision: str | None, **options: Any) -> None:
        self._seen = None
        said = self._interpreter.ask(
            "run",
            dsn=self.target.url,
            revision=revision,
            **{"down": False, "stamp": None, "history": False, **options},
        )
        # Python may make a role that no SQL of its revision names
        self._texts += (text for text, _ in said["steps"])

    @property
    def target(self) -> Target:
        """Return the database; there is one after the first step."""
        if self._target is None:
            raise RuntimeError("the walk has not begun")
        return self._target

    def connect(self) -> Any:
        """Return a connection to the database, in autocommit."""
        return connect(self.target, application_name="ai_platform.testing")

    def snapshot(self) -> Snapshot:
        """Return the whole catalog; read once for each place."""
        if self._seen is None:
            with self.connect() as connection:
                self._seen = snapshot(connection, by_clock=False)
        return self._seen

    def close(self) -> None:
        """Drop the database and end the interpreter."""
        self._stack.close()
        self._target = None
        self._standing = 0


def _execute(connection: Any, steps: Sequence[Step]) -> None:
    """Run *steps*, those in a transaction up to the next one outside together."""
    connection.prepare_threshold = None
    inside = False
    for step in steps:
        if step.in_transaction != inside:
            connection.execute("BEGIN" if step.in_transaction else "COMMIT")
            inside = step.in_transaction
        # one run of Alembic makes a type once, whatever is written for each revision
        if not makes_known_type(connection, step.sql):
            connection.execute(step.sql.encode())
    if inside:
        connection.execute("COMMIT")
