"""Every row gets a generated value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._columns import rewriting_columns
from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    return rewriting_columns(
        statement, "generated", "every row gets a value of its own at once"
    )


RULE = Rule(
    id="generated-column-rewrite",
    number=8,
    title="every row gets a generated value",
    family="lock",
    severity="error",
    hazard=(
        "A serial or identity column and one GENERATED ... STORED give every row "
        "a value at once: the table is written anew under ACCESS EXCLUSIVE."
    ),
    measured=(
        "A new file of a table that was there before. Without a measurement: the "
        "words serial, GENERATED AS IDENTITY, GENERATED ... STORED."
    ),
    remedy=(
        "On PostgreSQL 18 GENERATED ... VIRTUAL costs nothing. Else add a plain "
        "column, keep it current with a trigger or a sequence as default, and "
        "fill the old rows in batches."
    ),
    statement=check,
)
