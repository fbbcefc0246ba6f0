"""Run single revisions, or make the tables of models, on the database named."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .faults import Fault, last_line
from .places import Place, Project, sync_driver, url_of
from .recorder import Recorder
from .rounds import Rounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["create_all", "run"]

# how SQLAlchemy 1.4, and those after it, note what they made
MEMOS = ("_pg_enums", "pg_enum", "pg_ENUM", "pg_domain", "pg_DOMAIN")
TYPES = """
    SELECT n.nspname, t.typname
      FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
     WHERE t.typtype IN ('d', 'e') AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT NULL, t.typname
      FROM pg_catalog.pg_type t
     WHERE t.typtype IN ('d', 'e') AND pg_catalog.pg_type_is_visible(t.oid)
"""


def run(
    project: Project,
    revision: str | None,
    *,
    down: bool,
    stamp: list[str] | None,
    history: bool,
) -> dict[str, Any]:
    """Run one *revision* as env.py would; None only makes the version table.

    With *stamp* the database is first declared to stand at these revisions. What is
    *history* takes types that are there for made, as Alembic does of those that it
    made in the same run. Returns what the revision said to the server.
    """
    from alembic.runtime.migration import MigrationStep  # noqa: PLC0415

    scripts = project.scripts(project.config())
    if stamp is not None:
        wanted = tuple(stamp) or "base"
        _through_env(
            project,
            lambda heads, _: scripts._stamp_revs(wanted, heads),  # noqa: SLF001
            destination_rev=wanted,
            purge=True,
        )
    make = getattr(
        MigrationStep, "downgrade_from_script" if down else "upgrade_from_script"
    )

    recorder = Recorder()

    def upgrade(_heads: Any, context: Any) -> list[Any]:
        if revision is None:
            return []
        if history:
            know_types(context)
        # not before: env.py may say where the revisions lie
        step = make(scripts.revision_map, scripts.get_revision(revision))
        step.migration_fn = recorder.wrapped(step.migration_fn)
        return [step]

    # env.py may ask for the name of the function to learn which command this is
    upgrade.__name__ = "downgrade" if down else "upgrade"
    with recorder.listening():
        _through_env(project, upgrade, destination_rev=revision)
    return recorder.answer()


def know_types(context: Any) -> None:
    """Let Alembic take the enums and domains of the database for made by itself."""
    found = {tuple(row) for row in context.connection.exec_driver_sql(TYPES)}
    context.impl.memo.update({name: set(found) for name in MEMOS})


def _through_env(
    project: Project, function: Callable[..., Iterable[Any]], **options: Any
) -> None:
    """Run through env.py the steps that *function* returns, in the wanted round."""
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415

    config = project.config()
    scripts = project.scripts(config)
    rounds = Rounds(project, is_online=True)
    environment = EnvironmentContext(
        config, scripts, fn=function, as_sql=False, **options
    )
    environment.run_migrations = rounds.around(  # type: ignore[method-assign]
        environment.run_migrations
    )
    with environment:
        scripts.run_env()
    project.leave()
    rounds.demand_some()


def create_all(project: Project, attribute: str, schemas: list[str]) -> None:
    """Make the tables of the MetaData *attribute* (``module:name``).

    Raises Fault when there is no such thing.
    """
    from sqlalchemy import create_engine  # noqa: PLC0415

    project.scripts(project.config())  # its prepend_sys_path
    module, _, name = attribute.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in (name or "metadata").split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise Fault("metadata", attribute + ": " + last_line(error)) from error
    metadata = getattr(found, "metadata", found)
    if not hasattr(metadata, "create_all"):
        raise Fault("metadata", attribute + " is no MetaData: " + type(found).__name__)
    engine = create_engine(url_of(Place.dsn or "", sync_driver()))
    named = {table.schema for table in metadata.tables.values() if table.schema}
    with engine.begin() as connection:
        for schema in sorted(named - set(schemas)):
            quoted = engine.dialect.identifier_preparer.quote(schema)
            connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS " + quoted)
        metadata.create_all(connection)
    engine.dispose()
