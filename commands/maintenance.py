"""`platform maintenance`: the nightly run, its health and its schedules."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ai_platform.errors import BadValue

from ._console import AsJson, DryRun, example, group, note, progress, say, show
from ._interrupt import terminable
from ._maintenance import Archive, archive_folder, opened

if TYPE_CHECKING:
    from ai_platform.maintenance.run import Work

app = group("The nightly run, its health and its schedules.")

Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="PART",
        help="Only this part, may be repeated: detaches, partitions, statistics, "
        "prune, analyze, expiry.",
    ),
]
Skip = Annotated[
    list[str] | None,
    typer.Option("--skip", metavar="PART", help="Not this part, may be repeated."),
]
Wait = Annotated[
    float | None,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        help="How long each step waits for other transactions [partitions: "
        "PLATFORM_RETRY_FOR, others: 20].",
    ),
]
Cron = Annotated[bool, typer.Option("--cron", help="A line for a crontab.")]
Systemd = Annotated[bool, typer.Option("--systemd", help="A service and a timer.")]
PgCron = Annotated[
    bool, typer.Option("--pg-cron", help="SQL for pg_cron: what needs no client.")
]
At = Annotated[str, typer.Option("--at", metavar="HH:MM", help="Time of day, UTC.")]
Login = Annotated[
    str,
    typer.Option("--login", metavar="NAME", help="Who runs the jobs of pg_cron."),
]

_COLUMNS = {
    "work": "part",
    "outcome": "outcome",
    "detail": "detail",
    "seconds": "seconds",
}


@app.command(epilog=example("platform maintenance run --archive /var/archive"))
def run(
    only: Only = None,
    skip: Skip = None,
    archive: Archive = None,
    wait: Wait = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Do everything that is due: meant to be run every night.

    Finishes interrupted detaches, makes partitions, archives and refreshes daily
    statistics, removes expired partitions, analyzes partitioned tables, deletes
    sessions ended a week ago and jobs finished a month ago. The trouble of one part
    does not stop the next. While another run works, this one ends at once with 0.
    Exit code 1: something was delayed or failed.
    """
    from ai_platform.maintenance import run as library  # noqa: PLC0415 - loads psycopg

    works = library.chosen(only or (), skip or ())
    options = library.Options(works, dry_run, wait, archive_folder(archive))
    with terminable(), opened() as conn, progress("maintenance") as tell:
        done = library.run(conn, options, tell=tell)
    _report(done, as_json=as_json)


def _report(done: list[Work], *, as_json: bool) -> None:
    from ai_platform.maintenance.partitions import (  # noqa: PLC0415 - loads psycopg
        NEEDS_ATTENTION,
    )

    show(done, as_json=as_json, columns=_COLUMNS)
    hindered = [work for work in done if work.outcome in NEEDS_ATTENTION]
    if hindered:
        note(f"{len(hindered)} of {len(done)} parts need attention")
        raise typer.Exit(1)


@app.command(epilog=example("platform maintenance health --json"))
def health(as_json: AsJson = False) -> None:
    """Say whether the nightly runs do their work; exit code 1 when they do not."""
    from ai_platform.maintenance.health import findings  # noqa: PLC0415

    with opened() as conn:
        found = findings(conn)
    show(found, as_json=as_json)
    if any(not one.is_well for one in found):
        raise typer.Exit(1)


@app.command(epilog=example("platform maintenance schedule --systemd --at 00:10"))
def schedule(
    cron: Cron = False,
    systemd: Systemd = False,
    pg_cron: PgCron = False,
    at: At = "00:10",
    archive: Archive = None,
    login: Login = "platform_migrator",
    as_json: AsJson = False,
) -> None:
    """Print a schedule of the nightly run, ready to paste; changes nothing."""
    from ai_platform.connection import resolve  # noqa: PLC0415 - loads psycopg
    from ai_platform.maintenance import schedule as library  # noqa: PLC0415

    if cron + systemd + pg_cron != 1:
        raise BadValue(
            "say for what the schedule is", hint="--cron, --systemd or --pg-cron"
        )
    when = library.at(at)
    if pg_cron:
        with opened() as conn:
            tables = library.parents(conn)
            text = library.pg_cron(when, conn.info.dbname, login, tables)
    else:
        folder = archive_folder(archive)
        command = [_program(), "maintenance", "run"]
        if folder is not None:
            command += ["--archive", str(folder.absolute())]
        printed = library.cron if cron else library.systemd
        text = printed(when, command, resolve().database)
    if as_json:
        show({"at": f"{when:%H:%M}", "text": text}, as_json=True)
    else:
        say(text)


def _program() -> str:
    """Return where this program is: a timer has no PATH to speak of."""
    beside = Path(sys.executable).with_name("platform")
    return str(beside) if beside.exists() else shutil.which("platform") or "platform"
