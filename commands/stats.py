"""`platform stats`: what a review must know of production, written to a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from ai_platform.errors import BadValue, Refused

from ._console import AsJson, example, group, note, show

app = group("Sizes, rates and statements of production, for reviews.")

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="Where to write it, such as prod.json.")
]
Sample = Annotated[
    str | None,
    typer.Option(
        "--sample",
        metavar="TIME",
        help="Count writes for this long, such as 10s or 5m [since the last reset].",
    ),
]

Old = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="Where to write it, such as release-7.json."),
]
Login = Annotated[
    str,
    typer.Option("--login", metavar="NAME", help="The login of the application."),
]

_UNITS: Final = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}


@app.callback()
def stats() -> None:
    """Sizes, rates and statements of production, for reviews."""


@app.command(epilog=example("platform stats export prod.json --sample 10s"))
def export(file: File, sample: Sample = None, as_json: AsJson = False) -> None:
    """Write sizes, write rates and settings into a file for platform review.

    No data, no values and no SQL: names of tables and indexes, sizes, counts. Any
    login may run it; what it may not see is told. An existing file is replaced.
    """
    from ai_platform.connection import connect, resolve  # noqa: PLC0415 - slow
    from ai_platform.review.production import collect, dumps  # noqa: PLC0415

    from ._files import write_files  # noqa: PLC0415

    sample_s = _seconds(sample)
    if file.is_dir():
        raise BadValue(f"{file} is a folder", hint="name a file in it")
    with connect(resolve(), application_name="platform-stats") as connection:
        found = collect(connection, sample_s=sample_s)
    write_files(file.parent, {file.name: dumps(found)})
    for words in found.missing:
        note(f"missing: {words}")
    summary = {
        "file": str(file),
        "tables": len(found.tables),
        "size_bytes": sum(one.bytes + one.index_bytes for one in found.tables),
        "writes_per_s": round(sum(one.writes_per_s for one in found.tables), 3),
        "missing": list(found.missing),
    }
    show(summary, as_json=as_json)


@app.command(
    epilog=example(
        "platform stats statements release-7.json --login app",
        "platform review --old-code release-7.json",
    )
)
def statements(file: Old, login: Login, as_json: AsJson = False) -> None:
    """Write what a login was seen to run into a file for platform review --old-code.

    From pg_stat_statements of the database, which keeps statements without their
    values; what its schema does not take is left out. An existing file is replaced.
    """
    from ai_platform.connection import connect, resolve  # noqa: PLC0415 - slow
    from ai_platform.review.compatibility import recording  # noqa: PLC0415

    from ._files import write_files  # noqa: PLC0415

    if file.is_dir() or file.suffix != ".json":
        raise BadValue(f"no file for JSON: got {str(file)!r}", hint="such as old.json")
    with connect(resolve(), application_name="platform-stats") as connection:
        text, number, unfit = recording(connection, login)
    told = f"{len(unfit)} cannot be prepared by this login: {unfit[0]}" if unfit else ""
    if not number:
        raise Refused(
            f"login {login!r} was seen to run nothing here that can be kept"
            + (f"; {told}" if told else ""),
            hint="has this login USAGE of the schemas? else let the application work "
            "for a while, then try again",
        )
    write_files(file.parent, {file.name: text})
    if told:
        note(f"left out: {told}")
    summary = {
        "file": str(file),
        "login": login,
        "statements": number,
        "left_out": len(unfit),
    }
    show(summary, as_json=as_json)


def _seconds(text: str | None) -> float | None:
    """Return a time such as 10s or 5m in seconds; raises BadValue."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|min|m|h)?", text.strip())
    if match is None:
        raise BadValue(f"--sample must be a time, got {text!r}", hint="such as 10s")
    return float(match[1]) * _UNITS[match[2] or ""]
