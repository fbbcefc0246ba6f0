"""`platform partitions`: make time partitions ahead, remove what has expired."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._console import AsJson, DryRun, example, group, note, progress, show
from ._standing import require_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from psycopg import Connection

    from ai_platform.maintenance.partitions import ParentStatus, Step

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
    "size_bytes": "bytes",
    "estimated_rows": "rows (estimate)",
    "oldest": "oldest",
    "expired": "expired",
    "problems": "problems",
}


@app.command(epilog=example("platform partitions plan --at 2027-01-01"))
def plan(table: Table = None, at: At = None, as_json: AsJson = False) -> None:
    """Show the partitions that apply would create, without creating them."""
    from ai_platform.maintenance import partitions  # noqa: PLC0415

    now = _moment(at)
    with _opened() as conn:
        _report(partitions.plan(conn, now=now, table=table), as_json=as_json)


@app.command(epilog=example("platform partitions apply --table public.request_logs"))
def apply(
    table: Table = None,
    at: At = None,
    wait: Wait = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Create what is missing, up to the horizon of each policy."""
    if dry_run:
        plan(table=table, at=at, as_json=as_json)
        return
    from ai_platform.maintenance import partitions  # noqa: PLC0415

    now = _moment(at)
    with _opened() as conn, progress("creating partitions"):
        steps = partitions.apply(conn, now=now, table=table, wait_s=wait)
    _report(steps, as_json=as_json)


@app.command(epilog=example("platform partitions prune --dry-run --at 2027-01-01"))
def prune(
    table: Table = None,
    at: At = None,
    wait: Wait = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Drop partitions past their retention; finish what an earlier run left.

    Exit code 1: something was delayed by an open transaction, or failed. The next
    run goes on where this one stopped.
    """
    from ai_platform.maintenance import partitions  # noqa: PLC0415

    now = _moment(at)
    with _opened() as conn, progress("removing partitions"):
        steps = partitions.prune(
            conn, now=now, table=table, dry_run=dry_run, wait_s=wait
        )
    _report(steps, as_json=as_json)


@app.command(epilog=example("platform partitions status --json"))
def status(table: Table = None, at: At = None, as_json: AsJson = False) -> None:
    """Show how far the partitions reach; exit code 1 when something needs attention."""
    from ai_platform.maintenance import partitions  # noqa: PLC0415

    now = _moment(at)
    with _opened() as conn:
        found: list[ParentStatus] = partitions.status(conn, now=now, table=table)
    show(found, as_json=as_json, columns=_STATUS_COLUMNS, empty="no partition policy")
    if any(one.problems for one in found):
        raise typer.Exit(1)


@contextmanager
def _opened() -> Iterator[Connection[Any]]:
    """Give a connection for maintenance to a database at the newest revision."""
    from ai_platform.connection import resolve  # noqa: PLC0415 - loads psycopg
    from ai_platform.maintenance import partitions  # noqa: PLC0415

    target = resolve()
    with partitions.opened(target) as connection:
        require_schema(connection, target)
        yield connection


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
