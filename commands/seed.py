"""`platform seed`: fill in day one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ai_platform.names import OWNER

from ._console import AsJson, example, group, note, say, show
from ._database import require_schema
from ._secret import Generate, PasswordFile, PasswordSource, PasswordStdin

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from ai_platform.connection import Target
    from seeds import FirstDay

app = group("Fill in day one: reference rows, administrator.")

VARIABLE = "PLATFORM_ADMIN_PASSWORD"


@app.command(
    epilog=example(
        "platform seed",
        "platform seed --org-slug acme --username root --email ops@acme.example",
    )
)
def seed(
    *,
    org_slug: Annotated[
        str | None, typer.Option(help="First organization; any without it.")
    ] = None,
    org_name: Annotated[str | None, typer.Option(help="Its display name.")] = None,
    username: Annotated[
        str | None, typer.Option(help="Administrator; any without it, else admin.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="The administrator's mail.")] = None,
    password_stdin: PasswordStdin = False,
    password_file: PasswordFile = None,
    generate: Generate = False,
    as_json: AsJson = False,
) -> None:
    """Fill in day one: reference rows, administrator.

    What is there stays as it is; a second run changes nothing and asks nothing. The
    password comes from an option, from PLATFORM_ADMIN_PASSWORD, or is asked for;
    without a terminal one is made and written to a file.
    """
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow to import
    from seeds import FirstDay  # noqa: PLC0415 - loads the models

    wanted = FirstDay(org_slug, org_name, username, email)
    source = PasswordSource(
        wanted.login,
        password_stdin,
        password_file,
        variable=VARIABLE,
        generate=generate,
        may_generate=True,
    )
    rows = first_day(resolve(), wanted, source)
    if as_json:
        show({"done": rows, **source.result}, as_json=True)
        return
    show(rows, as_json=False)
    tell_password(source)


def first_day(
    target: Target, wanted: FirstDay, source: PasswordSource
) -> list[dict[str, str]]:
    """Seed *target* and return what was done: rows of ``what`` and ``change``.

    Raises Refused before `platform db upgrade`, BadValue for an unfit password.
    """
    from dataclasses import asdict  # noqa: PLC0415 - beside its user

    from ai_platform.connection import connect  # noqa: PLC0415 - slow to import
    from seeds import seed as bring_in  # noqa: PLC0415 - loads the models

    with connect(target) as connection:
        require_schema(connection, target)
    engine = _engine(target)
    try:
        return [asdict(outcome) for outcome in bring_in(engine, wanted, source.get)]
    finally:
        engine.dispose()


def tell_password(source: PasswordSource) -> None:
    """Say where the generated password is, if there is one."""
    if "password" in source.result:
        note("this password is shown once; keep it now")
        say(f"password of {source.username}: {source.result['password']}")
    elif "password_file" in source.result:
        say(f"password of {source.username}: in {source.result['password_file']}")


def _engine(target: Target) -> Engine:
    """Return an engine whose transactions act as platform_owner."""
    from sqlalchemy import NullPool, create_engine, event  # noqa: PLC0415 - slow

    from ai_platform.connection import connect  # noqa: PLC0415 - slow to import

    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(target, autocommit=False),
        poolclass=NullPool,
    )

    @event.listens_for(engine, "begin")
    def become_owner(connection: Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL ROLE {OWNER}")

    return engine
