"""What the documents say to type is typed: a line that fails is a lie."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from ai_platform.server import EmbeddedServer
from tests.support.documents import blocks, commands
from tests.support.environment import clean_environment
from tests.support.programs import CHECKOUT, SCRIPTS, run_program
from tests.support.tenants import OWN

if TYPE_CHECKING:
    from tests.support.database import Database
    from tests.support.tenants import Tenants

RESTORE = "platform partitions restore archive/logs.request_logs_20270101.csv.gz"
NOT_RUN = {
    r"psql -d platform -c '\password platform_migrator'": "it asks at a terminal",
    "platform seed --demo": "test_cli_demo runs it",
    "platform seed --demo --yes": "test_cli_demo runs it",
    "pip install --no-deps -e /path/to/ai-platform-database": "make has run it",
    f"{RESTORE} --dry-run": "test_cli_maintenance runs it",
    f"{RESTORE} --into logs.new_year": "test_cli_maintenance runs it",
}
DOCUMENTS = ("docs/install.md", "docs/operations.md", "docs/services.md")
SUPERUSER = "As superuser"
OWNER = "As owner of the database, with CREATEROLE (RDS, Cloud SQL, Azure)"
MIGRATOR = "As `platform_migrator`, with roles made by a DBA"


def libpq(database: Database) -> dict[str, str]:
    """Return the variables by which psql and createdb find the server."""
    parts = urlsplit(database.url)
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    found = {
        "PGHOST": options.get("host") or parts.hostname,
        "PGPORT": options.get("port") or parts.port,
        "PGUSER": parts.username,
        "PGPASSWORD": database.target.password,
    }
    return {name: str(value) for name, value in found.items() if value}


def types(lines: list[str], database: Database, folder: Path, **more: str) -> str:
    """Run *lines* as one script on *database*; return what they print."""
    script = "\n".join(line for line in lines if line not in NOT_RUN)
    assert script
    script = re.sub(
        r"postgresql://(\w+)@db\.example/platform",
        lambda found: "'" + database.as_login(found[1]).url + "'",
        script,
    )
    script = re.sub(r"(createdb|-d) platform\b", rf"\1 {database.name}", script)
    environment = clean_environment(PLATFORM_PGDATA=str(folder / "pgdata"), **more)
    path = (SCRIPTS, EmbeddedServer().bin_dir, environment["PATH"])
    environment["PATH"] = os.pathsep.join(map(str, path))
    done = subprocess.run(
        ["sh", "-euxc", script],
        cwd=folder,
        env={**environment, **libpq(database)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


@pytest.mark.torture  # `make up` takes the same steps in test_readme
def test_a_superuser_installs_as_written(empty: Database, tmp_path: Path) -> None:
    """The first of the three ways, from `createdb` to the first partitions."""
    empty.cluster.drop(empty.name)
    types(commands("docs/install.md", SUPERUSER), empty, tmp_path)

    with empty.connect() as connection:
        query = "SELECT count(*) FROM auth.users"
        assert connection.execute(query).fetchone() == (1,)


@pytest.mark.slow
def test_a_migrator_installs_as_written(empty: Database, tmp_path: Path) -> None:
    """The way of least privilege: a DBA's script, then a login that may little."""
    types(commands("docs/install.md", MIGRATOR), empty, tmp_path)

    with empty.connect() as connection:
        query = "SELECT to_regclass('auth.users') IS NOT NULL"
        assert connection.execute(query).fetchone() == (True,)


def test_the_statements_for_a_dba_run(database: Database, empty: Database) -> None:
    """The extension on an empty database, the logins on a whole one; undone."""
    (extension,) = blocks("sql", "docs/install.md", OWNER)
    (logins,) = blocks("sql", "docs/install.md", "Logins of services")
    for place, script in ((empty, extension), (database, logins)):
        connection = place.connect(autocommit=False)
        connection.execute(script.encode())
        connection.rollback()


@pytest.mark.slow
def test_hardening_and_scripts_run(database: Database, tmp_path: Path) -> None:
    """The rest of the installation guide, on a database that is whole."""
    for section in (
        "A database of its own, closed to others",
        "SQL instead of a connection",
    ):
        lines = commands("docs/install.md", section)
        types(lines, database, tmp_path, DATABASE_URL=database.url)

    assert (tmp_path / "platform.sql").stat().st_size
    assert list((tmp_path / "sql").glob("V*__*.sql"))


@pytest.mark.slow
def test_the_commands_of_an_operator_run(database: Database, tmp_path: Path) -> None:
    """Upgrades, drift and partitions as the guide for operators has them."""
    revision = run_program("alembic", "heads", check=True).stdout.split()[0]
    lines = [
        line.replace("<current>", revision) for line in commands("docs/operations.md")
    ]
    types(lines, database, tmp_path, DATABASE_URL=database.url)


def test_the_search_of_an_operator_runs(database: Database) -> None:
    """Three nearest texts, by SQL that can be copied once it has a vector."""
    (statement,) = blocks("sql", "docs/operations.md")
    vector = str([0.5] * 1536)

    connection = database.connect()
    assert (
        connection.execute(statement.replace("[…]", vector).encode()).fetchall() == []
    )


def test_the_contexts_of_services_work(tenants: Tenants) -> None:
    """Both ways to say on whose behalf a service acts give that tenant's rows."""
    user = tenants.rows["auth.users", OWN]["id"]
    connection = tenants.connect("app")
    for statements in blocks("sql", "docs/services.md"):
        script = re.sub(r"\b7\b", str(user), statements)
        script = re.sub(r", 3\)", f", {OWN})", script)
        found = [
            connection.execute(statement.encode())
            for statement in re.sub(r" --.*", "", script).split(";")
            if statement.strip()
        ]
        # the last but one is the query, before COMMIT
        assert len(found[-2].fetchall()) == 1


def test_the_example_of_the_readme_runs(tenants: Tenants) -> None:
    """The block that a service developer copies reads one tenant's rows."""
    (body,) = blocks("python", "README.md")
    user = tenants.rows["auth.users", OWN]["id"]
    body = body.replace(
        "postgresql+psycopg://svc@db.example/platform",
        tenants.login("app").with_database(tenants.name).sqlalchemy_url,
    ).replace('{"user": 7, "org": 3}', f'{{"user": {user}, "org": {OWN}}}')
    body += "\nengine.dispose()\n"

    found: dict[str, list[str]] = {}
    exec(compile(body, "README.md", "exec"), found)  # noqa: S102 - our own README

    assert found["names"] == [tenants.rows["data_platform.datasets", OWN]["name"]]


@pytest.mark.parametrize("installed", [False, True], ids=["PYTHONPATH", "pip -e"])
def test_a_service_elsewhere_imports_the_models(
    tmp_path: Path,
    installed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """From its own folder, by either way that docs/services.md names."""
    import sqlalchemy  # noqa: PLC0415 - its folder alone

    program = "import models; print(models.Dataset.__table__, models.__file__)"
    packages = Path(sqlalchemy.__file__).parents[1]
    options = [] if installed else ["-S"]
    more = {} if installed else {"PYTHONPATH": f"{CHECKOUT}{os.pathsep}{packages}"}
    done = run_program(
        sys.executable,
        *options,
        "-c",
        program,
        cwd=tmp_path,
        env=clean_environment(**more),
        check=True,
    )

    table, file = done.stdout.split()
    assert table == "data_platform.datasets"
    assert file == str(CHECKOUT / "models" / "__init__.py")


def test_exceptions_are_in_the_documents() -> None:
    """A command that no document has needs no excuse here."""
    written = {line for name in DOCUMENTS for line in commands(name)}

    assert set(NOT_RUN) - written == set()


def test_every_block_is_in_a_section_that_is_run() -> None:
    """A new section with commands in the installation guide gets a test too."""
    covered = [
        *commands("docs/install.md", SUPERUSER),
        *commands("docs/install.md", MIGRATOR),
        *commands("docs/install.md", "A database of its own, closed to others"),
        *commands("docs/install.md", "SQL instead of a connection"),
    ]

    assert commands("docs/install.md") == covered
    assert len(blocks("sql", "docs/install.md")) == 2
    assert set(commands("docs/services.md")) <= set(NOT_RUN) | {
        "export PYTHONPATH=/path/to/ai-platform-database"
    }
