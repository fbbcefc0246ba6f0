"""The options of `platform review`, and what is refused before anything is read."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import urlsplit

import typer

from ai_platform.errors import BadValue

from ._console import note

if TYPE_CHECKING:
    from ai_platform.connection import Target

__all__ = [
    "Accept",
    "Config",
    "Dsn",
    "Engine",
    "Env",
    "FailOn",
    "Format",
    "GitBase",
    "Insist",
    "Measure",
    "OldCode",
    "Out",
    "Printed",
    "Profile",
    "Python",
    "Rows",
    "Schema",
    "Set",
    "Severity",
    "Span",
    "Stats",
    "Timeout",
    "X",
    "check_choice",
    "environment",
    "limit_s",
    "printed",
    "session",
    "sizes",
    "target",
]

Severity = Literal["error", "warning", "note"]
Printed = Literal["text", "md", "html", "json", "sarif"]
Span = Annotated[
    str | None,
    typer.Argument(
        metavar="[REV|A..B]", help="What to review; the last revision by default."
    ),
]
GitBase = Annotated[
    str | None,
    typer.Option(
        "--git-base",
        metavar="REF",
        help="Review the revisions that are new or edited since this Git ref.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="alembic.ini or pyproject.toml of another Alembic project.",
    ),
]
Python = Annotated[
    Path | None,
    typer.Option(
        "--python",
        metavar="PATH",
        help="The other project's interpreter, or the folder of its environment.",
    ),
]
Env = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        metavar="NAME[=VALUE]",
        help="A variable that its env.py needs; without a value the one that it has "
        "here, so that a password is in no command line.",
    ),
]
X = Annotated[
    list[str] | None,
    typer.Option(
        "-x",
        metavar="NAME=VALUE",
        help="An argument that its env.py reads, as of `alembic -x`.",
    ),
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="Of several databases that its env.py migrates, the one to review.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="What the other project's runner sets for its session, such as "
        "lock_timeout=4s.",
    ),
]
Dsn = Annotated[
    str | None,
    typer.Option(
        "--dsn",
        metavar="URL",
        help="A server for tests, its database empty; without a password, which "
        "PGPASSWORD or a password file gives. Default: an embedded server.",
    ),
]
Insist = Annotated[
    str | None,
    typer.Option(
        "--insist",
        metavar="NAME",
        help="Use the server of --dsn although database NAME holds tables.",
    ),
]
Format = Annotated[
    Printed,
    typer.Option("--format", help="What to print."),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="SIZE|FILE",
        help="Sizes by name: small (1,000 rows), medium (100,000) or large "
        "(1,000,000); or a file, as --stats.",
    ),
]
Rows = Annotated[
    int | None,
    typer.Option(
        "--rows", help="Rows in each touched table, up to 10,000,000 [100000]."
    ),
]
Stats = Annotated[
    Path | None,
    typer.Option(
        "--stats",
        metavar="FILE",
        help="What `platform stats export` wrote in production: holds are estimated.",
    ),
]
Accept = Annotated[
    Path | None,
    typer.Option(
        "--accept",
        metavar="FILE",
        help="Findings somebody answers for [review.accept.toml beside the config].",
    ),
]
Schema = Annotated[
    Path | None,
    typer.Option(
        "--schema",
        metavar="FILE",
        help="Begin from `pg_dump --schema-only` of a database that stands there, "
        "instead of running the history before.",
    ),
]
FailOn = Annotated[
    Severity, typer.Option("--fail-on", help="Exit with 1 from this severity on.")
]
Measure = Annotated[
    bool,
    typer.Option(
        "--measure/--no-measure", help="Run it on a scratch server, or only read it."
    ),
]
OldCode = Annotated[
    Path | None,
    typer.Option(
        "--old-code",
        metavar="FILE",
        help="Statements of the previous release, which must still work.",
    ),
]
Out = Annotated[
    list[Path] | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write a report too: .md, .html, .json or .sarif. May be repeated.",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        help="How long a statement may run [600]; the project's Python may take 60 s "
        "at least.",
    ),
]

_ROWS: Final = 100_000
_MOST_ROWS: Final = 10_000_000
_PROFILES: Final = {"small": 1_000, "medium": _ROWS, "large": 1_000_000}
_MOST_S: Final = 86_400.0
_STATEMENT_S: Final = 600.0
_PASSWORD: Final = re.compile(r"://[^/@\s]*:[^@\s]+@|\bpassword=[^\s&]", re.IGNORECASE)


def check_choice(
    span: str | None, git_base: str | None, dsn: str | None, insist: str | None
) -> None:
    """Refuse options of which one would silently count for nothing."""
    if span is not None and git_base is not None:
        raise BadValue(
            f"either {span!r} or --git-base {git_base} says what to review",
            hint="leave one of them out",
        )
    if insist is not None and dsn is None:
        raise BadValue(
            f"--insist {insist} is for a server named by --dsn", hint="add --dsn URL"
        )
    if dsn is not None and not dsn.strip():  # or the usual database would be meant
        raise BadValue("--dsn is empty", hint="name a server for tests, or drop it")


def printed(format_: Printed, *, as_json: bool) -> Printed:
    """Return the format to print, which `--json` may name too."""
    if as_json and format_ not in {"text", "json"}:
        raise BadValue(
            f"either --json or --format {format_} says what to print",
            hint="leave one of them out",
        )
    return "json" if as_json else format_


def sizes(
    profile: str | None, rows: int | None, stats: Path | None, *, is_measured: bool
) -> tuple[int, Path | None]:
    """Return the rows, and the file of statistics, that the three options ask for."""
    if not is_measured:  # of the rest `run.check` knows
        for name, given in (("--profile", profile), ("--rows", rows)):
            if given is not None:
                raise BadValue(f"{name} is for measuring", hint="drop --no-measure")
    named = _PROFILES.get(profile or "")
    other, value = ("--stats", stats) if named is None else ("--rows", rows)
    if profile is not None and value is not None:
        raise BadValue(
            f"either --profile {profile} or {other} {value} says the sizes",
            hint="leave one of them out",
        )
    if profile is not None and named is None:
        stats = Path(profile)
        if not stats.exists():
            raise BadValue(
                f"no such profile: got {profile!r}",
                hint=f"{', '.join(_PROFILES)}, or a file of `platform stats export`",
            )
    return named or _rows(rows), stats


def _rows(given: int | None) -> int:
    return int(_within("--rows", _ROWS if given is None else given, 0, _MOST_ROWS))


def limit_s(timeout: float | None) -> float:
    """Return for how many seconds a statement may run."""
    return (
        _STATEMENT_S if timeout is None else _within("--timeout", timeout, 1, _MOST_S)
    )


def _within(option: str, given: float, least: float, most: float) -> float:
    """Return *given*; raises BadValue for what is not from *least* to *most*."""
    if not least <= given <= most:
        raise BadValue(
            f"{option} must be from {least:,.0f} to {most:,.0f}, got {given:,}",
            hint="platform review --help",
        )
    return given


def target(dsn: str | None) -> Target | None:
    """Return the server of *dsn*; raises BadValue for one that cannot be meant."""
    if dsn is None:
        return None
    from ai_platform.connection import resolve  # noqa: PLC0415 - loads psycopg

    found = resolve(dsn, source="--dsn")
    if found.password is not None:
        raise BadValue(
            "--dsn holds a password, which everybody on this machine can read",
            hint="leave it out; PGPASSWORD or a password file gives it",
        )
    parts = urlsplit(found.url)
    if not parts.path.lstrip("/"):
        raise BadValue("--dsn names no database", hint="add one that is empty")
    return found


def session(given: list[str] | None, *, is_ours: bool) -> dict[str, str] | None:
    """Return what the session is to set; None for what our own runner sets."""
    if not is_ours:
        return _pairs("--set", given)
    if given:
        raise BadValue("--set is for another project", hint="add --config, or drop it")
    return None


def environment(given: list[str] | None) -> dict[str, str]:
    """Return the variables of `--env`, those without a value as they are here.

    Who gives a secret by value is told that others can read it.
    """
    names = [item for item in given or () if item and "=" not in item]
    for name in names:
        if name not in os.environ:
            raise BadValue(
                f"--env {name}: there is no such variable here",
                hint=f"export it first, or give it: --env {name}=VALUE",
            )
    here = {name: os.environ[name] for name in names}
    others = _pairs("--env", [item for item in given or () if item not in here])
    for name in sorted(name for name, value in others.items() if _tells(name, value)):
        note(
            f"--env {name}=... can be read by everybody on this machine while this "
            f"runs; export it and give --env {name} alone"
        )
    return {**others, **here}


def _tells(name: str, value: str) -> bool:
    """Return whether *value*, the variable *name*'s, looks like a secret."""
    from ai_platform.runtime._secret_names import is_secret_name  # noqa: PLC0415
    from ai_platform.runtime._secret_values import without_secrets  # noqa: PLC0415

    is_known = _PASSWORD.search(value) is not None or without_secrets(value) != value
    return is_known or (bool(value) and is_secret_name(name))


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    pairs = [item.partition("=") for item in given or ()]
    for name, sign, _ in pairs:
        if not name or not sign:
            raise BadValue(f"{option} needs NAME=VALUE, such as {option} STAGE=test")
    return {name: value for name, _, value in pairs}
