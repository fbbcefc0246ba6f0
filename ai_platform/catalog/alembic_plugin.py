"""Let `alembic check` see what its own comparison misses."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from alembic.autogenerate.render import renderers
from alembic.operations.ops import (
    AddColumnOp,
    AddConstraintOp,
    AlterColumnOp,
    CreateIndexOp,
    CreateTableCommentOp,
    CreateTableOp,
    DropColumnOp,
    DropConstraintOp,
    DropIndexOp,
    DropTableCommentOp,
    DropTableOp,
    MigrateOperation,
)
from alembic.runtime.plugins import Plugin
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import DefaultClause, text

from ai_platform.connection import Target

from .judge import judge
from .reference import reference
from .snapshot import snapshot
from .sources import read_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import psycopg
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import UpgradeOps
    from sqlalchemy import Column, MetaData
    from sqlalchemy.engine import Connection

    from .difference import Difference

__all__ = [
    "CatalogDrift",
    "alembic_plugin",
    "partition_filter",
    "target_of",
]

NAME: Final = "ai_platform.catalog"
_SPACING: Final = re.compile(r"[()\s]")
log = logging.getLogger(f"alembic.autogenerate.{NAME}")


class CatalogDrift(MigrateOperation):
    """Differences that no Alembic operation can express."""

    def __init__(self, differences: Iterable[Difference]) -> None:
        self.differences = tuple(differences)

    def reverse(self) -> CatalogDrift:
        """Return nothing to undo: the operation is a remark."""
        return CatalogDrift(())

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return what `alembic check` prints."""
        return ("catalog_drift", *map(str, self.differences))


@renderers.dispatch_for(CatalogDrift)
def _render(_context: AutogenContext, operation: CatalogDrift) -> list[str]:
    lines = [f"# not expressible here: {item}" for item in operation.differences]
    return [*lines, "pass"]


def alembic_plugin(metadata: MetaData, sql_root: Path) -> list[str]:
    """Register the comparison; return the value for ``autogenerate_plugins``.

    In `env.py`, for the commands that compare::

        context.configure(..., autogenerate_plugins=alembic_plugin(metadata, root))

    What Alembic found itself is not said twice.
    """

    def compare(
        context: AutogenContext, operations: UpgradeOps
    ) -> PriorityDispatchResult:
        if context.connection is not None:
            found = _remaining(context.connection, metadata, sql_root, operations)
            for difference in found:
                log.info("Detected %s", difference)
            if found:
                operations.ops.append(CatalogDrift(found))
        return PriorityDispatchResult.CONTINUE

    _forget()
    plugin = Plugin(NAME)
    plugin.add_autogenerate_comparator(_same_default, "column", "server_default")
    plugin.add_autogenerate_comparator(
        compare, "autogenerate", priority=DispatchPriority.LAST
    )
    return ["alembic.autogenerate.*", NAME]


def _same_default(
    _context: AutogenContext,
    _operation: AlterColumnOp,
    _schema: str | None,
    _table: str,
    _column: str,
    actual: Column[Any],
    declared: Column[Any],
) -> PriorityDispatchResult:
    """Let defaults with equal texts pass.

    Alembic would have the server compute both sides, and a standby cannot compute
    them all. What blanks and parentheses change, the catalog's comparison sees.
    """
    texts = {_text_of(column.server_default) for column in (actual, declared)}
    if len(texts) == 1 and None not in texts:
        return PriorityDispatchResult.STOP
    return PriorityDispatchResult.CONTINUE


def _text_of(default: object) -> str | None:
    """Return a default's text without blanks and parentheses, None without a text."""
    if not isinstance(default, DefaultClause):
        return None
    return _SPACING.sub("", str(getattr(default.arg, "text", default.arg)))


def _forget() -> None:
    """Make room: a process may run env.py more than once."""
    from alembic.runtime import plugins  # noqa: PLC0415 - no public look-up exists

    known = plugins._all_plugins.get(NAME)  # noqa: SLF001
    if known is not None:
        known.remove()


def _remaining(
    connection: Connection,
    metadata: MetaData,
    sql_root: Path,
    operations: UpgradeOps,
) -> list[Difference]:
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    actual = snapshot(driver)
    expected = reference(target_of(driver), metadata, sql_root, any_major=True)
    verdict = judge(expected, actual, read_sources(sql_root))
    told = set(_told(operations.ops))
    return [
        item
        for item in (*verdict.drift, *verdict.outdated)
        if not told.intersection(_names(item))
    ]


def target_of(connection: psycopg.Connection[Any]) -> Target:
    """Return where *connection* leads, to open another one with the same login."""
    info = connection.info
    parameters = info.get_parameters()
    user, database = parameters.pop("user"), parameters.pop("dbname", info.dbname)
    login = quote(user, safe="")
    if info.password:
        login += ":" + quote(info.password, safe="")
    parameters.pop("application_name", None)
    query = urlencode(parameters)
    return Target(
        f"postgresql://{login}@/{quote(database, safe='')}?{query}", "this connection"
    )


def _told(operations: Iterable[MigrateOperation]) -> Iterator[str]:
    """Yield the names of what Alembic's own *operations* are about."""
    for operation in operations:
        match operation:
            case CreateTableOp() | DropTableOp():
                yield _table(operation)
            case CreateTableCommentOp() | DropTableCommentOp():
                yield _table(operation) + ": comment"
            case AddColumnOp():
                yield f"{_table(operation)}.{operation.column.name}"
            case DropColumnOp() | AlterColumnOp():
                yield f"{_table(operation)}.{operation.column_name}"
            case CreateIndexOp() | DropIndexOp():
                schema = operation.schema or "public"
                yield f"{schema}.{operation.index_name}"
            case AddConstraintOp() | DropConstraintOp():
                name = getattr(operation, "constraint_name", None)
                yield f"{name} on {_table(operation)}"
        yield from _told(getattr(operation, "ops", ()))


def _table(operation: Any) -> str:
    name = getattr(operation, "table_name", None) or operation.source_table
    return f"{operation.schema or 'public'}.{name}"


def _names(difference: Difference) -> Iterator[str]:
    """Yield the names under which Alembic may have told of *difference*."""
    identity = difference.identity.replace('"', "")
    yield identity
    if difference.kind == "table" and difference.property == "comment":
        yield f"{identity}: comment"
    if " on " in identity:  # the index of a constraint that Alembic tells of
        name, _, table = identity.partition(" on ")
        yield f"{table.rpartition('.')[0]}.{name}"


def partition_filter(
    connection: Connection,
) -> Callable[[str | None, str, dict[str, str | None]], bool]:
    """Return an ``include_name`` that hides every partition from autogenerate.

    By the catalog, not by name patterns, and before anything of them is read.
    """
    query = text(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f')"
    )
    hidden = {(str(schema), str(name)) for schema, name in connection.execute(query)}

    def include_name(
        name: str | None, kind: str, parents: dict[str, str | None]
    ) -> bool:
        if kind != "table":
            return True
        return (parents.get("schema_name") or "public", name) not in hidden

    return include_name
