"""`platform db check` and `platform db refresh`: is the database what was declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ai_platform.amounts import counted

from ._console import AsJson, DryRun, note, progress, say, show
from ._standing import require_schema

if TYPE_CHECKING:
    from pathlib import Path

    from ai_platform.catalog.judge import Verdict
    from ai_platform.connection import Target

__all__ = ["check", "refresh"]


def check(as_json: AsJson = False) -> None:
    """Compare every object of the database with models and SQL files; 4 on drift."""
    from ai_platform.catalog.judge import check as judge  # noqa: PLC0415 - slow
    from ai_platform.connection import resolve  # noqa: PLC0415
    from ai_platform.errors import Refused  # noqa: PLC0415
    from models import metadata  # noqa: PLC0415

    target = resolve()
    _require_ground(target, complete=False)
    with progress("comparing the catalog"):
        verdict = judge(target, metadata, _sql_root())
    _print(verdict, as_json=as_json)
    if not verdict.clean:
        raise typer.Exit(Refused.exit_code)


def refresh(dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Renew the objects that a newer server version makes differently."""
    from ai_platform.catalog.judge import refresh as renew  # noqa: PLC0415 - slow
    from ai_platform.connection import resolve  # noqa: PLC0415
    from models import metadata  # noqa: PLC0415

    target = resolve()
    _require_ground(target, complete=True)
    verdict = renew(target, metadata, _sql_root(), dry_run=dry_run)
    rows = [{"file": file.name, "renewed": not dry_run} for file in verdict.files]
    show(rows, as_json=as_json, empty="nothing to refresh")


def _require_ground(target: Target, *, complete: bool) -> None:
    """Raise Refused unless *target* is a database of ours, reached without a pooler.

    Both commands act as the owner for a whole session; a pooler in transaction mode
    would hand that session to another client.
    """
    from ai_platform.connection import connect  # noqa: PLC0415 - slow to import
    from ai_platform.runner._pooler import (  # noqa: PLC0415 - loads Alembic
        refuse_transaction_pooler,
    )

    with connect(target) as connection:
        refuse_transaction_pooler(target, connection)
        missing = require_schema(connection, target, complete=complete)
    if missing:
        note(f"note: {counted(missing, 'revision')} missing; platform db upgrade")


def _print(verdict: Verdict, *, as_json: bool) -> None:
    if as_json:
        show(verdict.to_dict(), as_json=True)
        return
    for item in verdict.drift:
        say(str(item))
    for item in verdict.outdated:
        say(f"refresh: {item}")
    for item in verdict.notes:
        note(f"note: {item}")
    if verdict.clean:
        say("the database is as declared")
        return
    drift, outdated = len(verdict.drift), len(verdict.outdated)
    note(f"{counted(drift, 'difference')}, {outdated} more for refresh")
    note(f"next: {'platform db refresh' if outdated else _next(verdict)}")


def _next(verdict: Verdict) -> str:
    missing = any(item.actual is None for item in verdict.drift)
    if missing:
        return "platform db current; platform db upgrade where revisions are missing"
    return "write a revision for what shall stay, undo the rest"


def _sql_root() -> Path:
    from ai_platform.settings import CHECKOUT  # noqa: PLC0415 - reads the environment

    return CHECKOUT / "models" / "sql"
