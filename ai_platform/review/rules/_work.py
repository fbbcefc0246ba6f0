"""How much a statement does to rows, whatever its text looks like."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from pglast import ast
from pglast.visitors import Visitor

from ._tree import dotted, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["BATCH", "changes_written", "commits_inside", "rows_changed"]

BATCH: Final = 1000
"""So many rows in one transaction are no batch any more."""
_COMMIT: Final = re.compile(r"\bcommit\b", re.IGNORECASE)


class _Changes(Visitor):
    """Collects what changes rows, in a WITH too."""

    def __init__(self) -> None:
        self.found: list[Any] = []

    def visit_UpdateStmt(self, _: object, node: ast.UpdateStmt) -> None:  # noqa: N802
        self.found.append(node)

    def visit_DeleteStmt(self, _: object, node: ast.DeleteStmt) -> None:  # noqa: N802
        self.found.append(node)

    def visit_MergeStmt(self, _: object, node: ast.MergeStmt) -> None:  # noqa: N802
        self.found.append(node)


def changes_written(tree: ast.Node | None) -> Iterator[Any]:
    """Yield each UPDATE, DELETE and MERGE in a statement, outermost first."""
    if isinstance(tree, ast.SelectStmt | ast.InsertStmt | ast.UpdateStmt):
        pass
    elif not isinstance(tree, ast.DeleteStmt | ast.MergeStmt):
        return
    changes = _Changes()
    changes(tree)
    yield from changes.found


def commits_inside(statement: StatementContext) -> bool:
    """Return whether a DO block or a procedure ends transactions of its own.

    So may Python outside a transaction, which nobody can read here.
    """
    tree = statement.tree
    if statement.facts.in_transaction:
        return False
    if statement.facts.tag == "PYTHON":
        return True
    if isinstance(tree, ast.DoStmt):
        return _COMMIT.search(statement.facts.sql) is not None
    if not isinstance(tree, ast.CallStmt):
        return False
    called = dotted(tree.funccall.funcname)
    bodies = [
        str(item.properties.get("body"))
        for item in statement.revision.evidence.after or ()
        if item.key.kind in {"procedure", "function"}
        and same(item.key.identity.partition("(")[0], called)
    ]
    return not bodies or any(map(_COMMIT.search, bodies))


def rows_changed(statement: StatementContext, *, new: bool = False) -> Counter[str]:
    """Return the rows changed of each existing table; *new*: of any table.

    What the statement itself makes, as CREATE TABLE AS does, is new.
    """
    facts = statement.facts
    made = next((item.made for item in statement.later), statement.revision.made)
    rows: Counter[str] = Counter()
    for item in (*facts.inserted, *facts.updated, *facts.deleted):
        if new or not any(same(item.relation, name) for name in made):
            rows[item.relation] += item.rows
    return rows
