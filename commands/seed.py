"""`platform seed`: fill in day one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ai_platform.errors import BadValue, Refused
from ai_platform.names import OWNER

from ._console import AsJson, example, group, note, progress, say, show
from ._read_only import explaining_read_only
from ._secret import Generate, PasswordFile, PasswordSource, PasswordStdin
from ._standing import require_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from ai_platform.connection import Target
    from seeds import FirstDay, Outcome

app = group("Fill in day one: reference rows, administrator.")

VARIABLE = "PLATFORM_ADMIN_PASSWORD"


@app.command(
    epilog=example(
        "platform seed",
        "platform seed --org-slug acme --username root --email ops@acme.example",
        "platform seed --demo",
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
    demo: Annotated[
        bool, typer.Option("--demo", help="Add two example organizations with data.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Add them where other users are, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fill in day one: reference rows, administrator.

    What is there stays as it is; a second run changes nothing and asks nothing. The
    password comes from an option, from PLATFORM_ADMIN_PASSWORD, or is asked for;
    without a terminal one is made and written to a file.
    """
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow to import
    from seeds import FirstDay  # noqa: PLC0415 - loads the models

    if yes and not demo:
        raise BadValue("--yes goes with --demo", hint="platform seed --demo --yes")
    target = resolve()
    wanted = FirstDay(org_slug, org_name, username, email)
    source = PasswordSource(
        wanted.login,
        password_stdin,
        password_file,
        variable=VARIABLE,
        generate=generate,
        may_generate=True,
        advice=f"use --password-stdin, --password-file or {VARIABLE}",
    )
    if demo:
        check_room(target, wanted, beside_others=yes)
    rows = first_day(target, wanted, source)
    if demo:
        rows += demo_data(target, wanted, beside_others=yes)
    if as_json:
        show({"done": rows, **source.result}, as_json=True)
        return
    show(rows, as_json=False)
    tell_password(source)


def check_room(target: Target, wanted: FirstDay, *, beside_others: bool) -> None:
    """Raise Refused, before anything is done, where the demo data may not come in."""
    from seeds.demo import refuse_crowd  # noqa: PLC0415 - loads the models

    with _acting(target) as engine:
        refuse_crowd(engine, wanted, beside_others=beside_others)


def demo_data(
    target: Target, wanted: FirstDay, *, beside_others: bool
) -> list[dict[str, str]]:
    """Add the demo data and return what was done, as `first_day` does.

    Raises Refused where other users are and *beside_others* is false.
    """
    from dataclasses import asdict  # noqa: PLC0415 - beside its user

    from seeds.demo import add_demo  # noqa: PLC0415 - loads the models

    with _acting(target) as engine, progress("adding the demo data"):
        done = add_demo(engine, wanted, beside_others=beside_others)
    return [asdict(outcome) for outcome in done]


def first_day(
    target: Target, wanted: FirstDay, source: PasswordSource
) -> list[dict[str, str]]:
    """Seed *target* and return what was done: rows of ``what`` and ``change``.

    Raises Refused before `platform db upgrade`, BadValue for an unfit password.
    """
    from dataclasses import asdict  # noqa: PLC0415 - beside its user

    from seeds import seed as bring_in  # noqa: PLC0415 - loads the models

    with source, _acting(target) as engine:
        done = bring_in(engine, wanted, source.get)
    if all(outcome.change != "created" for outcome in done if _is_first(outcome)):
        source.discard()  # somebody else was quicker
    return [asdict(outcome) for outcome in done]


def _is_first(outcome: Outcome) -> bool:
    return outcome.what.startswith("administrator ")


def lacks_administrator(target: Target, wanted: FirstDay) -> bool:
    """Return whether `first_day` would make an administrator in *target*."""
    from seeds import needs_password  # noqa: PLC0415 - loads the models

    try:
        with _acting(target) as engine:
            return needs_password(engine, wanted)
    except Refused:
        return True


def tell_password(source: PasswordSource) -> None:
    """Say where the generated password is, if there is one."""
    if "password" in source.result:
        note("this password is shown once; keep it now")
        say(f"password of {source.username}: {source.result['password']}")
    elif "password_file" in source.result:
        say(f"password of {source.username}: in {source.result['password_file']}")


@contextmanager
def _acting(target: Target) -> Iterator[Engine]:
    """Give an engine whose transactions act as platform_owner.

    Raises Refused before `platform db upgrade`.
    """
    from sqlalchemy import NullPool, create_engine, event  # noqa: PLC0415 - slow

    from ai_platform.connection import connect  # noqa: PLC0415 - slow to import

    with connect(target) as first:
        require_schema(first, target)
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(target, autocommit=False),
        poolclass=NullPool,
    )

    @event.listens_for(engine, "begin")
    def become_owner(connection: Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL ROLE {OWNER}")

    try:
        with explaining_read_only(target):
            yield engine
    finally:
        engine.dispose()
