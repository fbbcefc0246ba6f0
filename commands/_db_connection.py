"""`platform db url` and `platform db psql`: get to the database by hand."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ai_platform.errors import BadValue, PlatformError, Refused

from ._console import AsJson, note, say, show

if TYPE_CHECKING:
    from ai_platform.connection import Target

__all__ = ["psql", "url"]

Role = Annotated[
    str | None,
    typer.Option(
        "--role",
        help="Log in as app, worker, readonly, log_writer or migrator "
        "(embedded server only).",
    ),
]
WithPassword = Annotated[
    bool,
    typer.Option("--with-password", help="Print the password too, if there is one."),
]


def url(
    role: Role = None, with_password: WithPassword = False, as_json: AsJson = False
) -> None:
    """Print the URL of the database, for programs that take one.

    Starts the embedded server if it is the one meant. A password in DATABASE_URL is
    left out unless asked for.
    """
    target = _target(role)
    text = target.url if with_password else target.shown
    if as_json:
        show({"url": text, "source": target.source}, as_json=True)
        return
    say(text)
    if text != target.url and not with_password:
        note("the password is left out; --with-password prints it")


def psql(
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Arguments of psql, after --.")
    ] = None,
    role: Role = None,
) -> None:
    """Open psql on the database; the exit code is that of psql."""
    target = _target(role)
    program = _program(target)
    environment = dict(os.environ)
    if target.password:
        environment["PGPASSWORD"] = target.password
    sys.stdout.flush()
    # psql takes the place of this process: Ctrl-C and the exit code are its own
    argv = ["psql", target.shown, *(arguments or [])]
    os.execve(program, argv, environment)  # noqa: S606 - no shell wanted


def _target(role: str | None) -> Target:
    from ai_platform.connection import Target, resolve  # noqa: PLC0415 - slow to import

    target = resolve()
    if role is None:
        return target
    from ai_platform.server import DEV_LOGINS, EmbeddedServer  # noqa: PLC0415

    if role not in DEV_LOGINS:
        raise BadValue(
            f"no such role: got {role!r}",
            hint=f"one of {', '.join(sorted(DEV_LOGINS))}",
        )
    if target.source != "embedded server":
        raise Refused(
            f"{target.source} says who logs in; only the embedded server has a login "
            "for every role",
            hint=f"name a member login of platform_{role} in {target.source}",
        )
    return Target(EmbeddedServer().url(role=role), target.source)


def _program(target: Target) -> str:
    """Return psql: beside the embedded server its own, else the installed one."""
    from ai_platform.server import EmbeddedServer  # noqa: PLC0415 - slow to import

    installed = shutil.which("psql")
    if installed and target.source != "embedded server":
        return installed
    try:
        own = EmbeddedServer().bin_dir / "psql"
    except PlatformError:
        own = None
    if own is not None and own.is_file():
        return str(own)
    if installed:
        return installed
    raise BadValue("no psql found", hint="install the PostgreSQL client programs")
