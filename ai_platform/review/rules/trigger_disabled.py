"""A trigger stays switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["RULE"]

_OFF: Final = {
    enums.AlterTableType.AT_DisableTrig,
    enums.AlterTableType.AT_DisableTrigAll,
    enums.AlterTableType.AT_DisableTrigUser,
}
_ON: Final = {
    enums.AlterTableType.AT_EnableTrig,
    enums.AlterTableType.AT_EnableTrigAll,
    enums.AlterTableType.AT_EnableTrigUser,
    enums.AlterTableType.AT_EnableAlwaysTrig,
    enums.AlterTableType.AT_EnableReplicaTrig,
}
_ALL: Final = enums.AlterTableType.AT_DisableTrigAll


def check(revision: RevisionContext) -> Iterator[Hit]:
    for statement in revision.statements:
        if not isinstance(statement.tree, ast.AlterTableStmt):
            continue
        for table, command in statement.commands(*_OFF):
            if _is_on_again(revision, statement.number, table):
                continue
            whole = command.subtype == _ALL
            what = "every trigger, foreign keys too," if whole else "a trigger"
            yield Hit(
                table,
                f"{what} is off after the commit: what is written then is not checked",
                is_measured=statement.is_measured,
                severity="error" if whole else "warning",
                statement=statement.number,
            )


def _is_on_again(revision: RevisionContext, number: int, table: str) -> bool:
    return any(
        other == table
        for statement in revision.statements[number:]
        for other, _ in statement.commands(*_ON)
    )


RULE = Rule(
    id="trigger-disabled",
    number=35,
    title="a trigger stays switched off",
    family="code",
    severity="warning",
    hazard=(
        "Code relies on what a trigger does. DISABLE TRIGGER ALL switches foreign keys "
        "off as well: rows that break them come in, and nothing ever checks them "
        "again, for the constraint still counts as valid."
    ),
    measured=(
        "Read from the text, for the catalog shows no triggers of constraints: no "
        "ENABLE TRIGGER on the table later in the revision. ALL is an error."
    ),
    remedy=(
        "ENABLE TRIGGER in the same transaction: SHARE ROW EXCLUSIVE keeps other "
        "writers out until then. To be rid of a trigger, drop it."
    ),
    revision=check,
)
