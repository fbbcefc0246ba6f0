"""Where the names in a revision are looked up: not in public, if it says so."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._plan import Plan

__all__ = ["names_as_in"]

_SETS: Final = re.compile(
    r"SET\s+(?:(?:SESSION|LOCAL)\s+)?search_path\b"
    r"|SELECT\s+(?:pg_catalog\.)?set_config\s*\(\s*'search_path'[^()]*\)\s*;?$",
    re.IGNORECASE,
)
_LOCAL: Final = re.compile(r"^SET\s+LOCAL\s", re.IGNORECASE)


@contextmanager
def names_as_in(
    connection: psycopg.Connection[Any], plan: Plan, settings: Mapping[str, str]
) -> Iterator[None]:
    """Look names up within the block as *plan* does, whose session has *settings*.

    Where it changes the search path on its way, in all that it names, one by one.
    *connection* is in autocommit.
    """
    paths = [settings["search_path"]] if "search_path" in settings else []
    for statement in (*plan.up, *(plan.down or ())):
        if _SETS.match(statement.sql):
            paths += _set(connection, _LOCAL.sub("SET ", statement.sql))
    if not paths:
        yield
        return
    whole = ", ".join(path for path in dict.fromkeys(paths) if path)
    connection.execute("SELECT set_config('search_path', %s, false)", [whole])
    try:
        yield
    finally:
        connection.execute("RESET search_path")


def _set(connection: psycopg.Connection[Any], text: str) -> list[str]:
    """Return the search path that the statement *text* sets."""
    try:
        connection.execute(text.encode())
    except psycopg.Error:  # it will be told where it is measured
        return []
    return [path for (path,) in connection.execute("SHOW search_path")]
