"""A function looks names up in the caller's path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._functions import read_function
from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    function = read_function(statement)
    if function is None or function.is_definer or function.is_bound:
        return
    if function.path is None:
        yield Hit(
            function.name, "sets no search_path: names mean what the caller wants"
        )


RULE = Rule(
    id="function-search-path",
    number=29,
    title="a function looks names up in the caller's path",
    family="security",
    severity="warning",
    hazard=(
        "Without a search_path of its own a function means, with every caller, "
        "whatever stands first in the caller's path: it breaks in a restore and "
        "in another schema."
    ),
    measured=(
        "Read from the text. A body of SQL standard form (RETURN, BEGIN ATOMIC) "
        "is bound when it is created and needs none."
    ),
    remedy=(
        "SET search_path = pg_catalog, pg_temp in CREATE FUNCTION, and qualify "
        "the names in the body; or write BEGIN ATOMIC."
    ),
    statement=check,
)
