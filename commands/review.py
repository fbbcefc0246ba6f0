"""`platform review`: what a change will do to production, measured."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

import typer

from ._console import AsJson, example, group, note, progress, say
from ._review_files import check_out, report, write_reports
from ._review_options import (
    Accept,
    Config,
    Dsn,
    Engine,
    Env,
    FailOn,
    Format,
    GitBase,
    Insist,
    Measure,
    OldCode,
    Out,
    Profile,
    Python,
    Rows,
    Schema,
    Set,
    Span,
    Stats,
    Timeout,
    X,
    check_choice,
    environment,
    limit_s,
    printed,
    session,
    sizes,
    target,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ai_platform.review._plan import Told
    from ai_platform.review.facts import Review
    from ai_platform.review.projects import Project
    from ai_platform.review.run import Asked

    from ._review_options import Printed, Severity

app = group("The DBA review: what a change will do to production, measured.")

_READING_S: Final = 60.0


@app.command(
    epilog=example(
        "platform review",
        "platform review --git-base main --out review.md --out review.sarif",
        "platform review --config ../shop/alembic.ini --python ../shop/.venv",
    )
)
def review(
    span: Span = None,
    *,
    git_base: GitBase = None,
    config: Config = None,
    python: Python = None,
    env: Env = None,
    x: X = None,
    engine: Engine = None,
    settings: Set = None,
    dsn: Dsn = None,
    insist: Insist = None,
    profile: Profile = None,
    rows: Rows = None,
    stats: Stats = None,
    accept: Accept = None,
    old_code: OldCode = None,
    schema: Schema = None,
    fail_on: FailOn = "error",
    measure: Measure = True,
    timeout: Timeout = None,
    out: Out = None,
    format_: Format = "text",
    as_json: AsJson = False,
) -> None:
    """Run revisions on a scratch server full of rows; judge what was seen.

    Per statement: locks, who waits, rewrites, scans, WAL, time; per revision whether
    its way down leads back and the data survives. Nothing touches production.

    Exit codes: 0 safe, or every finding accepted; 1 findings, or something could not
    be measured; 2 usage; 3 no scratch server; 4 a revision failed, or its way down
    does not lead back.
    """
    from ai_platform.review import projects, run  # noqa: PLC0415 - slow to import

    check_choice(span, git_base, dsn, insist)
    format_ = printed(format_, as_json=as_json)
    rows, stats = sizes(profile, rows, stats, is_measured=measure)
    for path in out or ():
        check_out(path)
    asked = run.Asked(
        rows=rows,
        dsn=target(dsn),
        insist=insist,
        limit_s=limit_s(timeout),
        settings=session(settings, is_ours=config is None),
        is_measured=measure,
        old_code=old_code,
        schema=schema,
        stats=stats,
    )
    run.check(asked)
    given: dict[str, Any] = {"env": environment(env), "x": x or (), "engine": engine}
    read = partial(projects.read, config, python, span, git_base=git_base, **given)
    wait_s = max(timeout or 0, _READING_S)
    project, found = _reviewed(partial(read, timeout_s=wait_s), asked, accept)
    _write(project, found, format_, out or ())
    _end(found, fail_on)


def _reviewed(
    read: Callable[[], Project], asked: Asked, accept: Path | None
) -> tuple[Project, Review]:
    """Read the revisions and review them, telling how far that is."""
    from ai_platform.review import run  # noqa: PLC0415 - slow to import

    with progress("reading the revisions") as tell:
        project = read()
        asked = run.with_acceptances(asked, accept, project)
        found = run.review(project, asked, progress=_telling(tell))
    for remark in project.notes:
        note(remark)
    return project, found


def _write(
    project: Project, found: Review, format_: Printed, paths: Sequence[Path]
) -> None:
    """Write the reports of *paths*, and print one."""
    try:
        write_reports(found, project, paths)
    finally:  # a disk that filled up meanwhile does not hide what was found
        if format_ == "text":
            _show(found)
        else:
            say(report(found, project, format_).rstrip("\n"))


def _end(found: Review, fail_on: Severity) -> NoReturn:
    """Leave with the exit code of *found*, and say what it means."""
    from ai_platform.review.reports.verdict import (  # noqa: PLC0415
        exit_code,
        exit_meaning,
    )

    note(exit_meaning(found, fail_on))
    raise typer.Exit(exit_code(found, fail_on))


def _telling(tell: Callable[[str], None]) -> Callable[[Told], None]:
    def told(step: Told) -> None:
        place = f" {step.number:,} of {step.total:,}" if step.total else ""
        detail = f" {step.detail}" if step.detail else ""
        again = f"{step.round}: " if step.round else ""
        tell(f"{again}{step.revision}: {step.doing}{detail}{place}")

    return told


def _show(found: Review) -> None:
    from ai_platform.review.reports.terminal import to_terminal  # noqa: PLC0415

    from ._review_report import show_review  # noqa: PLC0415

    show_review(to_terminal(found))
