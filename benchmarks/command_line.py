"""What the runner and the command line cost over doing the same by hand.

- `alembic upgrade head` from empty, against psql running the same SQL plus the time
  Alembic needs to start (`alembic --help`);
- an upgrade with nothing to do, against `alembic current` of an empty project;
- `platform --help`, against importing Typer;
- a clone of the migrated template, against an empty database.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ai_platform.connection import connect
from ai_platform.runner import offline, upgrade
from benchmarks._bench import BIN, Row, command, paired, scratch_server, show

if TYPE_CHECKING:
    from ai_platform.connection import Target

ENV = """
from alembic import context
import sqlalchemy as sa
engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


def _empty_project(folder: Path, target: Target) -> Path:
    (folder / "versions").mkdir()
    (folder / "env.py").write_text(ENV, encoding="utf-8")
    ini = folder / "alembic.ini"
    url = target.sqlalchemy_url.replace("%", "%%")
    ini.write_text(
        f"[alembic]\nscript_location = {folder}\nsqlalchemy.url = {url}\n",
        encoding="utf-8",
    )
    return ini


def _fresh(admin: Target, name: str, template: str = "template0") -> None:
    with connect(admin) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


def main() -> None:
    """Print the table."""
    with scratch_server() as admin, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rows = [
            _from_empty(admin, folder),
            _nothing_to_do(admin, folder),
            _help(),
            _clone(admin),
        ]
        show("Command line and runner", rows)
        for name in ("bench", "bench_clone", "bench_empty"):
            with connect(admin) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _from_empty(admin: Target, folder: Path) -> Row:
    script = folder / "head.sql"
    script.write_text(offline.range_sql("head"), encoding="utf-8")
    url = admin.with_database("bench").url
    stop = ("-v", "ON_ERROR_STOP=1")
    psql = command(_psql(), "-X", "-q", *stop, "-f", script, "-d", url)
    start = command(BIN / "alembic", "--help")

    def by_hand() -> None:
        psql()
        start()

    figures = paired(
        command(BIN / "alembic", "upgrade", "head", url=url),
        by_hand,
        before=lambda: _fresh(admin, "bench"),
    )
    return "alembic upgrade head / psql -f + --help", figures, "<= 1.5"


def _nothing_to_do(admin: Target, folder: Path) -> Row:
    bench = admin.with_database("bench")
    for name in ("bench", "bench_empty"):
        _fresh(admin, name)
    upgrade(bench)
    project = folder / "empty"
    project.mkdir()
    ini = _empty_project(project, admin.with_database("bench_empty"))
    figures = paired(
        command(BIN / "alembic", "upgrade", "head", url=bench.url),
        command(BIN / "alembic", "-c", ini, "current"),
    )
    return "upgrade with nothing to do / alembic current", figures, "<= 1.5"


def _help() -> Row:
    figures = paired(
        command(BIN / "platform", "--help"),
        command(sys.executable, "-c", "import typer"),
        runs=15,
    )
    return "platform --help / python -c 'import typer'", figures, "<= 2"


def _clone(admin: Target) -> Row:
    figures = paired(
        lambda: _fresh(admin, "bench_clone", "bench STRATEGY wal_log"),
        lambda: _fresh(admin, "bench_clone", "template0 STRATEGY wal_log"),
    )
    return "clone of the template / empty database", figures, ""


def _psql() -> str:
    from ai_platform.server import EmbeddedServer

    own = EmbeddedServer().bin_dir / "psql"
    found = own if own.exists() else "psql"
    subprocess.run([str(found), "--version"], check=True, capture_output=True)
    return str(found)


if __name__ == "__main__":
    main()
