"""A concurrent step stands in a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._rule import Hit, Rule
from ._tree import is_concurrent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]


def check(statement: StatementContext) -> Iterator[Hit]:
    refused = "transaction block" in (statement.facts.error or "")
    if statement.facts.in_transaction and is_concurrent(statement.tree):
        yield Hit(
            statement.facts.tag,
            "cannot run inside a transaction: the upgrade ends here",
            is_measured=refused,
        )


RULE = Rule(
    id="concurrently-in-transaction",
    number=2,
    title="a concurrent step stands in a transaction",
    family="repeat",
    severity="error",
    hazard=(
        "CONCURRENTLY and VACUUM work in transactions of their own; PostgreSQL "
        "refuses them inside another, and the upgrade fails."
    ),
    measured=(
        "The server's refusal. Without a measurement: the word CONCURRENTLY, or "
        "VACUUM, in a revision that is a transaction."
    ),
    remedy=(
        "Run it outside the transaction: with "
        "op.get_context().autocommit_block(), alone in its revision."
    ),
    statement=check,
)
