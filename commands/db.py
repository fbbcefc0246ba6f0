"""`platform db`: bring the schema up or down, read it, write it out as SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ai_platform.errors import BadValue

from ._console import AsJson, DryRun, Yes, confirm, example, group, say, show
from ._db_check import check, refresh
from ._db_connection import psql, url
from ._files import write_files

app = group("Upgrade, check and read the schema.")

Revision = Annotated[str, typer.Argument(help="head, an id or its beginning, +1, -1.")]


@app.command(epilog=example("platform db upgrade", "platform db upgrade +1 --dry-run"))
def upgrade(
    revision: Revision = "head", dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Run the revisions that are missing; `alembic upgrade` does the same."""
    _migrate("upgrade", revision, dry_run=dry_run, as_json=as_json)


@app.command(
    epilog=example("platform db downgrade -1 --dry-run", "platform db downgrade base"),
    context_settings={"ignore_unknown_options": True},
)
def downgrade(
    revision: Annotated[str, typer.Argument(help="-1, base, an id or its beginning.")],
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Undo revisions; what they made is dropped with its data."""
    if not dry_run:
        confirm(f"Undo revisions down to {revision}, dropping their data?", yes=yes)
    _migrate("downgrade", revision, dry_run=dry_run, as_json=as_json)


def _migrate(verb: str, revision: str, *, dry_run: bool, as_json: bool) -> None:
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow to import
    from ai_platform.runner import command, state  # noqa: PLC0415

    target = resolve()
    before = state(target)
    if dry_run:
        steps = before.steps(verb, revision)
        show(steps, as_json=as_json, empty=f"nothing to {verb}")
        return
    command(verb, revision, target=target)
    after = state(target)
    result = {"before": before.current, "after": after.current, "head": after.head}
    if as_json:
        show(result, as_json=True)
    else:
        say(f"{before.current or 'base'} -> {after.current or 'base'}")


@app.command(epilog=example("platform db current --json"))
def current(as_json: AsJson = False) -> None:
    """Say at which revision the database is, and how many are missing."""
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow to import
    from ai_platform.runner import state  # noqa: PLC0415

    now = state(resolve())
    row = {"current": now.current, "head": now.head, "missing": len(now.missing)}
    show(row, as_json=as_json)


@app.command(epilog=example("platform db history", "platform db history --journal"))
def history(
    journal: Annotated[
        bool, typer.Option("--journal", help="What ran in this database, and when.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the revisions; with --journal, the runs in this database."""
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow to import
    from ai_platform.runner import runs, state  # noqa: PLC0415

    if journal:
        show(runs(resolve()), as_json=as_json, empty="the journal is empty")
    else:
        show(state(resolve()).history(), as_json=as_json)


@app.command(epilog=example("platform db stamp head --yes"))
def stamp(
    revision: Revision,
    purge: Annotated[
        bool, typer.Option("--purge", help="Forget an unknown revision first.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Write a revision into the version table without running anything."""
    from ai_platform.connection import resolve  # noqa: PLC0415 - slow to import
    from ai_platform.runner import command, state  # noqa: PLC0415

    confirm(f"Say that the database is at {revision}, without running it?", yes=yes)
    target = resolve()
    command("stamp", revision, target=target, purge=purge)
    show({"current": state(target).current}, as_json=as_json)


@app.command(
    epilog=example(
        "platform db sql > platform.sql",
        "platform db sql 431a5f:head",
        "platform db sql --bootstrap > for-the-dba.sql",
        "platform db sql --flyway sql/",
    )
)
def sql(
    span: Annotated[
        str | None, typer.Argument(metavar="[A:B]", help="Range or id; default: all.")
    ] = None,
    down: Annotated[bool, typer.Option("--down", help="The way back.")] = False,
    bootstrap: Annotated[
        bool, typer.Option("--bootstrap", help="What a DBA runs first.")
    ] = False,
    flyway: Annotated[
        Path | None, typer.Option("--flyway", metavar="DIR", help="Write V<n>__ files.")
    ] = None,
    review: Annotated[
        bool, typer.Option("--review", help="Rewrite migrations/review.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the SQL of a range without a database, or write it to files."""
    from ai_platform.runner import offline  # noqa: PLC0415 - slow to import

    _refuse_mixture(span, down=down, bootstrap=bootstrap, flyway=flyway, review=review)
    if flyway is not None:
        _report(write_files(flyway, dict(offline.flyway_files())), as_json=as_json)
    elif review:
        files = dict(offline.review_files())
        rows = write_files(offline.REVIEW, files, only_these="*.sql")
        _report(rows, as_json=as_json)
    else:
        whole = span or "head"
        text = offline.bootstrap() if bootstrap else offline.range_sql(whole, down=down)
        if as_json:
            show({"sql": text}, as_json=True)
        else:
            typer.echo(text, nl=False)


def _refuse_mixture(
    span: str | None, *, down: bool, bootstrap: bool, flyway: Path | None, review: bool
) -> None:
    """Raise BadValue for options that would leave each other without effect."""
    modes = {
        "--bootstrap": bootstrap,
        "--flyway": flyway is not None,
        "--review": review,
    }
    given = [name for name, is_given in modes.items() if is_given]
    extra = [*(["--down"] if down else []), *([span] if span else [])]
    if len(given) > 1 or (given and extra):
        raise BadValue(
            f"{' and '.join([*given, *extra])} cannot be combined",
            hint="platform db sql --help",
        )


def _report(changed: list[dict[str, str]], *, as_json: bool) -> None:
    show(changed, as_json=as_json, empty="every file is current")


app.command(epilog=example("platform db check"))(check)
app.command(epilog=example("platform db refresh --dry-run"))(refresh)
app.command(epilog=example("platform db url --role app"))(url)
app.command(epilog=example('platform db psql -- -c "SELECT 1"'))(psql)
