"""What distinguishes the models of a project from its revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from ai_platform.catalog import diff, snapshot
from ai_platform.connection import connect
from ai_platform.review._foreign import Interpreter

if TYPE_CHECKING:
    from ai_platform.catalog import Difference
    from ai_platform.review.projects import Project

    from ._ground import Ground, Walk

__all__ = ["drift"]

# MetaData says nothing of functions, triggers, policies, rights and the like.
_SAID: Final = ("table", "column", "constraint", "index", "sequence", "type")
_UNSAID: Final = {
    "owner",
    "rights",
    "row security",
    "row security forced",
    "replica identity",
    "storage",
    "compression",
    "statistics target",
    "partitions",
    "partition faults",
}
_GIVEN: Final = """
    SELECT n.nspname, e.extname
      FROM pg_namespace n LEFT JOIN pg_extension e ON e.extnamespace = n.oid
     WHERE n.nspname !~ '^pg_(toast|temp)' AND n.nspname <> 'information_schema'
       AND (e.extname IS NOT NULL OR n.nspname <> 'pg_catalog')
     ORDER BY e.oid
"""


def drift(
    walk: Walk, project: Project, ground: Ground, attribute: str
) -> list[Difference]:
    """Return where the database of *walk* is not what the MetaData *attribute* says.

    The models' database first gets the schemas and extensions of the other one.
    """
    with walk.connect() as connection:
        given = connection.execute(_GIVEN).fetchall()
        actual = snapshot(connection)
    with ground.database() as target:
        with connect(target) as connection:
            _give(connection, given)
        with Interpreter(project.place, timeout_s=walk.timeout_s) as interpreter:
            interpreter.ask(
                "create_all",
                dsn=target.url,
                attribute=attribute,
                schemas=[schema for schema, _ in given],
            )
        with connect(target) as connection:
            expected = snapshot(connection)
    return [item for item in diff(expected, actual) if _counts(item, project)]


def _give(connection: Any, given: list[tuple[str, str | None]]) -> None:
    for schema, extension in given:
        names = {"schema": sql.Identifier(schema)}
        if schema != "pg_catalog":
            connection.execute(
                sql.SQL("CREATE SCHEMA IF NOT EXISTS {schema}").format(**names)
            )
        if extension:
            statement = "CREATE EXTENSION IF NOT EXISTS {extension} SCHEMA {schema}"
            names["extension"] = sql.Identifier(extension)
            connection.execute(sql.SQL(statement).format(**names))


def _counts(item: Difference, project: Project) -> bool:
    version_table = project.version_table.rpartition(".")[2]
    return (
        item.kind in _SAID
        and item.property not in _UNSAID
        and not item.weak
        and version_table not in item.identity.replace('"', "").split(".")
    )
