"""Read PostgreSQL's syntax trees: names, columns, constraints, options."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import pglast
from pglast import ast, enums, keywords
from pglast.visitors import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "bare",
    "constraints",
    "default_of",
    "dotted",
    "is_concurrent",
    "is_generated",
    "named_relations",
    "option",
    "parsed",
    "quoted",
    "same",
    "type_name",
    "unsteady_calls",
]

_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")
_KEYWORDS: Final = (
    keywords.RESERVED_KEYWORDS
    | keywords.COL_NAME_KEYWORDS
    | keywords.TYPE_FUNC_NAME_KEYWORDS
)
_SERIALS: Final = {"serial", "serial2", "serial4", "serial8", "bigserial"} | {
    "smallserial"
}
# Functions of PostgreSQL that are the same for every row of one statement.
_STEADY: Final = {
    *("now", "transaction_timestamp", "statement_timestamp", "current_setting"),
    *("current_user", "session_user", "current_database", "current_schema"),
    *("lower", "upper", "md5", "jsonb_build_object", "jsonb_build_array", "concat"),
    *("make_interval", "make_date", "to_tsvector", "length", "coalesce", "timezone"),
    *("date_trunc", "array_fill", "jsonb_object", "date_part", "extract"),
}


def parsed(sql: str) -> ast.Node | None:
    """Return the syntax tree of one statement; None where the grammar has none."""
    try:
        found = pglast.parse_sql(sql)
    except pglast.parser.ParseError:
        return None
    return found[0].stmt if len(found) == 1 else None


def quoted(name: str) -> str:
    """Return *name* as PostgreSQL's %I writes it."""
    if _PLAIN.fullmatch(name) and name not in _KEYWORDS:
        return name
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def dotted(node: Any) -> str:
    """Return the name in a RangeVar, or in a list of String, as schema.name."""
    if isinstance(node, ast.RangeVar):
        parts = [node.schemaname, node.relname]
    elif isinstance(node, ast.TypeName):
        parts = [part.sval for part in node.names]
    elif isinstance(node, ast.ObjectWithArgs):
        parts = [part.sval for part in node.objname]
    elif isinstance(node, ast.String):
        parts = [node.sval]
    else:
        parts = [part.sval for part in node]
    return ".".join(quoted(part) for part in parts if part)


@lru_cache(maxsize=4096)
def bare(name: str) -> str:
    """Return the last part of a name: users of auth.users."""
    parts: list[str] = re.findall(r'(?:"(?:[^"]|"")*"|[^".])+', name)
    return parts[-1] if parts else name


def same(left: str, right: str) -> bool:
    """Return whether two names may mean one object, where either lacks a schema."""
    if left == right:
        return True
    if bare(left) != bare(right):
        return False
    return bare(left) in {left, right}


class _Relations(Visitor):
    """Collects the relations that a query names."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_RangeVar(self, _: object, node: ast.RangeVar) -> None:  # noqa: N802
        self.found.add(dotted(node))


def named_relations(sql: str) -> set[str]:
    """Return the relations that a query names, as it writes them."""
    relations = _Relations()
    tree = parsed(sql)
    if tree is not None:
        relations(tree)
    return relations.found


def type_name(node: ast.TypeName) -> str:
    """Return a type without pg_catalog and modifiers: int4, data.positive."""
    parts: list[str] = [part.sval for part in node.names]
    return parts[1] if parts[0] == "pg_catalog" else dotted(node)


def constraints(column: ast.ColumnDef, kind: enums.ConstrType) -> list[ast.Constraint]:
    """Return the constraints of *kind* that are written beside a column."""
    return [item for item in column.constraints or () if item.contype == kind]


def default_of(column: ast.ColumnDef) -> ast.Node | None:
    """Return the expression of a column's DEFAULT; None where it has none."""
    found = constraints(column, enums.ConstrType.CONSTR_DEFAULT)
    return found[0].raw_expr if found else None


def is_generated(column: ast.ColumnDef) -> str | None:
    """Return how every row gets a value of its own: serial, identity or stored."""
    if type_name(column.typeName) in _SERIALS:
        return "serial"
    if constraints(column, enums.ConstrType.CONSTR_IDENTITY):
        return "identity"
    for item in constraints(column, enums.ConstrType.CONSTR_GENERATED):
        if item.generated_kind != "v":
            return "stored"
    return None


class _Calls(Visitor):
    """Collects the functions that an expression calls."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_FuncCall(self, _: object, node: ast.FuncCall) -> None:  # noqa: N802
        self.found.append(dotted(node.funcname))


def unsteady_calls(node: ast.Node | None) -> list[str]:
    """Return the functions called in *node* that may give each row its own value."""
    if node is None:
        return []
    calls = _Calls()
    calls(node)
    return [
        name for name in calls.found if name.removeprefix("pg_catalog.") not in _STEADY
    ]


def option(options: Iterable[ast.DefElem] | None, name: str) -> Iterator[Any]:
    """Yield the values of option *name*; True where it is written without one."""
    for item in options or ():
        if item.defname == name:
            yield True if item.arg is None else item.arg


def is_concurrent(node: ast.Node | None) -> bool:
    """Return whether a statement cannot run in a transaction: CONCURRENTLY, VACUUM."""
    if isinstance(node, ast.IndexStmt):
        return bool(node.concurrent)
    if isinstance(node, ast.DropStmt):
        return bool(node.concurrent)
    if isinstance(node, ast.ReindexStmt):
        return any(option(node.params, "concurrently"))
    if isinstance(node, ast.VacuumStmt):
        return bool(node.is_vacuumcmd)
    if isinstance(node, ast.AlterTableStmt):
        return any(
            isinstance(item.def_, ast.PartitionCmd) and item.def_.concurrent
            for item in node.cmds
        )
    return False
