"""A database in which revisions run one after another, with sessions that watch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from ai_platform.catalog import snapshot

from ._online import measure_online
from ._readings import flush_counts
from ._run import Run, Way
from ._sessions import Sessions
from .preserve import contents

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import psycopg

    from ai_platform.catalog import Snapshot
    from ai_platform.connection import Target

    from .preserve import Contents
    from .statements import Statement

__all__ = ["LIMIT_S", "LOOKS", "Bench", "Way"]

LIMIT_S: Final = 600.0
"""A statement that runs longer is cancelled."""
LOOKS: Final = 24
"""The catalog is compared around each statement where at most so many may change it."""


class Bench:
    """A database with sessions around it, in which one revision after another runs.

    *place* is that database, *control* another one of the same server, *settings*
    what the runner sets for its session. *limit_s* ends a statement that hangs.
    *owns_server* allows to change the server's settings while a statement is traced.
    """

    def __init__(
        self,
        place: Target,
        control: Target,
        settings: Mapping[str, str],
        *,
        limit_s: float = LIMIT_S,
        owns_server: bool = False,
    ) -> None:
        self._settings = settings
        self._limit_s = limit_s
        self._sessions = Sessions(place, control, owns_server=owns_server)
        self._catalog: Snapshot | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sessions.close()

    @property
    def observer(self) -> psycopg.Connection[Any]:
        """Return the session that looks from outside, in autocommit."""
        return self._sessions.observer

    def catalog(self) -> Snapshot:
        """Return the whole catalog as others see it."""
        self._catalog = found = snapshot(self.observer, by_clock=False)
        flush_counts(self.observer)
        return found

    def contents(self, tables: Collection[str]) -> Contents:
        """Return what is in *tables*, as schema.name."""
        found = contents(self.observer, tables)
        flush_counts(self.observer)
        return found

    def measure(
        self,
        statements: Sequence[Statement],
        *,
        before: Sequence[str] = (),
        progress: Callable[[Statement], None] = lambda _: None,
    ) -> Way:
        """Run *statements* in a session of their own and return what each did.

        The first that fails ends it; the rest are there, but not measured. The SQL
        *before* runs first in that session and is not measured. *progress* is told
        each statement before it runs.

        Raises Refused where the scratch server failed and not the revision, and
        psycopg.Error where *before* does.
        """
        looks = sum(item.may_change_catalog for item in statements) <= LOOKS
        # what changes the database outside of this bench is looked at afterwards
        known, self._catalog = None if before else self._catalog, None
        with Run(
            self._sessions,
            self._settings,
            limit_s=self._limit_s,
            progress=progress,
            looks=looks,
        ) as run:
            for sql in before:
                run.worker.connection.execute(sql.encode())
            return run.execute(statements, known)

    def measure_online(
        self, run: Callable[[], object], told: str, *, in_passing: bool = False
    ) -> Way:
        """Return what *run* does here in sessions of its own, as one statement.

        *told* stands for its SQL. A PlatformError of it is the revision's failure.
        With *in_passing* also weak locks are told that another run may not show.
        """
        self._catalog = None
        return measure_online(
            self._sessions, run, told, limit_s=self._limit_s, in_passing=in_passing
        )
