"""A column of a domain with conditions is added."""

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
        statement,
        "domain",
        "its type is a domain, whose conditions are checked per row",
    )


RULE = Rule(
    id="domain-column-rewrite",
    number=9,
    title="a column of a domain with conditions is added",
    family="lock",
    severity="error",
    hazard=(
        "A domain with a CHECK makes ADD COLUMN write the whole table anew under "
        "ACCESS EXCLUSIVE, even where the default is a constant: each value is "
        "checked."
    ),
    measured=(
        "A new file of a table that was there before. Without a measurement: the "
        "type is a domain that the catalog or the revision itself shows."
    ),
    remedy=(
        "Give the column the domain's base type, add the condition as CHECK ... "
        "NOT VALID, and validate it in the next revision."
    ),
    statement=check,
)
