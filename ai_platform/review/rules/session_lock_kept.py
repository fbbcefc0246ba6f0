"""An advisory lock outlives the transaction."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pglast import ast
from pglast.visitors import Visitor

from ._rule import Hit, Rule
from ._tree import bare, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext, StatementContext

__all__ = ["RULE"]

_TAKES: Final = {
    *("pg_advisory_lock", "pg_advisory_lock_shared"),
    *("pg_try_advisory_lock", "pg_try_advisory_lock_shared"),
}
_GIVES: Final = {
    *("pg_advisory_unlock", "pg_advisory_unlock_shared"),
    "pg_advisory_unlock_all",
}
_COMMENTS: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_WORD: Final = re.compile(r"\bpg_\w*advisory\w*")


def check(revision: RevisionContext) -> Iterator[Hit]:
    taken: tuple[int, str] | None = None
    for statement in revision.statements:
        names = _called(statement)
        if taken is None:
            taken = next(
                ((statement.number, name) for name in names if name in _TAKES), None
            )
        # a statement that does both is not asked for the order
        is_given = not _GIVES.isdisjoint(names)
        if is_given or isinstance(statement.tree, ast.DiscardStmt):
            taken = None
    if taken is not None:
        number, name = taken
        yield Hit(
            f"{name}()",
            "holds after the commit, until the session ends: behind a pooler that is "
            "whenever this connection is closed",
            statement=number,
        )


class _Calls(Visitor):
    """Collects the functions that a statement calls."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_FuncCall(self, _: object, node: ast.FuncCall) -> None:  # noqa: N802
        self.found.append(bare(dotted(node.funcname)))


def _called(statement: StatementContext) -> list[str]:
    tree = statement.tree
    if isinstance(tree, ast.DoStmt):
        return _WORD.findall(_COMMENTS.sub("", statement.facts.sql))
    if not isinstance(tree, ast.SelectStmt):
        return []
    calls = _Calls()
    calls(tree)
    return calls.found


RULE = Rule(
    id="session-lock-kept",
    number=45,
    title="an advisory lock outlives the transaction",
    family="repeat",
    severity="warning",
    hazard=(
        "What pg_advisory_lock() takes belongs to the session: neither COMMIT nor "
        "ROLLBACK gives it back. A revision that fails after it leaves it, a pooler "
        "gives the session with it to somebody else, and the next run waits for it."
    ),
    measured=(
        "Read from the text: a call in a SELECT or a DO block without "
        "pg_advisory_unlock() later in the revision."
    ),
    remedy="Take pg_advisory_xact_lock(), which ends with the transaction.",
    revision=check,
)
