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
from benchmarks._bench import BIN, command, paired, scratch_server, show

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
        script = folder / "head.sql"
        script.write_text(offline.range_sql("head"), encoding="utf-8")
        bench = admin.with_database("bench")
        psql = _psql()
        help_ = command(BIN / "alembic", "--help")
        run_psql = command(
            psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", script, "-d", bench.url
        )

        def by_hand() -> None:
            run_psql()
            help_()

        rows = [
            (
                "alembic upgrade head / psql -f + --help",
                paired(
                    command(BIN / "alembic", "upgrade", "head", url=bench.url),
                    by_hand,
                    before=lambda: _fresh(admin, "bench"),
                ),
                "<= 1.5",
            )
        ]
        _fresh(admin, "bench")
        upgrade(bench)
        (folder / "empty").mkdir()
        _fresh(admin, "bench_empty")
        ini = _empty_project(folder / "empty", admin.with_database("bench_empty"))
        rows.append(
            (
                "upgrade with nothing to do / alembic current",
                paired(
                    command(BIN / "alembic", "upgrade", "head", url=bench.url),
                    command(BIN / "alembic", "-c", ini, "current"),
                ),
                "<= 1.5",
            )
        )
        rows.append(
            (
                "platform --help / python -c 'import typer'",
                paired(
                    command(BIN / "platform", "--help"),
                    command(sys.executable, "-c", "import typer"),
                    runs=15,
                ),
                "<= 2",
            )
        )
        rows.append(
            (
                "clone of the template / empty database",
                paired(
                    lambda: _fresh(admin, "bench_clone", "bench STRATEGY wal_log"),
                    lambda: _fresh(admin, "bench_clone", "template0 STRATEGY wal_log"),
                ),
                "",
            )
        )
        show("Command line and runner", rows)
        for name in ("bench", "bench_clone", "bench_empty"):
            with connect(admin) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _psql() -> str:
    from ai_platform.server import EmbeddedServer

    own = EmbeddedServer().bin_dir / "psql"
    found = own if own.exists() else "psql"
    subprocess.run([str(found), "--version"], check=True, capture_output=True)
    return str(found)


if __name__ == "__main__":
    main()
