"""Bring a database to where a dump stands, as far as the scratch server can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import psycopg
from pglast import ast
from pglast.enums import AlterTableType, ObjectType
from psycopg import errors

from ai_platform.catalog._made_roles import roles
from ai_platform.connection import connect, first_line
from ai_platform.errors import BadValue
from ai_platform.identifiers import quoted

from ._plan import version_table_sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_platform.connection import Target

    from .dump import Dump, Part

__all__ = ["load"]

_UNFILLED: Final = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'm' AND NOT c.relispopulated ORDER BY 1
"""
_GRANTS: Final = (
    ast.GrantStmt,
    ast.GrantRoleStmt,
    ast.AlterDefaultPrivilegesStmt,
    ast.AlterRoleStmt,
    ast.AlterRoleSetStmt,
)
_OWN: Final = {AlterTableType.AT_ChangeOwner}
# pg_dump --clean takes away first what is not there
_CLEAN: Final = {AlterTableType.AT_DropConstraint, AlterTableType.AT_ColumnDefault}
_DROPPED: Final = "X"
_THERE: Final = (errors.DuplicateSchema, errors.DuplicateObject)
_GONE: Final = (
    errors.UndefinedObject,
    errors.UndefinedTable,
    errors.UndefinedFunction,
    errors.InvalidSchemaName,
)


def load(
    place: Target, dump: Dump, version_table: str, *, is_first: bool
) -> tuple[str, ...]:
    """Make what *dump* says in the empty database *place*; return what is to be said.

    Roles that are not there are made without login. Materialized views are filled, from
    tables without rows. The version table is there afterwards, unless *is_first*: the
    first revision makes it. Raises BadValue, with file and line, for a statement that
    the server refuses.
    """
    with connect(place, application_name="platform-review-schema") as connection:
        version = connection.info.parameter_status("server_version") or ""
        notes = [*_beginning(dump, version), *_make_roles(connection, dump)]
        lacking: list[str] = []
        for part in dump.parts:
            note = _run(connection, part, dump, lacking)
            notes += [f"{dump.name}:{part.line}: left out, {note}"] if note else []
        for name in ("role", "search_path", "session_authorization"):
            connection.execute(f"RESET {name}".encode())
        _fill(connection)
        _place_version(connection, version_table, is_first=is_first)
    return tuple(notes)


def _beginning(dump: Dump, version: str) -> tuple[str, ...]:
    begun = f"measured from the schema in {dump.name} on, without the revisions before"
    said = (begun, *dump.left_out)
    here = version.partition(".")[0]
    if dump.version is None or dump.version.partition(".")[0] == here:
        return said
    return (
        *said,
        f"the schema is of PostgreSQL {dump.version}, the server here {here}",
    )


def _make_roles(connection: psycopg.Connection[Any], dump: Dump) -> tuple[str, ...]:
    made = []
    for name in sorted(set(dump.roles) - roles(connection)):
        try:
            connection.execute(f"CREATE ROLE {quoted(name)} NOLOGIN".encode())
        except psycopg.Error as error:
            told = f"role {quoted(name)} cannot be made: {first_line(error)}"
            raise BadValue(
                f"{dump.name}: {told}", hint="review with a login that has CREATEROLE"
            ) from None
        made.append(name)
    if not made:
        return ()
    return (f"made for it, without login and memberships: roles {', '.join(made)}",)


def _run(
    connection: psycopg.Connection[Any], part: Part, dump: Dump, lacking: list[str]
) -> str | None:
    """Run *part*; return what was left out, and why."""
    try:
        connection.execute(part.sql.encode(), prepare=False)
    except psycopg.Error as error:
        told = first_line(error)
        name = getattr(part.tree, "extname", None)
        if isinstance(part.tree, ast.CreateExtensionStmt) and name:
            lacking.append(name)
            return f"extension {name}: {told}"
        if _is_there(part.tree, error):
            return None
        if what := _spared(part.tree):
            return f"{what}: {told}"
        raise BadValue(
            f"{dump.name}:{part.line}: the scratch server refuses it: {told}",
            hint=f"review on a server that has {', '.join(lacking)}: --dsn URL"
            if lacking
            else "dump it anew from a server of the same version, or review on one: "
            "--dsn URL",
        ) from None
    return None


def _is_there(tree: Any, error: psycopg.Error) -> bool:
    """Return whether what *tree* makes is there already, or what it drops is not."""
    if isinstance(tree, ast.CreateSchemaStmt | ast.CreateRoleStmt):
        return isinstance(error, _THERE)
    is_domain = isinstance(tree, ast.AlterDomainStmt) and tree.subtype == _DROPPED
    if is_domain or isinstance(tree, ast.DropStmt | ast.DropUserMappingStmt):
        return isinstance(error, _GONE)
    if isinstance(tree, ast.ViewStmt):  # in place of one that others depend on
        return tree.query.fromClause is None and isinstance(error, _GONE)
    if isinstance(tree, ast.CommentStmt):
        return bool(tree.objtype == ObjectType.OBJECT_EXTENSION)
    return _does_only(tree, _CLEAN) and isinstance(error, _GONE)


def _spared(tree: Any) -> str | None:
    """Return what *tree* is, where a review can do without it."""
    if isinstance(tree, ast.VariableSetStmt):
        return f"SET {tree.name}"
    if isinstance(tree, ast.SecLabelStmt):
        return "SECURITY LABEL"
    if isinstance(tree, ast.AlterOwnerStmt) or _does_only(tree, _OWN):
        return "OWNER TO"
    return "rights" if isinstance(tree, _GRANTS) else None


def _does_only(tree: Any, kinds: set[AlterTableType]) -> bool:
    if not isinstance(tree, ast.AlterTableStmt):
        return False
    return {command.subtype for command in tree.cmds} <= kinds


def _fill(connection: psycopg.Connection[Any]) -> None:
    """Fill the materialized views, those first that others do not wait for."""
    todo = [name for (name,) in connection.execute(_UNFILLED).fetchall()]
    while todo:
        left = [name for name in todo if not _refreshed(connection, name)]
        if left == todo:
            return
        todo = left


def _refreshed(connection: psycopg.Connection[Any], name: str) -> bool:
    try:
        connection.execute(f"REFRESH MATERIALIZED VIEW {name}".encode())
    except psycopg.Error:  # it reads one that is not filled yet
        return False
    return True


def _place_version(
    connection: psycopg.Connection[Any], version_table: str, *, is_first: bool
) -> None:
    execute: Callable[[bytes], Any] = connection.execute
    if is_first:
        name = ".".join(map(quoted, version_table.split(".")))
        if connection.execute("SELECT to_regclass(%s)", [name]).fetchone() != (None,):
            execute(f"DROP TABLE {name}".encode())
    else:
        execute(version_table_sql(version_table).encode())
