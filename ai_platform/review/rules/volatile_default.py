"""A column's default differs from row to row."""

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
        statement, "default", "its default is computed for every row"
    )


RULE = Rule(
    id="volatile-default",
    number=7,
    title="a column's default differs from row to row",
    family="lock",
    severity="error",
    hazard=(
        "ADD COLUMN with a default that is computed per row, such as random() or "
        "a UUID, writes the whole table anew under ACCESS EXCLUSIVE."
    ),
    measured=(
        "A new file of a table that was there before. Without a measurement: a "
        "default that calls a function which is not known to be the same for all "
        "rows."
    ),
    remedy=(
        "Add the column without a default, set the default for new rows with "
        "ALTER COLUMN ... SET DEFAULT, fill the old rows in batches."
    ),
    statement=check,
)
