"""`platform logs`: the requests that services have logged, as lines and in figures."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ai_platform.errors import BadValue, Refused
from ai_platform.names import OWNER, READONLY

from ._console import AsJson, example, group, note, progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta

    from psycopg import Connection

    from ai_platform.connection import Target
    from ai_platform.reading.filters import Filters
    from ai_platform.reading.tail import LogRow
    from ai_platform.reading.window import Window

app = group("Requests that services have logged: the last ones, and figures.")

_SINCE = "1h"
_LARGEST_ID = 2**31 - 1
_LONGEST_S = 86_400
_NO_RIGHT = (
    "use a login in platform_readonly; a tenant's own requests are in "
    "logs.tenant_request_logs"
)

Since = Annotated[
    str,
    typer.Option(
        "--since", metavar="TIME", help="From: 10m, 2h, 3d ago, or an ISO time in UTC."
    ),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Up to, but not with, this time."),
]
Status = Annotated[
    list[str] | None,
    typer.Option(
        "--status", metavar="STATUS", help="404, 5xx, '>=400', 200-299 or none."
    ),
]
Auth = Annotated[
    str | None,
    typer.Option(
        "--auth", metavar="CALLER", help="Of this caller; * stands for anything."
    ),
]
Method = Annotated[
    str | None, typer.Option("--method", metavar="METHOD", help="GET, POST, …")
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="Beginning so; with a * it is a pattern for the whole.",
    ),
]
Org = Annotated[
    int | None,
    typer.Option(
        "--org", metavar="ID", min=1, max=_LARGEST_ID, help="Of this organization."
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0,
        max=_LONGEST_S,
        help="Give one question to the server this long; 0 for ever.",
    ),
]


@app.command(epilog=example("platform logs tail --status 5xx --since 10m --follow"))
def tail(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new ones until Ctrl-C.")
    ] = False,
    status: Status = None,
    auth: Auth = None,
    method: Method = None,
    url: Url = None,
    org: Org = None,
    since: Since = _SINCE,
    until: Until = None,
    count: Annotated[
        int,
        typer.Option(
            "-n", "--lines", min=0, max=1_000_000, help="How many to begin with."
        ),
    ] = 50,
    every: Annotated[
        float,
        typer.Option(
            "--every", metavar="SECONDS", min=0.05, max=3600, help="How often to look."
        ),
    ] = 1.0,
    late: Annotated[
        str,
        typer.Option(
            "--late", metavar="TIME", help="How long after its time a row may arrive."
        ),
    ] = "1m",
    timeout: Timeout = 60,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, one object a line.")
    ] = False,
) -> None:
    """Print the last requests, the newest at the end.

    Times are UTC. --follow shows a request when it arrives, so that one written late
    stands below newer ones; a server that restarts is waited for.
    """
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow to import
    from ai_platform.reading.tail import Follower, last  # noqa: PLC0415

    from ._follow import follow as keep_on  # noqa: PLC0415 - only here
    from ._log_lines import as_json_line, line_printer  # noqa: PLC0415

    if follow and until is not None:
        raise BadValue("--follow goes on for ever", hint="leave --until out")
    asked = _asked(since, until, _filters(status, auth, method, url, org))
    follower = Follower(asked.filters, late=_late(late))
    line = as_json_line if as_json else line_printer()

    def tell(rows: list[LogRow]) -> None:
        for row in rows:
            print(line(row))  # noqa: T201 - made safe by `line`

    target = resolve()
    with _opened(target, timeout) as begin, begin() as connection:
        window = asked.window(connection)
        if follow:
            rows = follower.start(connection, window, count=count)
        else:
            rows = last(connection, window, asked.filters, count=count)
    tell(rows)
    if follow:
        keep_on(lambda: _opened(target, timeout), follower.poll, tell, every_s=every)
    elif count and not rows:
        further = since == _SINCE and until is None
        note("no such request" + ("; --since 3d looks further back" * further))


@app.command(epilog=example("platform logs stats --since 24h --html report.html"))
def stats(
    since: Since = "24h",
    until: Until = None,
    bucket: Annotated[
        str,
        typer.Option("--bucket", metavar="TIME", help="auto, 1m, 5m, 1h, 1d, …"),
    ] = "auto",
    by: Annotated[
        str,
        typer.Option("--by", metavar="WHAT", help="url, status, method, auth or org."),
    ] = "url",
    top: Annotated[
        int,
        typer.Option(
            "--top", metavar="COUNT", min=1, max=1000, help="How many of them."
        ),
    ] = 10,
    status: Status = None,
    auth: Auth = None,
    method: Method = None,
    url: Url = None,
    org: Org = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write a page with plots here, too."
        ),
    ] = None,
    timeout: Timeout = 60,
    as_json: AsJson = False,
) -> None:
    """Count requests and errors, and say how long they took: p50, p95, p99.

    Times are UTC. Durations are those of real requests. In a path, numbers and UUIDs
    become :id, and what follows a question mark is left out.
    """
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow to import
    from ai_platform.reading import stats as reading  # noqa: PLC0415
    from ai_platform.reading.window import length  # noqa: PLC0415

    from . import _log_report as report  # noqa: PLC0415 - only here

    if by not in reading.BY:
        raise BadValue(f"cannot group by {by!r}", hint=f"--by {', '.join(reading.BY)}")
    if html is not None and html.is_dir():
        raise BadValue(f"{html} is a folder", hint="name a file: --html report.html")
    wanted = None if bucket == "auto" else length(bucket)
    asked = _asked(since, until or "0s", _filters(status, auth, method, url, org))
    with (
        progress("counting requests"),
        _opened(resolve(), timeout, steady=True) as begin,
        begin() as connection,
    ):
        window = asked.window(connection)
        found = reading.stats(
            connection,
            window,
            asked.filters,
            bucket=reading.bucket_of(window, wanted),
            by=by,
            top=top,
        )
    report.show_stats(found, as_json=as_json)
    if html is not None:
        report.write_page(found, html)
        note(f"written: {html}")


@dataclass(frozen=True)
class _Asked:
    """What to ask for; now is when the server says it is."""

    since: datetime | timedelta
    until: datetime | timedelta | None
    filters: Filters

    def window(self, connection: Connection[Any]) -> Window:
        from ai_platform.reading.tail import server_time  # noqa: PLC0415
        from ai_platform.reading.window import window  # noqa: PLC0415

        return window(self.since, self.until, now=server_time(connection))


def _asked(since: str, until: str | None, filters: Filters) -> _Asked:
    from ai_platform.reading.window import point  # noqa: PLC0415 - loads psycopg

    return _Asked(point(since), None if until is None else point(until), filters)


def _filters(
    status: list[str] | None,
    auth: str | None,
    method: str | None,
    url: str | None,
    org: int | None,
) -> Filters:
    from ai_platform.reading.filters import (  # noqa: PLC0415 - loads psycopg
        Filters,
        statuses,
    )

    return Filters(statuses(status or []), auth, method, url, org)


def _late(text: str) -> timedelta:
    from ai_platform.reading.window import length  # noqa: PLC0415 - loads psycopg

    late = length(text)
    if late.total_seconds() > _LONGEST_S:
        raise BadValue("--late is at most one day", hint="write --late 10m")
    return late


@contextmanager
def _opened(
    target: Target, timeout: float, *, steady: bool = False
) -> Iterator[Callable[[], AbstractContextManager[Connection[Any]]]]:
    """Give a function that begins a transaction of a reader of the request log."""
    from ai_platform.maintenance import standby  # noqa: PLC0415 - loads psycopg
    from ai_platform.reading.filters import TABLE  # noqa: PLC0415

    from ._database import session  # noqa: PLC0415

    with session(target, READONLY, OWNER, hint=_NO_RIGHT, steady=steady) as begin:

        @contextmanager
        def reading() -> Iterator[Connection[Any]]:
            with begin() as connection:
                connection.execute(
                    "SELECT set_config('statement_timeout', %s, true)",
                    [f"{round(timeout * 1000)}"],
                )
                with standby.explained(connection, TABLE), _in_time(timeout):
                    yield connection

        yield reading


@contextmanager
def _in_time(timeout: float) -> Iterator[None]:
    from psycopg import errors  # noqa: PLC0415 - slow to import

    try:
        yield
    except errors.QueryCanceled as error:
        if "timeout" not in str(error):
            raise
        raise Refused(
            f"the server needs more than {timeout:g} s for this",
            hint="ask for less with --since, or give it longer with --timeout",
        ) from None
