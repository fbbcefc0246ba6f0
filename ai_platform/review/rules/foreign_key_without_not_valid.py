"""A foreign key is proven while nobody may write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import enums

from ._partitions import remedy_for
from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_PLAIN: Final = (
    "Add it NOT VALID, and VALIDATE CONSTRAINT in the next revision: that takes "
    "SHARE UPDATE EXCLUSIVE, and ROW SHARE on the table referred to, which block "
    "neither reads nor writes."
)
_BY_PARTITION: Final = (
    "From PostgreSQL 18 on add it NOT VALID to the partitioned table as well, and "
    "VALIDATE CONSTRAINT in the next revision. Before: add it NOT VALID to each "
    "partition, validate it there in the next revision, and then add it to the parent, "
    "which takes over what is valid in its partitions and reads nothing."
)


def check(statement: StatementContext) -> Iterator[Hit]:
    if statement.shows_cost and not statement.rows_scanned():
        return
    for table, item in statement.constraints_added(enums.ConstrType.CONSTR_FOREIGN):
        severity = statement.weigh(table, "error")
        if severity and not item.skip_validation:
            told = statement.cost() if statement.shows_cost else "both tables are read"
            other = statement.name(item.pktable)
            yield Hit(
                table,
                f"{told}; writes to it and to {other} wait",
                is_measured=statement.shows_cost,
                severity=severity,
                remedy=remedy_for(statement, table, _PLAIN, _BY_PARTITION),
            )


RULE = Rule(
    id="foreign-key-without-not-valid",
    number=13,
    title="a foreign key is proven while nobody may write",
    family="lock",
    severity="error",
    hazard=(
        "ADD CONSTRAINT ... FOREIGN KEY reads both tables under SHARE ROW "
        "EXCLUSIVE on both: writes to either wait."
    ),
    measured=(
        "The rows read of tables that were there before. Without a measurement: "
        "FOREIGN KEY without NOT VALID on an existing table."
    ),
    remedy=f"{_PLAIN} Partitioned: {_BY_PARTITION}",
    statement=check,
)
