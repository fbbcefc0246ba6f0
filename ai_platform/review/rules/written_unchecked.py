"""Rows are written while foreign keys and triggers are off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._rule import Hit, Rule
from ._tree import quoted
from ._work import rows_changed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext, StatementContext

__all__ = ["RULE"]

_REPLICA: Final = "session_replication_role"
_OFF: Final = enums.AlterTableType.AT_DisableTrigAll
_ON: Final = enums.AlterTableType.AT_EnableTrigAll
_RESET_ALL: Final = enums.VariableSetKind.VAR_RESET_ALL
_KEY: Final = re.compile(r"FOREIGN KEY \((.+?)\) REFERENCES (.+?)\((.+?)\)")
_WRITES: Final = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


def check(revision: RevisionContext) -> Iterator[Hit]:
    off: set[str] = set()
    since: StatementContext | None = None
    for statement in revision.statements:
        if since is not None and not _lasts(since, statement):
            since = None
        value = _role(statement)
        if value is not None:
            since = statement if value == "replica" else None
        off |= {table for table, _ in statement.commands(_OFF)}
        off -= {table for table, _ in statement.commands(_ON)}
        for table in _written(statement):
            is_off = since is not None or table in off
            if is_off and _may_break(revision, statement, table):
                yield Hit(
                    table,
                    "is written while nobody looks at its foreign keys: rows without "
                    "a parent come in, and the constraint still counts as valid",
                    is_measured=statement.shows_cost,
                    statement=statement.number,
                )


def _may_break(
    revision: RevisionContext, statement: StatementContext, table: str
) -> bool:
    """Return whether *statement* writes to a column of *table* in a foreign key."""
    if revision.evidence.before is None or revision.evidence.after is None:
        return True
    keys, tree = _keys(revision, table), statement.tree
    if not isinstance(tree, ast.UpdateStmt) or tree.withClause:
        return bool(keys)
    return not keys.isdisjoint(quoted(item.name) for item in tree.targetList)


def _keys(revision: RevisionContext, table: str) -> set[str]:
    """Return the columns of *table* at either end of a foreign key that was there.

    One that is added later looks at every row itself.
    """
    found: set[str] = set()
    for item in revision.objects("constraint"):
        name = item.key.identity
        key = _KEY.match(str(item.properties.get("definition")))
        if key is None or revision.before("constraint", name) is None:
            continue
        if name.endswith(f" on {table}"):
            found.update(key[1].split(", "))
        if key[2] == table:
            found.update(key[3].split(", "))
    return found


def _role(statement: StatementContext) -> str | None:
    """Return what a statement sets session_replication_role to; None: it does not."""
    tree = statement.tree
    if not isinstance(tree, ast.VariableSetStmt):
        return None
    if tree.name != _REPLICA and tree.kind != _RESET_ALL:
        return None
    values = [getattr(item.val, "sval", None) for item in tree.args or ()]
    return str(values[0]).lower() if values else "origin"


def _lasts(setting: StatementContext, statement: StatementContext) -> bool:
    """Return whether what *setting* set still holds in *statement*."""
    return not setting.tree.is_local or setting.shares_transaction(statement)


def _written(statement: StatementContext) -> list[str]:
    """Return the existing tables that a statement gives rows to, or takes some from."""
    if statement.shows_cost:
        return sorted(rows_changed(statement))
    tree = statement.tree
    name = statement.name(tree.relation) if isinstance(tree, _WRITES) else ""
    return [name] if name and statement.exists(name) else []


RULE = Rule(
    id="written-unchecked",
    number=46,
    title="rows are written while foreign keys and triggers are off",
    family="code",
    severity="warning",
    hazard=(
        "After SET session_replication_role = replica, or DISABLE TRIGGER ALL, foreign "
        "keys are not looked at, neither those of the table nor those that refer to "
        "it. Nothing ever checks these rows again; a dump of them cannot be restored."
    ),
    measured=(
        "Rows changed meanwhile of a table that was there before, and that foreign "
        "keys hold or refer to; an UPDATE of other columns than theirs does not count. "
        "Without a measurement: INSERT, UPDATE, DELETE and MERGE there."
    ),
    remedy=(
        "DISABLE TRIGGER USER, or the one trigger by its name: foreign keys stay on. "
        "Where they must be off, look for orphans before the commit, and raise if "
        "there are any."
    ),
    revision=check,
)
