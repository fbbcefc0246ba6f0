"""The table of contents of `platform`; bodies live in `commands/`."""

from __future__ import annotations

from commands import _interrupt

_interrupt.quiet()  # the imports below take a while

# isort: split

from typing import Annotated  # noqa: E402

import typer  # noqa: E402

from commands._contents import LazyGroup  # noqa: E402


class Contents(LazyGroup):
    """Every command in the order a newcomer meets it."""

    table = {  # noqa: RUF012 - declared ClassVar by the base
        "up": (
            "commands.server:up",
            "Start the embedded server, upgrade, seed and make partitions.",
        ),
        "down": ("commands.server:down", "Stop the embedded server; the data stays."),
        "status": (
            "commands.server:status",
            "Say where things stand: server, revision, partitions; starts nothing.",
        ),
        "db": ("commands.db", "Upgrade, check and read the schema."),
        "seed": ("commands.seed", "Fill in day one: reference rows, administrator."),
        "user": ("commands.user", "People who can sign in."),
        "org": ("commands.org", "Organizations: the tenants."),
        "key": ("commands.key", "API keys of programs."),
        "partitions": (
            "commands.partitions",
            "Time partitions: made ahead, listed, removed when they expire.",
        ),
        "logs": (
            "commands.logs",
            "Requests that services have logged: the last ones, and figures.",
        ),
        "metrics": (
            "commands.metrics",
            "Metrics of nodes: collected here, kept by the day, shown.",
        ),
        "maintenance": (
            "commands.maintenance",
            "The nightly run, its health and its schedules.",
        ),
        "review": (
            "commands.review",
            "Run revisions on a scratch server full of rows; judge what was seen.",
        ),
        "stats": (
            "commands.stats",
            "Sizes, rates and statements of production, for reviews.",
        ),
        "docs": ("commands.docs", "Write the generated documents."),
        "harden": ("commands.harden", "Close a dedicated database to everyone else."),
    }


app = typer.Typer(
    cls=Contents,
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 success, 1 findings, 2 usage, 3 cannot connect, "
    "4 refused, 130 Ctrl-C, 141 the reader of a pipe has left.",
)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - Typer calls it
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - slow to import

        typer.echo(version("ai-platform-database"))
        raise typer.Exit


@app.callback()
def platform(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_print_version,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """Operate the database of an AI platform."""
