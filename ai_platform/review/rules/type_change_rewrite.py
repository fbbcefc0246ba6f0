"""A column changes its type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._rule import Hit, Rule
from ._tree import same, type_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._context import StatementContext

__all__ = ["RULE"]

_VARCHAR: Final = re.compile(r"text|character varying(?:\((?P<limit>\d+)\))?")

_INDEX: Final = (
    "Drop {names} with DROP INDEX CONCURRENTLY, alone in a revision outside any "
    "transaction; then change the type, which no longer reads the table; then build "
    "the index again with CREATE INDEX CONCURRENTLY. In between queries do without it, "
    "and a unique one keeps nothing unique."
)

# other parts of the same ALTER TABLE that read the table, and have rules of their own
_PROVING: Final = (
    enums.AlterTableType.AT_SetNotNull,
    enums.AlterTableType.AT_AddConstraint,
)


def check(statement: StatementContext) -> Iterator[Hit]:
    if statement.is_measured:
        yield from _seen(statement)
    else:
        yield from _read(statement)


def _seen(statement: StatementContext) -> Iterator[Hit]:
    if not statement.is_rewritten() and (
        not statement.rows_scanned() or any(statement.commands(*_PROVING))
    ):
        return
    for table, command in statement.commands(enums.AlterTableType.AT_AlterColumnType):
        severity = statement.weigh(table, "error")
        built = [] if statement.is_rewritten(table) else _rebuilt(statement, table)
        cause = f" to build {' and '.join(built)} anew" if built else ""
        if severity:
            yield Hit(
                f"{table}.{command.name}",
                f"{statement.cost()}{cause}",
                is_measured=True,
                severity=severity,
                remedy=_INDEX.format(names=" and ".join(built)) if built else None,
            )


def _rebuilt(statement: StatementContext, table: str) -> list[str]:
    """Return the indexes on expressions or with a WHERE that it had to build anew.

    Those of plain columns are kept where the table is.
    """
    names = {
        lock.relation
        for lock in statement.facts.locks
        if lock.kind == "index" and lock.mode == "AX"
    }
    return [
        item.key.identity
        for item in statement.revision.evidence.before or ()
        if item.key.kind == "index"
        and item.key.identity in names
        and same(str(item.properties.get("table")), table)
        and (item.properties.get("where") or _computes(item.properties.get("keys")))
    ]


def _computes(keys: Sequence[str] | None) -> bool:
    """Return whether some key is an expression: pg_get_indexdef() brackets it."""
    return any(
        "(" in key.replace('""', "").partition(" COLLATE ")[0] for key in keys or ()
    )


def _read(statement: StatementContext) -> Iterator[Hit]:
    for table, command in statement.commands(enums.AlterTableType.AT_AlterColumnType):
        column = f"{table}.{command.name}"
        severity = statement.weigh(table, "warning")
        if severity and not _is_wider(_type(statement, column), command.def_.typeName):
            yield Hit(column, "may rewrite the table", severity=severity)


def _type(statement: StatementContext, column: str) -> str:
    known = statement.revision.before("column", column)
    return str(known["type"]) if known else ""


def _is_wider(old: str, new: ast.TypeName) -> bool:
    """Return whether text of type *old* is valid in the type *new* as it stands."""
    match = _VARCHAR.fullmatch(old)
    limits = [item.val.ival for item in new.typmods or ()]
    if type_name(new) == "text" or (type_name(new) == "varchar" and not limits):
        return match is not None
    if type_name(new) != "varchar" or not match or not match["limit"]:
        return False
    return int(match["limit"]) <= int(limits[0])


RULE = Rule(
    id="type-change-rewrite",
    number=10,
    title="a column changes its type",
    family="lock",
    severity="error",
    hazard=(
        "ALTER COLUMN ... TYPE writes the table and its indexes anew under ACCESS "
        "EXCLUSIVE, unless the new type stores the same bytes. Only the server "
        "knows which."
    ),
    measured=(
        "A new file, or rows read, of a table that was there before. Without a "
        "measurement: any change but to text or to a longer varchar."
    ),
    remedy=(
        "Add a second column of the new type, keep it current with a trigger, fill the "
        "old rows in batches; then, in one short revision that says Phase: contract, "
        "drop the old column and give its name to the new one. Where only an index on "
        "an expression is built anew: drop that index concurrently before, and build "
        "it concurrently after."
    ),
    statement=check,
)
