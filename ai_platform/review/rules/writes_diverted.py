"""A rule does something else in the place of a write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_WRITES: Final = {
    enums.CmdType.CMD_INSERT: "INSERT",
    enums.CmdType.CMD_UPDATE: "UPDATE",
    enums.CmdType.CMD_DELETE: "DELETE",
}


def check(statement: StatementContext) -> Iterator[Hit]:
    tree = statement.tree
    if not isinstance(tree, ast.RuleStmt) or not tree.instead:
        return
    table, word = statement.name(tree.relation), _WRITES.get(tree.event)
    # a view takes no writes without one
    is_view = statement.revision.before("view", table) is not None
    if word and not is_view and statement.exists(table):
        done = "something else" if tree.actions else "nothing"
        when = "where the rule's condition holds" if tree.whereClause else "from now on"
        yield Hit(
            table,
            f"{word} does {done} {when}, and reports no error",
            is_measured=statement.is_measured,
        )


RULE = Rule(
    id="writes-diverted",
    number=43,
    title="a rule does something else in the place of a write",
    family="code",
    severity="warning",
    hazard=(
        "With CREATE RULE ... DO INSTEAD the server rewrites what code sends: rows are "
        "not written, or elsewhere, 0 rows are reported, and RETURNING is refused. The "
        "cascades of foreign keys meet it as well, and fail."
    ),
    measured=(
        "The statement itself: a rule with INSTEAD for INSERT, UPDATE or DELETE on a "
        "table that was there before. Views, which need one to be written to, do not "
        "count."
    ),
    remedy=(
        "REVOKE the right, or a trigger BEFORE the write that raises an exception: "
        "code then hears of it."
    ),
    statement=check,
)
