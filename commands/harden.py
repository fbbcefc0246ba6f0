"""`platform harden`: close a dedicated database to everyone else."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._console import AsJson, DryRun, Yes, confirm, example, group, note, show
from ._read_only import explaining_read_only
from ._standing import require_schema

if TYPE_CHECKING:
    from psycopg import Connection

app = group("Close a dedicated database to everyone else.")

Undo = Annotated[bool, typer.Option("--undo", help="Give back what was taken.")]


@app.command(
    epilog=example(
        "platform harden --dry-run", "platform harden --yes", "platform harden --undo"
    )
)
def harden(
    *,
    undo: Undo = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Close a dedicated database to everyone else.

    Takes every right on the database and on schema public from PUBLIC; the roles of
    the platform hold their own. Not for a database that others use too. What was
    taken is remembered, and --undo or the last downgrade gives it back.
    """
    from ai_platform import hardening  # noqa: PLC0415 - slow to import
    from ai_platform.connection import connect, resolve  # noqa: PLC0415

    target = resolve()
    with connect(target) as connection:
        require_schema(connection, target)
        look, act = (
            (hardening.taken, hardening.undo)
            if undo
            else (hardening.held_by_everyone, hardening.harden)
        )
        rights = look(connection)
        losers = [] if undo or not rights else hardening.locked_out(connection)
        if rights and not dry_run:
            _ask(connection, losers, undo=undo, yes=yes)
            with explaining_read_only(target):
                rights = act(connection)
    key = "given_back" if undo else "taken"
    if as_json:
        record = {key: [asdict(right) for right in rights], "locked_out": losers}
        show({**record, "dry_run": dry_run}, as_json=True)
        return
    _warn(losers)
    show(rights, as_json=False, empty="nothing to give back" if undo else CLOSED)


CLOSED = "nothing to take: everyone else is locked out already"


def _ask(
    connection: Connection[Any], losers: list[str], *, undo: bool, yes: bool
) -> None:
    name = connection.info.dbname
    if undo:
        confirm(f"Open database {name} to everyone again?", yes=yes)
        return
    others = f" ({', '.join(losers)} among them)" if losers else ""
    confirm(f"Lock everyone but the platform's roles{others} out of {name}?", yes=yes)


def _warn(losers: list[str]) -> None:
    if losers:
        note(
            f"may connect through PUBLIC only, and no longer then: {', '.join(losers)}"
        )
