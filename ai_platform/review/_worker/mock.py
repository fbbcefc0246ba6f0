"""What stands for a connection while SQL is written down, and what it cannot do."""

from __future__ import annotations

from typing import Any

__all__ = ["ask_which_mode", "demand_plain"]


class NeedsDatabase(Exception):
    """What would be written is not what runs."""


def ask_which_mode() -> bool:
    """Raise instead of telling a revision that it is written down."""
    raise NeedsDatabase("it is another one offline (is_offline_mode)")


def demand_plain(connection: Any) -> None:
    """Let *connection*, Alembic's, raise where it would write something else.

    It writes NULL for each value given to `execute`, and takes nothing for there
    where SQLAlchemy asks the database first.
    """
    execute, visit = connection.execute, connection._run_ddl_visitor  # noqa: SLF001

    def executing(statement: Any, *values: Any, **named: Any) -> Any:
        named.pop("execution_options", None)
        if any(values) or any(named.values()):
            raise NeedsDatabase("written SQL has no values that execute() is given")
        return execute(statement)

    def visiting(visitor: Any, element: Any, **options: Any) -> Any:
        if options.get("checkfirst"):
            raise NeedsDatabase("it asks first what is there (checkfirst)")
        return visit(visitor, element, **options)

    connection.execute = executing
    connection._run_ddl_visitor = visiting  # noqa: SLF001 - no other way in
