"""`alembic check` and `revision --autogenerate` see what the snapshot sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext

from ai_platform.catalog.alembic_plugin import (
    alembic_plugin,
    partition_filter,
    target_of,
)
from models import metadata
from tests.support.programs import CHECKOUT, Run

if TYPE_CHECKING:
    from tests.support.database import Database

SQL_ROOT = CHECKOUT / "models" / "sql"


def test_alembic_check_is_clean_at_head(database: Database, run: Run) -> None:
    """After `upgrade head` plain `alembic check` finds nothing to do."""
    done = run("alembic", "check", env=database.environment())

    assert done.returncode == 0, done.stderr
    assert "No new upgrade operations" in done.stdout


HIDDEN = {
    "ALTER TABLE auth.users NO FORCE ROW LEVEL SECURITY": (
        "table auth.users: row security forced: yes → none"
    ),
    "ALTER FUNCTION auth.set_context RESET search_path": (
        "settings: search_path=pg_catalog, pg_temp → none"
    ),
    "CREATE SEQUENCE auth.stray": "unexpected sequence auth.stray",
}


@pytest.mark.slow
def test_alembic_check_sees_hidden_drift(database: Database, run: Run) -> None:
    """What Alembic's own comparison misses fails `alembic check`, readably."""
    for change in HIDDEN:
        database.connect().execute(change.encode())

    done = run("alembic", "check", env=database.environment())

    assert done.returncode != 0
    for line in HIDDEN.values():
        assert line in done.stdout + done.stderr


@pytest.mark.slow
def test_what_alembic_says_is_not_said_twice(database: Database, run: Run) -> None:
    """A column that Alembic reports is left out of the snapshot's list."""
    database.connect().execute("ALTER TABLE auth.users ADD stray integer")

    done = run("alembic", "check", env=database.environment())

    text = done.stdout + done.stderr
    assert "remove_column" in text
    assert "catalog_drift" not in text


@pytest.mark.slow
def test_autogenerate_writes_drift_as_comment(database: Database) -> None:
    """A new revision can run as it is: what it cannot express is a comment in it."""
    database.connect().execute("ALTER TABLE auth.users DISABLE TRIGGER tr_users_audit")
    with database.engine().connect() as connection:
        options = {
            "include_schemas": True,
            "include_name": partition_filter(connection),
            "autogenerate_plugins": alembic_plugin(metadata, SQL_ROOT),
        }
        context = MigrationContext.configure(connection, opts=options)
        operations = produce_migrations(context, metadata).upgrade_ops
        assert operations is not None
        code = render_python_code(operations, migration_context=context)

    compile(f"def upgrade():\n    {code}", "revision", "exec")
    line = "trigger tr_users_audit on auth.users: state: enabled → disabled"
    assert f"# not expressible here: {line}" in code


def test_partitions_are_hidden_by_catalog(database: Database) -> None:
    """Autogenerate reads no partition, whatever its name; other tables it does."""
    with database.engine().connect() as connection:
        include = partition_filter(connection)

    assert include("request_logs", "table", {"schema_name": None})
    assert include("run_metrics", "table", {"schema_name": "algo_platform"})
    assert not include("run_metrics_p0", "table", {"schema_name": "algo_platform"})
    assert include("run_metrics_p0", "column", {"schema_name": "algo_platform"})


def test_another_connection_can_be_opened(database: Database) -> None:
    """The reference is built by the login of the connection that compares."""
    connection = database.connect("app")

    target = target_of(connection)

    assert target.database == database.name
    assert "t_app" in target.url
