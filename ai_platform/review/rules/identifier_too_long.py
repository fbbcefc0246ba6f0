"""A name is longer than PostgreSQL keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pglast

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

LONGEST: Final = 63
_NAMES: Final = {"IDENT", "UIDENT"}


def check(statement: StatementContext) -> Iterator[Hit]:
    told = [item for item in statement.facts.notices if "will be truncated" in item]
    for name in _long(statement.facts.sql):
        yield Hit(name, f"is cut at {LONGEST} bytes", is_measured=bool(told))


def _long(sql: str) -> Iterator[str]:
    try:
        tokens = pglast.parser.scan(sql)
    except pglast.parser.ParseError:
        return
    seen: set[str] = set()
    for token in tokens:
        name = sql[token.start : token.end + 1].strip('"')
        if token.name in _NAMES and len(name.encode()) > LONGEST and name not in seen:
            seen.add(name)
            yield name


RULE = Rule(
    id="identifier-too-long",
    number=30,
    title="a name is longer than PostgreSQL keeps",
    family="repeat",
    severity="warning",
    hazard=(
        "PostgreSQL cuts names at 63 bytes and says so only in a NOTICE: two long "
        "names may become one, and what Alembic looks for later is not there."
    ),
    measured=(
        "The server's notice. Without a measurement: a name of more than 63 bytes "
        "in the text."
    ),
    remedy="Choose a shorter name.",
    statement=check,
)
