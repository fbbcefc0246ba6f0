"""Measure revisions on a scratch server: the way into the whole review."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

import psycopg

from ai_platform.connection import first_line
from ai_platform.errors import Refused
from ai_platform.names import VERSION_TABLE
from ai_platform.settings import settings as own_settings

from ._base import Detour, build
from ._dumped import load
from ._plan import Options, Plan, Told, found_version_schema
from ._prologue import Prologue
from ._recorded import roles_dropped
from ._stair import Stair
from .bench import LIMIT_S
from .facts import Review
from .scratch import scratch, sql_of
from .statements import not_made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ai_platform.catalog import Snapshot
    from ai_platform.connection import Target

    from ._plan import Online
    from .compatibility import Statement as Query
    from .dump import Dump
    from .facts import RevisionFacts
    from .scratch import Scratch
    from .sources import RevisionSource

__all__ = ["ROWS", "Start", "Told", "faults_told", "measure", "session_of"]

ROWS: Final = 100_000
"""Rows in each touched table, unless asked otherwise."""


def measure(  # noqa: PLR0913 - the options of the command, all named
    sources: Iterable[RevisionSource],
    *,
    before: Iterable[RevisionSource] = (),
    dsn: Target | None = None,
    insist: str | None = None,
    rows: int = ROWS,
    settings: Mapping[str, str] | None = None,
    version_table: str = VERSION_TABLE,
    online: Online | None = None,
    begin: Callable[[str], Prologue] | None = None,
    queries: Iterable[Query] = (),
    limit_s: float = LIMIT_S,
    schema: Dump | None = None,
    progress: Callable[[Told], None] | None = None,
    look: Callable[[str, Snapshot, Snapshot], None] | None = None,
) -> Review:
    """Run *sources*, one after another, and return what each did.

    *before* is the history up to them; the scratch database is built from its SQL, or
    from *schema*, a dump of a database that stands there.
    The server is one of our own, or that of *dsn* (see `scratch`). Touched tables get
    *rows* rows each. *settings* is what the project's runner sets for its session, by
    default what `platform db upgrade` sets; *version_table* is where it keeps the
    version. *online* runs a revision that has no SQL, only Python, on the database of
    a URL; it is then measured as a whole. *begin* does to the database of a URL what
    the project does before its revisions, and returns how its session is set up.
    *queries* are statements of the application that are planned before and after each
    revision. A statement that runs longer than *limit_s* seconds is cancelled.
    *progress* hears what is being done; *look* is shown each revision's id with the
    catalog before it and after it.

    A revision that fails is part of the result: what could not be run is there as not
    measured, with the reason. Raises UnreadableSql for SQL that is none, Refused
    where *before* does not run or the scratch server fails, BadValue where *schema*
    does not, CannotConnect where no server is.
    """
    start = Start.of(sources, before, version_table, begin, schema)
    options = Options(
        session_of(settings),
        rows,
        limit_s,
        version_table,
        progress or (lambda _: None),
        look or (lambda *_: None),
        online,
        tuple(queries),
    )
    with (
        faults_told(),
        scratch(dsn, insist=insist, texts=start.texts()) as server,
    ):
        return _measured(server, start, options)


@dataclass(slots=True)
class Start:
    """How a database begins, before *history* is run; *said* is what that told."""

    version_table: str
    begin: Callable[[str], Prologue] | None
    schema: Dump | None
    history: Sequence[Plan]
    todo: Sequence[Plan]
    said: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        sources: Iterable[RevisionSource],
        before: Iterable[RevisionSource],
        version_table: str,
        begin: Callable[[str], Prologue] | None,
        schema: Dump | None,
    ) -> Self:
        """Return the start of *sources*; a *schema* stands for what came *before*."""
        todo = [Plan.of(source, version_table) for source in sources]
        history = [
            Plan.only_up(source, version_table) for source in before if schema is None
        ]
        return cls(version_table, begin, schema, history, todo)

    def texts(self) -> list[str]:
        """Return all SQL that will be run."""
        texts = [sql_of(plan.source) for plan in (*self.history, *self.todo)]
        return texts if self.schema is None else [*texts, self.schema.text]

    def __call__(self, place: Target) -> Prologue:
        """Begin in *place*, an empty database; return how the session is set up."""
        if self.schema is not None:
            chosen = [plan.source for plan in self.todo]
            is_first = bool(chosen) and chosen[0].down_revision is None
            self.said = load(place, self.schema, self.version_table, is_first=is_first)
        if self.begin is None:
            return Prologue()
        found_version_schema(place, self.version_table)
        return self.begin(place.url)


def _measured(server: Scratch, start: Start, options: Options) -> Review:
    begun = start(server.place)
    options = begun.around(options)
    history, todo = begun.plans(start.history), begun.plans(start.todo)
    said = start.said
    version = build(server.place, history, options)
    with roles_dropped(server) as heard, Detour(server, options, start) as detour:
        detour.passed(*history)
        stair = Stair(server, options, detour, heard)
        done = [stair.step(plan) for plan in todo]
    if start.schema is None:
        done = list(map(_advised, done))
    if done and said:
        done[0] = replace(done[0], notes=(*said, *done[0].notes))
    return Review(
        base=history[-1].source.revision if history else None,
        head=todo[-1].source.revision if todo else "",
        server_version=version,
        rows=options.rows,
        revisions=tuple(done),
        is_measured=all(map(_is_measured, done)),
    )


def _advised(revision: RevisionFacts) -> RevisionFacts:
    """Return *revision* with a next step, where its way up misses something."""
    failed = any(statement.error for statement in revision.up)
    advice = not_made(revision.error or "") if failed else None
    if advice is None:
        return revision
    return replace(revision, error=f"{revision.error}; {advice}")


def session_of(settings: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return what to set for a session: *settings*, or what our own runner sets."""
    if settings is not None:
        return settings
    from ai_platform.runner import migration_settings  # noqa: PLC0415 - loads Alembic

    return migration_settings(own_settings())


@contextmanager
def faults_told() -> Iterator[None]:
    """Turn what the scratch server could not do into Refused, with a next step."""
    try:
        yield
    except psycopg.Error as error:
        raise Refused(
            f"the scratch server failed: {first_line(error)}",
            hint="is its disk full? see its log, then review again",
        ) from error


def _is_measured(revision: RevisionFacts) -> bool:
    """Return whether nothing of *revision* was left unmeasured."""
    return revision.error is None and all(
        statement.is_measured for statement in (*revision.up, *revision.down)
    )
