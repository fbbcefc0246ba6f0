"""`platform user`: people who can sign in."""

from __future__ import annotations

from typing import Annotated

import typer

from ai_platform.names import APP, OWNER

from ._console import AsJson, example, group, note, say, show
from ._database import database
from ._secret import Generate, PasswordFile, PasswordSource, PasswordStdin

app = group("People who can sign in.")

Login = Annotated[str, typer.Argument(help="Login name or mail address.")]


@app.command(
    epilog=example(
        "platform user create ada --email ada@example.org --org acme --role developer",
        "platform user create root --email ops@example.org --superuser --generate",
    )
)
def create(
    username: Annotated[str, typer.Argument(help="Login name, taken verbatim.")],
    *,
    email: Annotated[str, typer.Option(help="Mail address.")],
    org: Annotated[str | None, typer.Option(help="Home organization (slug).")] = None,
    role: Annotated[str, typer.Option(help="Role held there.")] = "viewer",
    first_name: Annotated[str | None, typer.Option(help="Given name.")] = None,
    last_name: Annotated[str | None, typer.Option(help="Family name.")] = None,
    superuser: Annotated[
        bool, typer.Option("--superuser", help="Administrator of the platform.")
    ] = False,
    password_stdin: PasswordStdin = False,
    password_file: PasswordFile = None,
    generate: Generate = False,
    as_json: AsJson = False,
) -> None:
    """Make a person who can sign in; the password is asked for."""
    from ai_platform.accounts import users  # noqa: PLC0415 - slow to import

    new = users.NewUser(username, email, org, role, first_name, last_name, superuser)
    new.check()
    source = PasswordSource(username, password_stdin, password_file, generate=generate)
    source.ask()
    with source, database(OWNER) as connection:
        user = users.create_user(connection, new, source.get())
    _tell({"id": user, "username": username, **source.result}, "created", as_json)


@app.command(epilog=example("platform user password ada --password-stdin < secret"))
def password(
    login: Login,
    *,
    password_stdin: PasswordStdin = False,
    password_file: PasswordFile = None,
    generate: Generate = False,
    as_json: AsJson = False,
) -> None:
    """Set a new password, lift a lock and end every session."""
    from ai_platform.accounts import users  # noqa: PLC0415 - slow to import

    source = PasswordSource(login, password_stdin, password_file, generate=generate)
    source.ask()
    with source, database(OWNER) as connection:
        users.find_user(connection, login)
        ended = users.set_password(connection, login, source.get())
    record = {"username": login, "sessions_ended": ended, **source.result}
    _tell(record, "password set", as_json)


@app.command(
    epilog=example(
        "platform user verify ada", "platform user verify ada --password-stdin < secret"
    )
)
def verify(
    login: Login,
    *,
    password_stdin: PasswordStdin = False,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Try to sign in as a service would; exit 0 when it works, 1 when not."""
    from ai_platform.accounts import users  # noqa: PLC0415 - slow to import

    source = PasswordSource(login, password_stdin, password_file, is_new=False)
    source.ask()
    with database(APP, OWNER) as connection:
        verdict = users.verify_login(connection, login, source.get())
    if as_json:
        show({"login": login, "ok": verdict == "ok", "verdict": verdict}, as_json=True)
    else:
        say(VERDICTS[verdict])
    raise typer.Exit(0 if verdict == "ok" else 1)


VERDICTS = {
    "ok": "ok",
    "wrong": "wrong login name or password",
    "locked": "locked for some minutes after too many failures",
    "disabled": "right password, but the account is disabled",
}


@app.command(epilog=example("platform user disable ada"))
def disable(login: Login, *, as_json: AsJson = False) -> None:
    """Block sign-in, end sessions and revoke the person's API keys."""
    from ai_platform.accounts import users  # noqa: PLC0415 - slow to import

    with database(OWNER) as connection:
        counts = users.disable_user(connection, login)
    record = {
        "username": login,
        "sessions_ended": counts["sessions"],
        "keys_revoked": counts["keys"],
    }
    _tell(record, "disabled", as_json)


@app.command(epilog=example("platform user enable ada"))
def enable(login: Login, *, as_json: AsJson = False) -> None:
    """Let a disabled person sign in again; revoked keys stay revoked."""
    from ai_platform.accounts import users  # noqa: PLC0415 - slow to import

    with database(OWNER) as connection:
        users.enable_user(connection, login)
    _tell({"username": login}, "enabled", as_json)


@app.command("list", epilog=example("platform user list --org acme --json"))
def list_(
    *,
    org: Annotated[str | None, typer.Option(help="Members of this one only.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the people of the platform."""
    from ai_platform.accounts import users  # noqa: PLC0415 - slow to import

    with database(OWNER) as connection:
        rows = users.list_users(connection, organization=org)
    show(rows, as_json=as_json, columns=COLUMNS, empty="no users yet: platform seed")


COLUMNS = {
    "username": "login name",
    "email": "mail address",
    "organization": "organization",
    "is_superuser": "administrator",
    "is_active": "active",
    "locked_until": "locked until",
    "last_login": "last login",
}


def _tell(record: dict[str, object], done: str, as_json: bool) -> None:  # noqa: FBT001
    if not as_json:
        note(f"{done}: {record['username']}")
    if as_json or len(record) > 1:
        show(record, as_json=as_json)
