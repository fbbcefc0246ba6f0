"""What env.py itself does before it comes to the revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .recorder import is_autocommit, session_of
from .rounds import Rounds

if TYPE_CHECKING:
    from .places import Project

__all__ = ["begin"]

SET = """
    SELECT name, current_setting(name) FROM pg_settings
     WHERE source IN ('session', 'client')
       AND name NOT IN ('client_encoding', 'DateStyle', 'application_name',
                        'extra_float_digits', 'client_min_messages',
                        'transaction_deferrable', 'transaction_isolation',
                        'transaction_read_only')
    UNION ALL
    SELECT 'role', current_setting('role') WHERE current_setting('role') <> 'none'
"""


def begin(project: Project) -> dict[str, Any]:
    """Run env.py, and no revision; the table of versions is there then.

    Returns what it said to the server before that, what its session has set by the
    time when a revision would run, and whether each statement is committed alone. Of
    several rounds, as for one schema after the other, that is so before the first.
    """
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from sqlalchemy import event  # noqa: PLC0415
    from sqlalchemy.engine import Engine  # noqa: PLC0415

    config = project.config()
    scripts = project.scripts(config)
    said: list[str] = []
    settings: dict[str, str] = {}
    autocommit: list[bool] = []
    rounds = Rounds(project, is_online=True)

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    def upgrade(_heads: Any, context: Any) -> list[Any]:
        if not autocommit:
            settings.update(map(tuple, context.connection.exec_driver_sql(SET)))
            autocommit.append(is_autocommit(session_of(context.connection)))
        return []

    environment = EnvironmentContext(config, scripts, fn=upgrade, as_sql=False)
    run = environment.run_migrations

    def run_migrations(**options: Any) -> None:
        deaf()
        run(**options)

    def deaf() -> None:
        if event.contains(Engine, "after_cursor_execute", hear):
            event.remove(Engine, "after_cursor_execute", hear)

    environment.run_migrations = rounds.around(run_migrations)  # type: ignore[method-assign]
    event.listen(Engine, "after_cursor_execute", hear)
    try:
        with environment:
            scripts.run_env()
    finally:
        deaf()
    project.leave()
    rounds.demand_some()
    return {
        "said": said,
        "settings": settings,
        "autocommit": any(autocommit),
    }
