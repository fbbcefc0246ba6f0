"""`platform review`: what a change will do to production, measured."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import urlsplit

import typer

from ai_platform.errors import BadValue

from ._console import AsJson, example, group, note, progress, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_platform.connection import Target
    from ai_platform.review._plan import Told
    from ai_platform.review.facts import Review

app = group("The DBA review: what a change will do to production, measured.")

Severity = Literal["error", "warning", "note"]
Printed = Literal["text", "md", "html", "json", "sarif"]
Span = Annotated[
    str | None,
    typer.Argument(
        metavar="[REV|A..B]", help="What to review; the last revision by default."
    ),
]
GitBase = Annotated[
    str | None,
    typer.Option(
        "--git-base",
        metavar="REF",
        help="Review the revisions that are new or edited since this Git ref.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="alembic.ini or pyproject.toml of another Alembic project.",
    ),
]
Python = Annotated[
    Path | None,
    typer.Option(
        "--python",
        metavar="PATH",
        help="The other project's interpreter, or the folder of its environment.",
    ),
]
Env = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        metavar="NAME[=VALUE]",
        help="A variable that its env.py needs; without a value the one that it has "
        "here, so that a password is in no command line.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="What the other project's runner sets for its session, such as "
        "lock_timeout=4s.",
    ),
]
Dsn = Annotated[
    str | None,
    typer.Option(
        "--dsn",
        metavar="URL",
        help="A server for tests, its database empty; without a password, which "
        "PGPASSWORD or a password file gives. Default: an embedded server.",
    ),
]
Insist = Annotated[
    str | None,
    typer.Option(
        "--insist",
        metavar="NAME",
        help="Use the server of --dsn although database NAME holds tables.",
    ),
]
Format = Annotated[
    Printed,
    typer.Option("--format", help="What to print."),
]
Sizes = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="SIZE|FILE",
        help="Sizes by name: small (1,000 rows), medium (100,000) or large "
        "(1,000,000); or a file, as --stats.",
    ),
]
Rows = Annotated[
    int | None,
    typer.Option(
        "--rows", help="Rows in each touched table, up to 10,000,000 [100000]."
    ),
]
Stats = Annotated[
    Path | None,
    typer.Option(
        "--stats",
        metavar="FILE",
        help="What `platform stats export` wrote in production: holds are estimated.",
    ),
]
Accept = Annotated[
    Path | None,
    typer.Option(
        "--accept",
        metavar="FILE",
        help="Findings somebody answers for [review.accept.toml beside the config].",
    ),
]
Schema = Annotated[
    Path | None,
    typer.Option(
        "--schema",
        metavar="FILE",
        help="Begin from `pg_dump --schema-only` of a database that stands there, "
        "instead of running the history before.",
    ),
]
FailOn = Annotated[
    Severity, typer.Option("--fail-on", help="Exit with 1 from this severity on.")
]
Measure = Annotated[
    bool,
    typer.Option(
        "--measure/--no-measure", help="Run it on a scratch server, or only read it."
    ),
]
OldCode = Annotated[
    Path | None,
    typer.Option(
        "--old-code",
        metavar="FILE",
        help="Statements of the previous release, which must still work.",
    ),
]
Out = Annotated[
    list[Path] | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write a report too: .md, .html, .json or .sarif. May be repeated.",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        help="How long a statement may run [600]; reading the project may take 60 s at "
        "least.",
    ),
]

_ROWS: Final = 100_000
_MOST_ROWS: Final = 10_000_000
_PROFILES: Final = {"small": 1_000, "medium": _ROWS, "large": 1_000_000}
_MOST_S: Final = 86_400.0
_READING_S: Final = 60.0
_STATEMENT_S: Final = 600.0


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
    settings: Set = None,
    dsn: Dsn = None,
    insist: Insist = None,
    profile: Sizes = None,
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
    from ai_platform.review.reports.verdict import (  # noqa: PLC0415
        exit_code,
        exit_meaning,
    )

    from ._review_files import check_out, report, write_reports  # noqa: PLC0415

    _check(span, git_base, dsn, insist)
    if not measure:
        _check_sizes(profile, rows)
    format_ = _format(format_, as_json=as_json)
    rows, stats = _sizes(profile, rows, stats)
    for path in out or ():
        check_out(path)
    limit_s = None if timeout is None else _within("--timeout", timeout, 1, _MOST_S)
    asked = run.Asked(
        rows=int(_within("--rows", rows, 0, _MOST_ROWS)),
        dsn=_target(dsn),
        insist=insist,
        limit_s=limit_s or _STATEMENT_S,
        settings=_settings(settings, is_ours=config is None),
        is_measured=measure,
        old_code=old_code,
        schema=schema,
        stats=stats,
    )
    run.check(asked)
    with progress("reading the revisions") as tell:
        project = projects.read(
            config,
            python,
            span,
            git_base=git_base,
            env=_environment(env) or None,
            timeout_s=max(limit_s or 0, _READING_S),
        )
        asked = run.with_acceptances(asked, accept, project)
        found = run.review(project, asked, progress=_telling(tell))
    for remark in project.notes:
        note(remark)
    try:
        write_reports(found, project, out or [])
    finally:  # a disk that filled up meanwhile does not hide what was found
        if format_ == "text":
            _show(found)
        else:
            say(report(found, project, format_).rstrip("\n"))
    note(exit_meaning(found, fail_on))
    raise typer.Exit(exit_code(found, fail_on))


def _check(
    span: str | None, git_base: str | None, dsn: str | None, insist: str | None
) -> None:
    """Refuse options of which one would silently count for nothing."""
    if span is not None and git_base is not None:
        raise BadValue(
            f"either {span!r} or --git-base {git_base} says what to review",
            hint="leave one of them out",
        )
    if insist is not None and dsn is None:
        raise BadValue(
            f"--insist {insist} is for a server named by --dsn", hint="add --dsn URL"
        )
    if dsn is not None and not dsn.strip():  # or the usual database would be meant
        raise BadValue("--dsn is empty", hint="name a server for tests, or drop it")


def _check_sizes(profile: str | None, rows: int | None) -> None:
    """Refuse sizes where nothing is measured; of the rest `run.check` knows."""
    for name, value in (("--profile", profile), ("--rows", rows)):
        if value is not None:
            raise BadValue(f"{name} is for measuring", hint="drop --no-measure")


def _format(format_: Printed, *, as_json: bool) -> Printed:
    if as_json and format_ not in {"text", "json"}:
        raise BadValue(
            f"either --json or --format {format_} says what to print",
            hint="leave one of them out",
        )
    return "json" if as_json else format_


def _sizes(
    profile: str | None, rows: int | None, stats: Path | None
) -> tuple[int, Path | None]:
    """Return the rows, and the file of statistics, that the three options ask for."""
    named = _PROFILES.get(profile or "")
    other, value = ("--stats", stats) if named is None else ("--rows", rows)
    if profile is not None and value is not None:
        raise BadValue(
            f"either --profile {profile} or {other} {value} says the sizes",
            hint="leave one of them out",
        )
    if profile is not None and named is None:
        stats = Path(profile)
        if not stats.exists():
            raise BadValue(
                f"no such profile: got {profile!r}",
                hint=f"{', '.join(_PROFILES)}, or a file of `platform stats export`",
            )
    return named or (_ROWS if rows is None else rows), stats


def _within(option: str, given: float, least: float, most: float) -> float:
    """Return *given*; raises BadValue for what is not from *least* to *most*."""
    if not least <= given <= most:
        raise BadValue(
            f"{option} must be from {least:,.0f} to {most:,.0f}, got {given:,}",
            hint="platform review --help",
        )
    return given


def _target(dsn: str | None) -> Target | None:
    if dsn is None:
        return None
    from ai_platform.connection import resolve  # noqa: PLC0415 - loads psycopg

    target = resolve(dsn, source="--dsn")
    if target.password is not None:
        raise BadValue(
            "--dsn holds a password, which everybody on this machine can read",
            hint="leave it out; PGPASSWORD or a password file gives it",
        )
    parts = urlsplit(target.url)
    if not parts.path.lstrip("/"):
        raise BadValue("--dsn names no database", hint="add one that is empty")
    return target


def _settings(given: list[str] | None, *, is_ours: bool) -> dict[str, str] | None:
    """Return what the session is to set; None for what our own runner sets."""
    if not is_ours:
        return _pairs("--set", given)
    if given:
        raise BadValue("--set is for another project", hint="add --config, or drop it")
    return None


def _environment(given: list[str] | None) -> dict[str, str]:
    """Return the variables of `--env`, those without a value as they are here."""
    names = [item for item in given or () if item and "=" not in item]
    for name in names:
        if name not in os.environ:
            raise BadValue(
                f"--env {name}: there is no such variable here",
                hint=f"export it first, or give it: --env {name}=VALUE",
            )
    here = {name: os.environ[name] for name in names}
    others = [item for item in given or () if item not in here]
    return {**_pairs("--env", others), **here}


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    pairs = [item.partition("=") for item in given or ()]
    for name, sign, _ in pairs:
        if not name or not sign:
            raise BadValue(f"{option} needs NAME=VALUE, such as {option} STAGE=test")
    return {name: value for name, _, value in pairs}


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
