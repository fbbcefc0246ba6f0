"""`platform up`, `down`, `status`: the whole platform in one command."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from ai_platform.amounts import counted

from ._console import AsJson, example, group, note, progress, say, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from ai_platform.connection import Target

    from ._secret import PasswordSource

__all__ = ["app", "down", "status", "up"]

app = group("The server and where things stand.")

UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Done:
    """What one step of `up` did; *rows* hold the details, for JSON."""

    what: str
    change: str = UNCHANGED
    rows: list[Any] = field(default_factory=list)


@app.command(epilog=example("platform up", "platform up --json"))
def up(as_json: AsJson = False) -> None:
    """Start the embedded server, upgrade, seed and make partitions.

    With DATABASE_URL that server is used and nothing is started. A second run changes
    nothing. The first administrator gets the password of PLATFORM_ADMIN_PASSWORD, or
    one that is made and shown once.
    """
    from seeds import FirstDay  # noqa: PLC0415 - loads the models

    from ._secret import PasswordSource  # noqa: PLC0415 - beside its user
    from .seed import VARIABLE, tell_password  # noqa: PLC0415

    wanted = FirstDay()
    source = PasswordSource(
        wanted.login, variable=VARIABLE, generate=True, advice=f"set {VARIABLE}"
    )
    done = _bring_up(source)
    if as_json:
        show({"done": [asdict(step) for step in done], **source.result}, as_json=True)
    else:
        show(done, as_json=False, columns=("what", "change"))
        tell_password(source)
    if all(step.change == UNCHANGED for step in done):
        note("everything was there; nothing changed")


@app.command(epilog=example("platform down"))
def down(as_json: AsJson = False) -> None:
    """Stop the embedded server; the data stays."""
    variable = _variable()
    with progress("stopping the server"):
        stopped = _stop(given=variable is not None)
    if as_json:
        show({"stopped": stopped}, as_json=True)
    elif stopped:
        say("stopped")
    elif variable:
        say(f"nothing embedded is used: {variable} names another server")
    else:
        say("nothing embedded runs")
    if variable:
        note(f"the server of {variable} is not ours to stop")


@app.command(epilog=example("platform status", "platform status --json"))
def status(as_json: AsJson = False) -> None:
    """Say where things stand: server, revision, partitions; starts nothing.

    Exit code 1: something needs attention, and the line says what to do.
    """
    found = _server()
    advice = ["platform up"] if not found["running"] else []
    if found["running"]:
        found |= _schema(_running_target())
        advice = _advice(found)
    if as_json:
        show({**found, "next": advice}, as_json=True)
    else:
        lists = {"problems": found.pop("problems", []), "next": advice}
        show(found | {key: text for key, text in lists.items() if text}, as_json=False)
    if advice:
        raise typer.Exit(1)


def _bring_up(source: PasswordSource) -> list[Done]:
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow to import

    done = [_step("starting the server", _start)]
    target = resolve()
    _require_room(target, source)
    done.append(_step("upgrading", lambda: _upgrade(target)))
    if _variable() is None:
        done.append(_step("making logins", lambda: _logins(target)))
    done.append(_step("seeding", lambda: _seed(target, source)))
    done.append(_step("making partitions", lambda: _partitions(target)))
    return done


def _require_room(target: Target, source: PasswordSource) -> None:
    """Raise BadValue, before anything is done, where a new password would be lost."""
    from ai_platform.errors import BadValue  # noqa: PLC0415 - beside its user
    from seeds import FirstDay  # noqa: PLC0415 - loads the models

    from .seed import lacks_administrator  # noqa: PLC0415 - beside its user

    try:
        source.check_room()
    except BadValue:
        if lacks_administrator(target, FirstDay()):
            raise


def _step(label: str, step: Callable[[], Done]) -> Done:
    with progress(label):
        return step()


def _start() -> Done:
    variable = _variable()
    if variable is not None:
        return Done(f"server of {variable}")
    from ai_platform.server import EmbeddedServer  # noqa: PLC0415 - slow to import

    started = EmbeddedServer().start()
    return Done("embedded server", "started" if started else UNCHANGED)


def _stop(*, given: bool) -> bool:
    from ai_platform.errors import Refused  # noqa: PLC0415 - beside its user
    from ai_platform.server import EmbeddedServer  # noqa: PLC0415 - slow to import

    try:
        return EmbeddedServer().stop()
    except Refused:
        # who can run no embedded server has none to stop
        if given:
            return False
        raise


def _upgrade(target: Target) -> Done:
    from ai_platform.runner import state, upgrade  # noqa: PLC0415 - loads Alembic

    before = state(target)
    if not before.missing:
        return Done("schema")
    upgrade(target)
    change = f"{before.current or 'base'} -> {before.head}"
    return Done("schema", change, [step.id for step in before.missing])


def _logins(target: Target) -> Done:
    from ai_platform.connection import connect  # noqa: PLC0415 - slow to import
    from ai_platform.server import ensure_dev_logins  # noqa: PLC0415

    with connect(target) as connection:
        created = ensure_dev_logins(connection)
    return Done("logins", _counted("login", created), created)


def _seed(target: Target, source: PasswordSource) -> Done:
    from seeds import FirstDay  # noqa: PLC0415 - loads the models

    from .seed import first_day  # noqa: PLC0415 - beside its user

    rows = first_day(target, FirstDay(), source)
    changed = [row for row in rows if row["change"] in {"created", "updated"}]
    return Done("first day", _counted("row", changed, " written"), rows)


def _partitions(target: Target) -> Done:
    from ai_platform.maintenance import partitions  # noqa: PLC0415 - loads psycopg

    with partitions.opened(target) as connection:
        steps = partitions.apply(connection)
    made = [s for s in steps if s.action == "create" and s.outcome == "done"]
    hindered = [step for step in steps if step.outcome in partitions.NEEDS_ATTENTION]
    if hindered:
        some = counted(len(hindered), "partition")
        note(f"{some} could not be made; platform partitions apply")
    return Done("partitions", _counted("partition", made), steps)


def _counted(noun: str, things: list[Any], done: str = " created") -> str:
    return counted(len(things), noun) + done if things else UNCHANGED


def _variable() -> str | None:
    """Return the variable that names a server, None where the embedded one is meant."""
    from ai_platform.connection import configured_by  # noqa: PLC0415 - slow to import

    return configured_by()


def _running_target() -> Target:
    """Return the database meant, whose embedded server is known to run."""
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow to import

    return resolve()


def _server() -> dict[str, Any]:
    """Describe the server without starting it; one that is given counts as running."""
    variable = _variable()
    if variable is not None:
        return {"server": variable, "running": True}
    from ai_platform.server import EmbeddedServer  # noqa: PLC0415 - slow to import

    found = EmbeddedServer().status()
    return {
        "server": "embedded",
        "running": found.running,
        "data": found.data,
        "log": found.log,
        "pid": found.pid,
        "started_at": found.started_at,
    }


def _schema(target: Target) -> dict[str, Any]:
    from ai_platform.connection import connect  # noqa: PLC0415 - slow to import
    from ai_platform.runner import state  # noqa: PLC0415 - loads Alembic

    with connect(target) as connection:
        version = connection.info.parameter_status("server_version")
    now = state(target)
    found = {
        "url": target.shown,
        "version": version,
        "revision": now.current,
        "head": now.head,
        "missing": len(now.missing),
    }
    return found if now.missing else found | _coverage(target)


def _coverage(target: Target) -> dict[str, Any]:
    """Say until when every row finds a partition, and what is wrong with any."""
    from ai_platform.errors import Refused  # noqa: PLC0415 - beside its user
    from ai_platform.maintenance import partitions  # noqa: PLC0415 - loads psycopg

    try:
        with partitions.opened(target) as connection:
            parents = partitions.status(connection)
    except Refused as error:
        # some logins may not read the policies; the rest is still worth saying
        note(f"partitions not shown: {error}")
        return {"partitions_until": None, "problems": []}
    return {
        "partitions_until": _earliest(parent.covered_until for parent in parents),
        "problems": [
            f"{parent.parent}: {problem}"
            for parent in parents
            for problem in parent.problems
        ],
    }


def _earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """Return the first of *moments*; None where one is missing, or all are."""
    known = list(moments)
    return None if None in known else min(filter(None, known), default=None)


def _advice(found: dict[str, Any]) -> list[str]:
    advice = []
    if found["missing"]:
        advice.append("platform up" if _variable() is None else "platform db upgrade")
    if found.get("problems"):
        advice.append("platform partitions status")
    return advice
