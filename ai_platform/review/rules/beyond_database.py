"""A statement reaches beyond the database that it runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_platform.review._whole_server import reach

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import StatementContext

__all__ = ["RULE"]

_NAMED: Final = (
    "Name no database: DO $$ BEGIN EXECUTE format('ALTER DATABASE %I ...', "
    "current_database()); END $$ means the one that the revision runs in."
)


def check(statement: StatementContext) -> Iterator[Hit]:
    found = reach(statement.tree)
    tag = statement.facts.tag
    if found == "named":
        told = "names a database: it fails, or changes another one, where this one has "
        yield Hit(tag, f"{told}another name", severity="warning", remedy=_NAMED)
    elif found:
        yield Hit(
            tag,
            "acts on the whole server, which other databases share, and in no "
            "transaction",
            is_measured=statement.facts.error is not None,
        )


RULE = Rule(
    id="beyond-database",
    number=42,
    title="a statement reaches beyond the database that it runs in",
    family="repeat",
    severity="error",
    hazard=(
        "A revision runs once in each database: in copies, in tests, in a restored "
        "one. Databases, tablespaces and ALTER SYSTEM are the server's: the second run "
        "meets what the first one made, no rollback takes it back, no dump holds it, "
        "and a hosted server refuses it."
    ),
    measured=(
        "Read from the text. The review does not run such a statement, so it is not "
        "measured; inside of a transaction PostgreSQL refuses it. A warning for what "
        "names a database: ALTER, GRANT and COMMENT ON DATABASE."
    ),
    remedy=(
        "Do it where servers are set up, beside their configuration; what holds for "
        "one database, such as a setting, as ALTER DATABASE of current_database()."
    ),
    statement=check,
)
