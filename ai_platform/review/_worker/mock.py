"""What stands for a connection while SQL is written down, and what it cannot do."""

from __future__ import annotations

import builtins
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ask_which_mode", "demand_plain", "no_files"]


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


@contextmanager
def no_files() -> Iterator[None]:
    """Keep out of the project's folder the files into which env.py writes SQL."""
    opened: Any = open

    def opening(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if mode[:1] in "wax" and str(file).endswith(".sql"):
            return io.StringIO()
        return opened(file, mode, *rest, **named)

    builtins.open = io.open = opening
    try:
        yield
    finally:
        builtins.open = io.open = opened
