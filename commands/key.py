"""`platform key`: API keys, the credentials of programs."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from ai_platform.errors import BadValue
from ai_platform.names import APP, OWNER

from ._console import AsJson, example, group, note, read_secret, say, show
from ._database import database

app = group("API keys of programs.")

COLUMNS = (
    "prefix",
    "name",
    "organization",
    "user",
    "scopes",
    "status",
    "expires_at",
    "last_used_at",
)


@app.command(
    epilog=example(
        "platform key create ingest --org acme --scope 'data_platform.*:*'",
        "platform key create ci --org acme --scope '*:read' --user ada --expires 90d",
    )
)
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    *,
    org: Annotated[str, typer.Option(help="Organization it acts for (slug).")],
    scope: Annotated[
        list[str], typer.Option(help="schema.object:action, * as wildcard; repeat it.")
    ],
    user: Annotated[str | None, typer.Option(help="Person it acts as.")] = None,
    expires: Annotated[
        str | None, typer.Option(help="90d, 12h, 4w, 1y or a date.")
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="Source network (CIDR); repeat it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and show it this once; the database keeps its digest only."""
    from datetime import UTC, datetime  # noqa: PLC0415 - beside its user

    from ai_platform.accounts import keys  # noqa: PLC0415 - slow to import
    from ai_platform.accounts.values import expiry  # noqa: PLC0415

    until = expiry(expires, now=datetime.now(UTC)) if expires else None
    new = keys.NewKey(name, org, scope, user, network or [], until)
    new.check()
    if sys.__stdout__ is None:
        raise BadValue(
            "stdout is closed: nobody would see the key", hint="leave out >&-"
        )
    with database(OWNER) as connection:
        key, row = keys.create_key(connection, new)
        # before the commit: a key that could not be shown must not exist
        show({"key": key, **row}, as_json=as_json)
        sys.stdout.flush()
    if not as_json:
        note("keep the key now: it cannot be shown again")


@app.command(epilog=example("platform key verify < key.txt"))
def verify(*, as_json: AsJson = False) -> None:
    """Read a key from stdin and say what it stands for; exit 1 when it is not valid."""
    from ai_platform.accounts import keys  # noqa: PLC0415 - slow to import

    typed = sys.stdin.isatty()
    key = read_secret("API key") if typed else sys.stdin.readline(1000).rstrip("\r\n")
    if not key:
        raise BadValue("no key on stdin", hint="platform key verify < key.txt")
    with database(APP, OWNER) as connection:
        found = keys.verify_key(connection, key)
    if found is None:
        if as_json:
            show({"valid": False}, as_json=True)
        else:
            say("not a valid key: unknown, revoked or expired")
        raise typer.Exit(1)
    show({"valid": True, **asdict(found)}, as_json=as_json)


@app.command(epilog=example("platform key revoke pk_x7Kq93Lm"))
def revoke(
    which: Annotated[str, typer.Argument(help="Prefix or id of the key.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Revoke a key at once and for good."""
    from ai_platform.accounts import keys  # noqa: PLC0415 - slow to import

    with database(OWNER) as connection:
        now = keys.revoke_key(connection, which)
    if as_json:
        show({"key": which, "revoked": True, "changed": now}, as_json=True)
    else:
        say(f"revoked: {which}" if now else f"was revoked before: {which}")


@app.command("list", epilog=example("platform key list --org acme --all"))
def list_(
    *,
    org: Annotated[str | None, typer.Option(help="Keys of this one only.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="With revoked keys.")] = False,
    as_json: AsJson = False,
) -> None:
    """List keys; neither key nor digest is shown."""
    from ai_platform.accounts import keys  # noqa: PLC0415 - slow to import

    with database(OWNER) as connection:
        rows = keys.list_keys(connection, organization=org, with_revoked=all_)
    show(rows, as_json=as_json, columns=COLUMNS, empty="no keys")
