"""A function with its owner's rights trusts the caller's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._functions import read_function
from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_OPEN: Final = {"public", "$user"}


def check(statement: StatementContext) -> Iterator[Hit]:
    function = read_function(statement)
    if function is None or not function.is_definer or function.is_bound:
        return
    if function.path is None:
        yield Hit(function.name, "runs with its owner's rights and sets no search_path")
    elif function.path and function.path[-1] != "pg_temp":
        yield Hit(
            function.name, "its search_path does not end in pg_temp, which comes first"
        )
    elif _OPEN & set(function.path):
        yield Hit(
            function.name, "its search_path holds a schema in which others may create"
        )


RULE = Rule(
    id="security-definer-path",
    number=29,
    title="a function with its owner's rights trusts the caller's names",
    family="security",
    severity="error",
    hazard=(
        "SECURITY DEFINER runs with the owner's rights. Where the caller can put "
        "a table or function of the same name first in the path, in pg_temp or "
        "public, that one runs instead."
    ),
    measured=(
        "Read from the text: no search_path, one without pg_temp at its end, or "
        'one with public or "$user".'
    ),
    remedy=(
        "SET search_path = pg_catalog, pg_temp and qualify every other name in "
        "the body."
    ),
    statement=check,
)
