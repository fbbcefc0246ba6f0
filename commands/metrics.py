"""`platform metrics`: collect numbers of this machine, keep the days, show both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ai_platform.errors import BadValue
from ai_platform.names import APP, LOG_WRITER, OWNER, READONLY, WORKER

from ._console import AsJson, example, group, note, progress, show

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from ai_platform.reading.window import Window

app = group("Metrics of nodes: collected here, kept by the day, shown.")

Node = Annotated[
    str | None, typer.Option("--node", metavar="NAME", help="Only this node.")
]


@app.command(epilog=example("platform metrics collect --every 10s --node-id db-1"))
def collect(
    every: Annotated[
        str | None,
        typer.Option(
            "--every",
            metavar="TIME",
            help="How often to write [PB_METRICS_INTERVAL, else 10s].",
        ),
    ] = None,
    node_id: Annotated[
        str | None,
        typer.Option(
            "--node-id",
            metavar="NAME",
            help="Who this is; unique [PB_NODE_ID or the host, with /collect].",
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Write one row and end.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, one object a line.")
    ] = False,
) -> None:
    """Collect numbers of this machine and of the database until Ctrl-C.

    SIGTERM ends it cleanly with 0. While the server is away, rows are kept and
    written later. With --once exit code 1 means that the row was not written.
    """
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow to import

    from ._collect import Collecting  # noqa: PLC0415 - loads psycopg
    from ._database import may_become  # noqa: PLC0415

    if node_id is not None and not node_id.strip():
        raise BadValue("--node-id is empty", hint="name the node, such as db-1")
    target = resolve()
    role = may_become(target, APP, LOG_WRITER)
    collecting = Collecting(target, role, every=every, node_id=node_id, as_json=as_json)
    if once:
        collecting.once()
    else:
        collecting.until_stopped()


@app.command(epilog=example("platform metrics refresh"))
def refresh(
    archive_only: Annotated[
        bool,
        typer.Option(
            "--archive-only", help="Archive finished days, as platform_worker may."
        ),
    ] = False,
    wait: Annotated[
        float | None,
        typer.Option(
            "--wait",
            metavar="SECONDS",
            min=0,
            max=86_400,
            help="How long to wait for another refresh [20].",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Archive finished days of metrics, then renew the view of daily statistics.

    In that order, so that no day is lost; readers go on. Run it once a day.
    """
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow to import
    from ai_platform.maintenance import daily_statistics, partitions  # noqa: PLC0415

    from ._database import database  # noqa: PLC0415
    from ._standing import require_schema  # noqa: PLC0415

    if archive_only:
        with database(WORKER, OWNER) as connection:
            archived = daily_statistics.archive(connection)
        show({"archived": archived}, as_json=as_json)
        return
    target = resolve()
    with partitions.opened(target) as connection, progress("computing daily figures"):
        require_schema(connection, target)
        done = daily_statistics.refresh(connection, wait_s=wait)
    show(done, as_json=as_json)


@app.command("show", epilog=example("platform metrics show --since 1h --html m.html"))
def show_(
    node: Node = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="From: 10m, 2h, 3d ago, or an ISO time in UTC [1h].",
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            "--days",
            metavar="COUNT",
            min=1,
            max=36_500,
            help="By the day instead, out of the archive.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write a page with plots here, too."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show nodes and their metrics over time; times are UTC."""
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow to import
    from ai_platform.maintenance import standby  # noqa: PLC0415
    from ai_platform.names import METRICS  # noqa: PLC0415
    from ai_platform.reading import metrics as reading  # noqa: PLC0415
    from ai_platform.reading.stats import bucket_of  # noqa: PLC0415
    from ai_platform.reading.tail import server_time  # noqa: PLC0415

    from . import _metrics_report as report  # noqa: PLC0415 - only here
    from ._database import session  # noqa: PLC0415

    if since is not None and days is not None:
        raise BadValue("--since and --days are two questions", hint="leave one out")
    if html is not None and html.is_dir():
        raise BadValue(f"{html} is a folder", hint="name a file: --html metrics.html")
    start = _point(since or "1h")
    with session(resolve(), READONLY, APP, OWNER) as begin, begin() as connection:
        now = server_time(connection)
        with standby.explained(connection, METRICS):
            found: report.Found
            if days is None:
                window = _window(start, now)
                found = reading.metrics(
                    connection, window, bucket=bucket_of(window, None), node=node
                )
            else:
                found = reading.days(connection, days, now=now, node=node)
    report.show_found(found, now=now, as_json=as_json)
    if html is not None:
        report.write_page(found, html, now=now)
        note(f"written: {html}")


def _window(start: datetime | timedelta, now: datetime) -> Window:
    from ai_platform.reading.window import window  # noqa: PLC0415 - loads psycopg

    return window(start, now, now=now)


def _point(since: str) -> datetime | timedelta:
    from ai_platform.reading.window import point  # noqa: PLC0415 - loads psycopg

    return point(since)
