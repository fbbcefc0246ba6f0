"""A whole review: read a project's revisions, measure them, judge what was seen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from ai_platform.connection import connect
from ai_platform.errors import BadValue

from . import _prologue as prologue
from . import (
    acceptances,
    compatibility,
    dump,
    estimate,
    lost_ways,
    on_rows,
    plans,
    production,
    projects,
    unread,
)
from ._base import build
from ._foreign import TIMEOUT_S
from ._history import BASE
from ._plan import Options, Plan
from .facts import Finding, Review, RevisionFacts, StatementFacts
from .measure import ROWS, Start, faults_told, measure, session_of
from .rules import Evidence, all_rules, engine
from .scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ai_platform.catalog import Snapshot
    from ai_platform.connection import Target

    from ._plan import Told
    from ._prologue import Prologue
    from .production import Statistics
    from .projects import Project

__all__ = ["Asked", "check", "review", "texts", "with_acceptances"]

_LIMIT_S: Final = 600.0
_FEWER: Final = 10
_UNITS_MS: Final = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000}
_DURATION: Final = re.compile(rf"\s*(\d+)\s*({'|'.join(_UNITS_MS)})?\s*")


@dataclass(frozen=True, slots=True)
class Asked:
    """How to review; see the options of `platform review`.

    *settings* is what the project's runner sets for its session; None is ours. *stats*
    is a file of production statistics, *old_code* one of statements that must still
    work, *schema* a dump to begin from. *today* decides which acceptances have expired.
    """

    rows: int = ROWS
    dsn: Target | None = None
    insist: str | None = None
    limit_s: float = _LIMIT_S
    settings: Mapping[str, str] | None = None
    accept: Path | None = None
    is_measured: bool = True
    stats: Path | None = None
    old_code: Path | None = None
    schema: Path | None = None
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    @property
    def python_s(self) -> float:
        """Return how many seconds the project's Python may run: starting takes some."""
        return max(self.limit_s, TIMEOUT_S)


def check(asked: Asked) -> None:
    """Look at what can be wrong before anything is run; raises BadValue."""
    if not asked.is_measured:
        for name, value in (
            ("--dsn", asked.dsn),
            ("--insist", asked.insist),
            ("--old-code", asked.old_code),
            ("--schema", asked.schema),
            ("--stats", asked.stats),
        ):
            if value is not None:
                raise BadValue(f"{name} is for measuring", hint="drop --no-measure")
    if asked.old_code is not None:
        compatibility.load(asked.old_code)
    if asked.schema is not None:
        dump.read(asked.schema)
    if asked.stats is not None:
        production.load(asked.stats)
        if asked.rows < _FEWER:
            raise BadValue(
                f"--stats needs rows to reckon from: got --rows {asked.rows}",
                hint="leave --rows out, or ask for thousands",
            )


def with_acceptances(asked: Asked, path: Path | None, project: Project) -> Asked:
    """Return *asked* with the file of acceptances: *path*, or the project's own."""
    usual = project.place.folder / acceptances.FILE
    if path is None and usual.is_file():
        path = usual
    return replace(asked, accept=path)


def review(
    project: Project,
    asked: Asked,
    *,
    progress: Callable[[Told], None] | None = None,
) -> Review:
    """Return the review of the revisions of *project*.

    Raises what `measure` raises, and BadValue for a file of acceptances that cannot
    be read; that is looked at before anything is measured.
    """
    rules = [rule.id for rule in all_rules()]
    known = [
        *rules,
        engine.CRASH,
        lost_ways.LEAK,
        lost_ways.LOSS,
        lost_ways.NONE,
        unread.RULE,
        on_rows.RULE,
        compatibility.RULE,
        estimate.RULE,
        plans.RULE,
        plans.CHANGED,
    ]
    entries = (
        acceptances.read(asked.accept, rules=known) if asked.accept is not None else ()
    )
    statistics = production.load(asked.stats) if asked.stats is not None else None
    catalogs: dict[str, tuple[Snapshot, Snapshot]] = {}
    if asked.is_measured and project.revisions:
        found = _measured(project, asked, catalogs, progress)
        if statistics is not None:
            found = _estimated(project, asked, found, statistics, progress)
    else:
        found = _read(project, asked)
    findings = [
        *engine.judge(found, _evidence(project, asked, catalogs, statistics)),
        *_held_long(found, statistics),
        *lost_ways.findings(found),
        *unread.findings(found),
        *on_rows.findings(found),
        *(item for one in found.revisions for item in plans.findings(one)),
        *_old_code(project, asked, found),
    ]
    accepted = acceptances.accept(
        findings,
        entries,
        today=asked.today,
        reviewed=[item.revision for item in project.revisions],
        known=project.history.order,
    )
    return replace(found, findings=accepted)


def _measured(
    project: Project,
    asked: Asked,
    catalogs: dict[str, tuple[Snapshot, Snapshot]],
    progress: Callable[[Told], None] | None,
) -> Review:
    def look(revision: str, before: Snapshot, after: Snapshot) -> None:
        catalogs[revision] = (before, after)

    heard: list[Prologue] = []
    found = measure(
        project.revisions,
        before=() if asked.schema else project.before,
        dsn=asked.dsn,
        insist=asked.insist,
        rows=asked.rows,
        settings=asked.settings,
        version_table=project.version_table,
        online=projects.Python(project, asked.python_s),
        begin=_begin(project, asked, heard),
        queries=compatibility.load(asked.old_code) if asked.old_code else (),
        limit_s=asked.limit_s,
        schema=None if asked.schema is None else dump.read(asked.schema),
        progress=progress,
        look=look,
    )
    # what could not be run was to be measured all the same
    return replace(
        found,
        base=(project.base or BASE) if asked.schema else found.base,
        is_measured=True,
        revisions=prologue.told(found.revisions, heard[:1]),
    )


def _estimated(
    project: Project,
    asked: Asked,
    found: Review,
    statistics: Statistics,
    progress: Callable[[Told], None] | None,
) -> Review:
    """Return *found* with what each statement will take on the sizes of production.

    A second measurement of the ways up, with a tenth of the rows, tells what every
    size costs from what each row costs. Where few rows were asked for, it is made with
    more instead.
    """
    is_more = asked.rows < estimate.LEAST_ROWS
    rows = estimate.LEAST_ROWS if is_more else asked.rows // _FEWER
    again = replace(asked, rows=rows, old_code=None)
    up = tuple(
        replace(one, down_sql=None, down_error=None) for one in project.revisions
    )
    only_up = replace(project, revisions=up)
    told = _once_more(progress, f"once more with {rows:,} rows")
    second = {
        one.revision: one for one in _measured(only_up, again, {}, told).revisions
    }
    if is_more:
        made = estimate.with_more_rows(found.revisions, second, statistics)
    else:
        made = tuple(
            estimate.estimated(second.get(one.revision), one, statistics)
            for one in found.revisions
        )
    return replace(found, revisions=made)


def _once_more(
    progress: Callable[[Told], None] | None, round_: str
) -> Callable[[Told], None] | None:
    """Return *progress* that is told which round it is about."""
    if progress is None:
        return None
    return lambda told: progress(replace(told, round=round_))


def _held_long(found: Review, statistics: Statistics | None) -> Iterator[Finding]:
    if statistics is not None:
        for one in found.revisions:
            yield from estimate.findings(one, statistics)


def _read(project: Project, asked: Asked) -> Review:
    """Return the review of the text alone."""
    read = [Plan.of(item, project.version_table) for item in project.revisions]
    return Review(
        base=project.base,
        head=project.head or "",
        server_version="",
        rows=0,
        revisions=tuple(map(_facts, read)),
        is_measured=asked.is_measured,
    )


def _facts(plan: Plan) -> RevisionFacts:
    source = plan.source
    return RevisionFacts(
        revision=source.revision,
        down_revision=source.down_revision,
        title=source.title,
        file=source.file,
        up=tuple(
            StatementFacts(
                number=item.number,
                sql=item.sql,
                tag=item.tag,
                in_transaction=item.transaction is not None,
                line=item.line,
                is_measured=False,
            )
            for item in plan.up
        ),
        notes=unread.notes(source),
    )


def _old_code(project: Project, asked: Asked, found: Review) -> Iterator[Finding]:
    """Yield what of the previous release the new schema refuses, revision by revision.

    In a database of its own: the measured one goes up and down. Nothing where a
    revision failed: what comes after it cannot be reached.
    """
    if asked.old_code is None or any(one.error for one in found.revisions):
        return
    statements = compatibility.load(asked.old_code)
    start = Start.of(
        project.revisions,
        project.before,
        project.version_table,
        _begin(project, asked, []),
        dump.read(asked.schema) if asked.schema else None,
    )
    options = Options(
        session_of(asked.settings),
        0,
        asked.limit_s,
        project.version_table,
        lambda _: None,
        lambda *_: None,
        projects.Python(project, asked.python_s),
    )
    with (
        faults_told(),
        scratch(asked.dsn, insist=asked.insist, texts=start.texts()) as server,
        connect(server.place, application_name="platform-review") as connection,
    ):
        begun = start(server.place)
        options = begun.around(options)
        build(server.place, begun.plans(start.history), options)
        fit, unfit = compatibility.describe(connection, statements)
        if project.revisions:
            yield from compatibility.beside(project.revisions[0], fit, unfit)
        for plan in begun.plans(start.todo):
            build(server.place, [plan], options)
            broken = compatibility.unusable(connection, fit)
            yield from compatibility.findings(plan.source, broken)
            gone = {item.statement for item in broken}
            fit = tuple(item for item in fit if item not in gone)


def _begin(
    project: Project, asked: Asked, heard: list[Prologue]
) -> Callable[[str], Prologue] | None:
    """Return what runs env.py on the database of a URL; *heard* gets what it says.

    Ours says nothing beforehand.
    """

    def begin(url: str) -> Prologue:
        heard.append(prologue.begin(project.place, url, timeout_s=asked.python_s))
        return heard[-1]

    return None if project.place.is_ours else begin


def texts(project: Project) -> dict[str, str]:
    """Return the text of each reviewed revision's file, by its name."""
    found = {item.file: _python(project, item.file) for item in project.revisions}
    return {file: text for file, text in found.items() if text is not None}


def _evidence(
    project: Project,
    asked: Asked,
    catalogs: Mapping[str, tuple[Any, Any]],
    statistics: Statistics | None,
) -> dict[str, Evidence]:
    python = texts(project)
    rows = (
        {one.name: int(one.rows) for one in statistics.tables if one.rows is not None}
        if statistics is not None
        else {}
    )
    # a runner sets it outside the SQL
    limit_ms = _milliseconds(session_of(asked.settings).get("lock_timeout", ""))
    return {
        source.revision: Evidence(
            source=source,
            before=catalogs.get(source.revision, (None, None))[0],
            after=catalogs.get(source.revision, (None, None))[1],
            python=python.get(source.file),
            production=rows,
            lock_timeout_ms=limit_ms,
        )
        for source in project.revisions
    }


def _milliseconds(setting: str) -> int | None:
    """Return how long PostgreSQL takes *setting* for; None where it says nothing."""
    found = _DURATION.fullmatch(setting)
    return int(found[1]) * _UNITS_MS[found[2] or "ms"] if found else None


def _python(project: Project, file: str) -> str | None:
    try:
        return (project.place.folder / file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError):
        return None
