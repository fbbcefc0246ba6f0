"""A setting of the session outlives the revision."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pglast import ast, enums
from pglast.visitors import Visitor

from ._rule import Hit, Rule
from ._tree import dotted, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext, StatementContext

__all__ = ["RULE"]

_WHAT: Final = {
    "role": "runs, and owns what it makes, as another role",
    "session_authorization": "runs, and owns what it makes, as another role",
    "search_path": "finds its tables, and Alembic's own, in another place",
    "session_replication_role": "runs without foreign keys and triggers",
    "row_security": "sees other rows",
    "default_transaction_read_only": "may not write",
    "default_tablespace": "puts its tables in another place",
    "default_table_access_method": "stores its tables in another way",
    "timezone": "reads times without a zone in another way",
    "datestyle": "reads dates in another way",
    "standard_conforming_strings": "reads strings in another way",
}
_SET: Final = {
    enums.VariableSetKind.VAR_SET_VALUE,
    enums.VariableSetKind.VAR_SET_CURRENT,
}
_NONE: Final = {"none", "default", "origin"}
_IN_ONE_PLACE: Final = (
    "Set it in the application's connection, which changes together with its code; "
    "else say IN DATABASE, and connect anew whoever is connected."
)


def check(revision: RevisionContext) -> Iterator[Hit]:
    left: dict[str, int] = {}
    for statement in revision.statements:
        tree = statement.tree
        if isinstance(tree, ast.DiscardStmt):
            left.clear()
        elif isinstance(tree, ast.VariableSetStmt):
            _set(tree, statement.number, left)
        elif isinstance(tree, ast.SelectStmt):
            left.update(dict.fromkeys(_configured(tree), statement.number))
        elif isinstance(
            tree, ast.AlterRoleSetStmt | ast.AlterDatabaseSetStmt
        ) and _is_used(statement):
            yield from _kept(tree, statement.number)
    for name, number in left.items():
        yield Hit(
            name,
            f"holds after the commit: the next revision {_WHAT[name]}",
            severity="error" if name == "session_replication_role" else None,
            statement=number,
        )


def _is_used(statement: StatementContext) -> bool:
    """Return whether code may already work with the role, or in the database.

    Not with a role that the revision makes, nor where there are no tables yet.
    """
    before = statement.revision.evidence.before
    if before is not None and not any(item.key.kind == "table" for item in before):
        return False
    role = getattr(statement.tree, "role", None)
    if role is None or not role.rolename:
        return True
    made = rf"\bCREATE\s+(?:ROLE|USER)\s+(?:%I|\W*{re.escape(role.rolename)}\b)"
    return not any(
        re.search(made, item.facts.sql, re.IGNORECASE) for item in statement.earlier
    )


def _kept(
    tree: ast.AlterRoleSetStmt | ast.AlterDatabaseSetStmt, number: int
) -> Iterator[Hit]:
    """Yield a hit for a setting that every later session of a role begins with."""
    name = (tree.setstmt.name or "").lower()
    if name not in _WHAT or tree.setstmt.kind not in _SET:
        return
    if isinstance(tree, ast.AlterDatabaseSetStmt):
        who = "every new session of the database"
    elif tree.role is None:
        who = "every new session of every role"
    else:
        role = quoted(tree.role.rolename) if tree.role.rolename else "CURRENT_USER"
        where = "" if tree.database else ", in every database,"
        who = f"every new session of {role}{where}"
    yield Hit(
        name,
        f"{who} {_WHAT[name]}; those that are open go on as before",
        severity="error" if name == "session_replication_role" else None,
        remedy=_IN_ONE_PLACE,
        statement=number,
    )


def _set(tree: ast.VariableSetStmt, number: int, left: dict[str, int]) -> None:
    name = (tree.name or "").lower()
    if tree.kind == enums.VariableSetKind.VAR_RESET_ALL:
        left.clear()
    elif tree.kind not in _SET or _is_back(tree):
        left.pop(name, None)
    elif name in _WHAT and not tree.is_local:
        left[name] = number


def _is_back(tree: ast.VariableSetStmt) -> bool:
    """Return whether the value is what a session begins with, as SET ROLE NONE."""
    values = [getattr(item.val, "sval", None) for item in tree.args or ()]
    return len(values) == 1 and str(values[0]).lower() in _NONE


class _Calls(Visitor):
    """Collects the settings that set_config() makes for the session."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_FuncCall(self, _: object, node: ast.FuncCall) -> None:  # noqa: N802
        if dotted(node.funcname).removeprefix("pg_catalog.") != "set_config":
            return
        values = [getattr(item, "val", None) for item in node.args or ()]
        local = getattr(values[-1], "boolval", True) if values else True
        name = str(getattr(values[0], "sval", "")).lower() if values else ""
        if not local and name in _WHAT:
            self.found.append(name)


def _configured(tree: ast.SelectStmt) -> list[str]:
    calls = _Calls()
    calls(tree)
    return calls.found


RULE = Rule(
    id="setting-outlives-revision",
    number=37,
    title="a setting of the session outlives the revision",
    family="repeat",
    severity="warning",
    hazard=(
        "SET without LOCAL holds until the session ends. Revisions that run together "
        "share a session, so that what one of them means depends on which ran before "
        "it: another role, another search_path, foreign keys switched off. ALTER ROLE "
        "and ALTER DATABASE ... SET change the same for code, from its next "
        "connection on."
    ),
    measured=(
        "Read from the text: SET, or set_config(..., false), of a setting that changes "
        "what SQL means, without RESET later in the revision; ALTER ROLE or DATABASE "
        "... SET of one. Time limits do not count. session_replication_role is an "
        "error."
    ),
    remedy="SET LOCAL, which ends with the transaction; or RESET it at the end.",
    revision=check,
)
