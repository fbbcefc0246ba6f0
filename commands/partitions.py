"""`platform partitions`: make time partitions ahead, remove what has expired."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ai_platform.amounts import in_bytes

from ._console import (
    AsJson,
    DryRun,
    Yes,
    confirm,
    example,
    group,
    note,
    progress,
    say,
    show,
)
from ._interrupt import terminable
from ._maintenance import Archive, archive_folder, opened

if TYPE_CHECKING:
    from datetime import datetime

    from ai_platform.maintenance.partitions import ParentStatus, Step
    from ai_platform.maintenance.policies import Changed

app = group("Time partitions: made ahead, listed, removed when they expire.")

Table = Annotated[
    str | None,
    typer.Option("--table", metavar="NAME", help="Only this table, as schema.table."),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        "--now",
        metavar="DATE",
        help="Take this ISO date or time for now; UTC unless it says otherwise.",
    ),
]
Wait = Annotated[
    float | None,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        help="How long one partition waits for other transactions [apply: "
        "PLATFORM_RETRY_FOR, prune: 20].",
    ),
]

ConvertAll = Annotated[
    bool,
    typer.Option(
        "--convert-all",
        help="Also rewrite partitions with rows that are UNLOGGED or logged against "
        "the policy; their readers and writers wait.",
    ),
]
Count = Annotated[
    bool,
    typer.Option(
        "--count",
        help="Count the rows and find the oldest and the newest, which reads all.",
    ),
]
Each = Annotated[
    bool, typer.Option("--partitions", help="List every partition of every table.")
]
File = Annotated[
    Path, typer.Argument(metavar="FILE", help="The .csv.gz; its .json stands beside.")
]
Into = Annotated[
    str | None,
    typer.Option(
        "--into", metavar="NAME", help="Make this table for them, as schema.table."
    ),
]
PolicyTable = Annotated[
    str, typer.Argument(metavar="TABLE", help="The table, as schema.table.")
]
Durable = Annotated[
    bool | None,
    typer.Option(
        "--durable/--unlogged",
        help="New partitions survive a crash, or cost no WAL.",
        show_default=False,
    ),
]
Retention = Annotated[
    str | None,
    typer.Option(
        "--retention", metavar="TIME", help="Age at which they go: 30d, 1 year, none."
    ),
]
Ahead = Annotated[
    int | None,
    typer.Option("--ahead", metavar="N", help="How many are made ahead, 1 to 400."),
]
By = Annotated[
    str | None,
    typer.Option("--granularity", metavar="PERIOD", help="day, week or month."),
]
Enabled = Annotated[
    bool | None,
    typer.Option(
        "--enable/--disable", help="Follow the policy, or not.", show_default=False
    ),
]

_STEP_COLUMNS = {
    "outcome": "outcome",
    "action": "action",
    "parent": "table",
    "partition": "partition",
    "lower": "from",
    "upper": "to",
    "detail": "detail",
}
_STATUS_COLUMNS = {
    "parent": "table",
    "granularity": "by",
    "covered_until": "covered until",
    "partitions": "partitions",
    "size": "size",
    "row_count": "rows",
    "oldest_row": "oldest row",
    "newest_row": "newest row",
    "expired": "expired",
    "problems": "problems",
}
_EACH_COLUMNS = {
    "name": "partition",
    "lower": "from",
    "upper": "to",
    "size": "size",
    "row_count": "rows",
    "state": "state",
}


@app.command(epilog=example("platform partitions plan --at 2027-01-01"))
def plan(
    table: Table = None,
    at: At = None,
    convert_all: ConvertAll = False,
    as_json: AsJson = False,
) -> None:
    """Show what apply would create and convert, without doing it."""
    from ai_platform.maintenance import partitions  # noqa: PLC0415

    now = _moment(at)
    with opened() as conn:
        steps = partitions.plan(conn, now=now, table=table, convert_all=convert_all)
    _report(steps, as_json=as_json)


@app.command(epilog=example("platform partitions apply --table public.request_logs"))
def apply(
    table: Table = None,
    at: At = None,
    wait: Wait = None,
    convert_all: ConvertAll = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Create what is missing, up to the horizon of each policy.

    Empty partitions ahead that are UNLOGGED where the policy says durable, or the
    reverse, are converted.
    """
    if dry_run:
        plan(table=table, at=at, convert_all=convert_all, as_json=as_json)
        return
    from ai_platform.maintenance import partitions  # noqa: PLC0415

    now = _moment(at)
    with opened() as conn:
        if convert_all:
            _warn(partitions.plan(conn, now=now, table=table, convert_all=True), yes)
        with progress("creating partitions"):
            steps = partitions.apply(
                conn, now=now, table=table, convert_all=convert_all, wait_s=wait
            )
    _report(steps, as_json=as_json)


def _warn(planned: list[Step], yes: bool) -> None:  # noqa: FBT001 - private
    """Name what is rewritten, and ask."""
    rewritten = [step for step in planned if "rewritten" in step.detail]
    for step in rewritten:
        note(f"{step.partition} {step.detail}")
    if rewritten:
        confirm(f"rewrite {len(rewritten)} of them now?", yes=yes)


@app.command(epilog=example("platform partitions prune --dry-run --at 2027-01-01"))
def prune(
    table: Table = None,
    at: At = None,
    wait: Wait = None,
    archive: Archive = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Drop partitions past their retention; finish what an earlier run left.

    With --archive each is written to a file first and read back; what cannot be
    archived is not dropped. Exit code 1: something was delayed by an open
    transaction, or failed. The next run goes on where this one stopped.
    """
    from ai_platform.maintenance import partitions  # noqa: PLC0415

    now = _moment(at)
    folder = archive_folder(archive)
    with terminable(), opened() as conn, progress("removing partitions") as tell:
        steps = partitions.prune(
            conn,
            now=now,
            table=table,
            dry_run=dry_run,
            wait_s=wait,
            archive=folder,
            tell=tell,
        )
    _report(steps, as_json=as_json)


@app.command(epilog=example("platform partitions status --json"))
def status(
    table: Table = None,
    at: At = None,
    count: Count = False,
    each: Each = False,
    as_json: AsJson = False,
) -> None:
    """Show how far the partitions reach; exit code 1 when something needs attention."""
    from ai_platform.maintenance import partitions  # noqa: PLC0415

    now = _moment(at)
    with opened() as conn:
        found = partitions.status(conn, now=now, table=table, count=count)
        idle = [] if table else partitions.switched_off(conn)
    _show_status(found, each=each, as_json=as_json)
    for parent in idle:
        note(f"{parent}: its policy is switched off, nothing is made or removed there")
    if any(one.problems for one in found):
        raise typer.Exit(1)


def _show_status(found: list[ParentStatus], *, each: bool, as_json: bool) -> None:
    if as_json:
        show(found, as_json=True)
        return
    rows = [_counted(asdict(one)) for one in found]
    show(rows, as_json=False, columns=_STATUS_COLUMNS, empty="no partition policy")
    for one in found:
        for remark in one.remarks:
            note(f"{one.parent}: {remark}")
        if each:
            say()
            _show_each(one)


def _show_each(parent: ParentStatus) -> None:
    rows = []
    for one in parent.each:
        words = ["unlogged" if one.is_unlogged else "logged"]
        words += ["half detached"] if one.is_pending else []
        words += ["expired"] if one.is_expired else []
        words += ["differs"] if one.name in parent.persistence_differs else []
        rows.append({**_counted(asdict(one)), "state": ", ".join(words)})
    show(rows, as_json=False, columns=_EACH_COLUMNS, empty=f"{parent.parent}: none")


def _counted(row: dict[str, Any]) -> dict[str, Any]:
    """Return *row* with its size and its rows as people read them."""
    rows, estimate = row["rows"], row["estimated_rows"]
    about = None if estimate is None else f"~{estimate:,}"
    shown = about if rows is None else f"{rows:,}"
    return {**row, "size": in_bytes(row["size_bytes"]), "row_count": shown}


@app.command(epilog=example("platform partitions restore logs.old_20260101.csv.gz"))
def restore(
    file: File, into: Into = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Load an archived partition: into the table it left, or a new one.

    The checksums are verified first; all rows arrive or none.
    """
    from ai_platform.maintenance.restore import restore as load  # noqa: PLC0415

    with terminable(), opened() as conn, progress(f"reading {file.name}") as tell:
        done = load(conn, file, into=into, dry_run=dry_run, tell=tell)
    show(done, as_json=as_json)


@app.command(epilog=example("platform partitions policy public.request_logs --durable"))
def policy(
    table: PolicyTable,
    durable: Durable = None,
    retention: Retention = None,
    ahead: Ahead = None,
    granularity: By = None,
    enabled: Enabled = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Show how a table's partitions are made and removed, or change that.

    Partitions that exist stay; apply makes the coming ones by the new rules.
    """
    from ai_platform.maintenance import policies  # noqa: PLC0415

    wanted = policies.Change(granularity, ahead, retention, durable, enabled)
    with opened() as conn:
        changed = policies.change(conn, table, wanted, dry_run=dry_run)
    _show_change(changed, as_json=as_json)


def _show_change(changed: Changed, *, as_json: bool) -> None:
    if as_json:
        show(changed, as_json=True)
        return
    before, after = asdict(changed.before), asdict(changed.after)
    rows = [
        {"rule": name.replace("_", " "), "before": value, "after": after[name]}
        for name, value in before.items()
    ]
    show(rows, as_json=False)
    for effect in changed.effects:
        note(effect)


def _moment(at: str | None) -> datetime | None:
    from ai_platform.maintenance._bounds import moment  # noqa: PLC0415 - keeps help fast

    return None if at is None else moment(at)


def _report(steps: list[Step], *, as_json: bool) -> None:
    """Print *steps*; exit with 1 when one needs attention."""
    from ai_platform.maintenance.partitions import (  # noqa: PLC0415 - loads psycopg
        NEEDS_ATTENTION,
    )

    show(steps, as_json=as_json, columns=_STEP_COLUMNS, empty="nothing to do")
    hindered = [step for step in steps if step.outcome in NEEDS_ATTENTION]
    if hindered:
        note(f"{len(hindered)} of {len(steps)} steps need attention")
        raise typer.Exit(1)
