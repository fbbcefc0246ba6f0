"""Bring databases to where a revision begins: by what comes before it, without rows."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Self

import psycopg

from ai_platform.catalog._made_roles import added_roles, drop_roles, mark, marked
from ai_platform.catalog.scratch import scratch_database
from ai_platform.connection import connect
from ai_platform.errors import PlatformError, Refused

from ._known_types import makes_known_type
from ._plan import Told
from ._sessions import Worker
from ._words import words_of
from .scratch import clone
from .statements import elsewhere, not_made, run_plainly

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ai_platform.connection import Target

    from ._plan import Options, Plan
    from .scratch import Scratch

__all__ = ["Detour", "build"]


def build(place: Target, plans: Sequence[Plan], options: Options) -> str:
    """Run *plans*, one after another, in *place*; return the server's version.

    Raises Refused for one that does not run, or a statement of it not in time.
    """
    keep = getattr(options.online, "kept", nullcontext)
    with Worker(place, options.settings) as worker, keep():
        limit = f"SET statement_timeout = {int(options.limit_s * 1000)}"
        worker.connection.execute(limit.encode())
        for number, plan in enumerate(plans, start=1):
            name = plan.source.revision
            options.tell(Told(name, "base", number, len(plans)))
            try:
                _run(worker, place, plan, options)
            except (psycopg.Error, PlatformError) as error:
                told = words_of(error)
                raise Refused(
                    f"{plan.source.file}: revision {name}, before those to review, "
                    f"does not run: {told}",
                    hint=elsewhere(told)
                    or not_made(told)
                    or "review it first, or begin the review with it",
                ) from error
        version = worker.connection.info.parameter_status("server_version")
    return (version or "").partition(" ")[0]


def _run(worker: Worker, place: Target, plan: Plan, options: Options) -> None:
    told = plan.source.offline_error
    if told is None:
        connection = worker.connection
        run_plainly(
            connection,
            (*plan.founding, *plan.up),
            # an enum that is renamed first makes room for the new one
            lambda statement: makes_known_type(connection, statement.sql),
        )
    elif options.online is None:
        raise Refused(f"it has no SQL: {told}", hint="see its file")
    else:
        options.online(plan.source.revision, place.url, False)  # noqa: FBT003 - theirs


class Detour:
    """Databases above revisions after which the measured one is of no more use.

    A revision that fails on rows, or that nobody can take back, may well run where
    no rows are: what comes after it can still be measured.
    """

    def __init__(
        self, server: Scratch, options: Options, begin: Callable[[Target], object]
    ) -> None:
        self._server = server
        self._options = options
        self._begin = begin
        self._todo: list[Plan] = []
        self._follower: Target | None = None
        self._stack = ExitStack()
        self._copy = ExitStack()

    def __enter__(self) -> Self:
        """Return it; databases are made when somebody asks for one."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop what was made."""
        self._copy.close()
        self._stack.close()

    def passed(self, *plans: Plan) -> None:
        """Note that *plans* come before whatever is measured next."""
        self._todo.extend(plans)

    def around(self) -> Target:
        """Return a database above everything that was passed; the last one is gone.

        Raises Refused for a revision that does not run without rows either.
        """
        self._copy.close()
        if self._follower is None:
            made = self._without_roles()
            place = scratch_database(self._server.control)
            self._follower = self._stack.enter_context(place)
            self._mark(self._follower, made)
            self._begin(self._follower)
        build(self._follower, self._todo, self._options)
        self._todo.clear()
        return self._copy.enter_context(clone(self._follower))

    def _without_roles(self) -> list[str]:
        """Drop the roles of the measured database: they are made once more.

        Returns those that are dropped by name, on a server of others.
        """
        name = "platform-review"
        with connect(self._server.place, application_name=name) as connection:
            known = marked(connection, self._server.place.database)
            is_own = self._server.is_own
            drop_roles(connection, added_roles(connection) if is_own else known)
        return known

    def _mark(self, place: Target, made: list[str]) -> None:
        if made:
            name = place.database
            with connect(self._server.control, application_name=name) as connection:
                mark(connection, name, made)
