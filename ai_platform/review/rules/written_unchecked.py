"""Rows are written while foreign keys and triggers are off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._rule import Hit, Rule
from ._work import rows_changed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext, StatementContext

__all__ = ["RULE"]

_REPLICA: Final = "session_replication_role"
_OFF: Final = enums.AlterTableType.AT_DisableTrigAll
_ON: Final = enums.AlterTableType.AT_EnableTrigAll
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
            if is_off and _has_keys(revision, table):
                yield Hit(
                    table,
                    "is written while nobody looks at its foreign keys: rows without "
                    "a parent come in, and the constraint still counts as valid",
                    is_measured=statement.shows_cost,
                    statement=statement.number,
                )


def _has_keys(revision: RevisionContext, table: str) -> bool:
    """Return whether foreign keys hold *table*, or refer to it, as far as is known."""
    if revision.evidence.after is None:
        return True
    return any(
        str(item.properties.get("definition")).startswith("FOREIGN KEY")
        and (
            item.key.identity.endswith(f" on {table}")
            or f" REFERENCES {table}(" in str(item.properties.get("definition"))
        )
        for item in revision.objects("constraint")
    )


def _role(statement: StatementContext) -> str | None:
    """Return what a statement sets session_replication_role to; None: it does not."""
    tree = statement.tree
    if not isinstance(tree, ast.VariableSetStmt) or tree.name != _REPLICA:
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
        "keys hold or refer to. Without a measurement: INSERT, UPDATE, DELETE and "
        "MERGE there."
    ),
    remedy=(
        "DISABLE TRIGGER USER, or the one trigger by its name: foreign keys stay on. "
        "Where they must be off, look for orphans before the commit, and raise if "
        "there are any."
    ),
    revision=check,
)
