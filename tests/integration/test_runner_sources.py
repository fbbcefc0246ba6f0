"""Which database is meant: one order for every command, and it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from ai_platform.connection import Target
from ai_platform.runner import _command
from tests.support.environment import clean_environment
from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database
    from tests.support.programs import Run

NOWHERE = "postgresql://nobody@127.0.0.1:1/nowhere"


def test_x_url_wins_over_the_environment(database: Database, run: Run) -> None:
    """`-x url=` is what the person at the keyboard just said."""
    environment = clean_environment(DATABASE_URL=NOWHERE)
    done = run("alembic", "-x", f"url={database.url}", "current", env=environment)

    assert done.returncode == 0, done.stderr
    assert "(head)" in done.stdout
    assert "(-x url)" in done.stderr


def test_the_environment_wins_over_the_ini(
    database: Database, run: Run, tmp_path: Path
) -> None:
    """A URL in alembic.ini is the fall-back of a deployment, not its master."""
    ini = _ini(tmp_path, NOWHERE)
    done = run("alembic", "-c", ini, "current", env=database.environment())

    assert done.returncode == 0, done.stderr
    assert "(DATABASE_URL)" in done.stderr


def test_the_ini_is_used_when_nothing_else_is_said(
    database: Database, run: Run, tmp_path: Path
) -> None:
    """sqlalchemy.url works, SQLAlchemy's own spelling of the scheme included."""
    for url in (database.url, Target(database.url, "").sqlalchemy_url):
        ini = _ini(tmp_path, url.replace("%", "%%"))
        done = run("alembic", "-c", ini, "current", env=clean_environment())
        assert done.returncode == 0, done.stderr
        assert "(sqlalchemy.url)" in done.stderr


def test_heroku_style_urls_are_accepted(database: Database, run: Run) -> None:
    """`postgres://`, and POSTGRES_URL as the variable, mean the same database."""
    url = database.url.replace("postgresql://", "postgres://")
    environment = clean_environment(POSTGRES_URL=url)
    done = run("alembic", "current", env=environment)

    assert done.returncode == 0, done.stderr
    assert "(POSTGRES_URL)" in done.stderr


def test_passwords_are_not_shown(run: Run) -> None:
    """Neither in the authority nor as a parameter does a password reach stderr."""
    url = "postgresql://ada:s3cret@127.0.0.1:1/x?sslpassword=s3cret2&host=127.0.0.1"
    done = run("alembic", "current", env=clean_environment(DATABASE_URL=url))

    assert "s3cret" not in done.stderr + done.stdout


def test_a_borrowed_connection_is_used(empty: Database) -> None:
    """A test harness may hand over its own connection, as pytest-alembic does."""
    config = _command.Config(str(CHECKOUT / "alembic.ini"))
    engine = empty.engine()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        _command.alembic_command.upgrade(config, "head")
        connection.commit()
    with engine.connect() as connection:
        found = connection.scalar(sa.text("SELECT count(*) FROM alembic_version"))

    assert found == 1


def _ini(folder: Path, url: str) -> Path:
    text = (CHECKOUT / "alembic.ini").read_text(encoding="utf-8")
    text = text.replace("%(here)s", str(CHECKOUT))
    ini = folder / "alembic.ini"
    ini.write_text(text.replace("# sqlalchemy.url = ", "sqlalchemy.url = ", 1))
    kept = [
        f"sqlalchemy.url = {url}" if line.startswith("sqlalchemy.url") else line
        for line in ini.read_text(encoding="utf-8").splitlines()
    ]
    ini.write_text("\n".join(kept), encoding="utf-8")
    return ini
