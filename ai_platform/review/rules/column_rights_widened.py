"""A right on the table opens columns that were withheld."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from ._rights import PUBLIC, rights_of
from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_platform.catalog import Snapshot

    from ._context import RevisionContext

__all__ = ["RULE"]

_KINDS: Final = ("table", "view", "materialized view")
_BY_COLUMN: Final = ("SELECT", "INSERT", "UPDATE")
_SHOWN: Final = 3


def check(revision: RevisionContext) -> Iterator[Hit]:
    before, after = revision.evidence.before, revision.evidence.after
    if before is None or after is None:
        return
    given = _by_column(before)
    for item in after:
        table = item.key.identity
        if item.key.kind not in _KINDS or table not in given:
            continue
        was = rights_of(revision.before(item.key.kind, table))
        for role, rights in rights_of(item.properties).items():
            for right in _BY_COLUMN:
                had = given[table].get((role, right), set())
                new = right in rights and right not in was.get(role, set())
                opened = [c for c in item.properties["column order"] if c not in had]
                if role != PUBLIC and new and had and opened:
                    told = f"gives {role} {right} on {_some(opened)} too"
                    yield Hit(table, told, is_measured=True)


def _by_column(
    catalog: Snapshot,
) -> Mapping[str, Mapping[tuple[str, str], set[str]]]:
    """Return the columns of each table on which a role has a right by themselves."""
    found: dict[str, dict[tuple[str, str], set[str]]] = defaultdict(dict)
    for item in catalog:
        if item.key.kind == "column":
            table, _, column = item.key.identity.rpartition(".")
            for role, rights in rights_of(item.properties).items():
                for right in rights:
                    found[table].setdefault((role, right), set()).add(column)
    return found


def _some(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {rest} more" if rest > 0 else shown


RULE = Rule(
    id="column-rights-widened",
    number=28,
    title="a right on the table opens columns that were withheld",
    family="security",
    severity="warning",
    hazard=(
        "A role with rights on some columns sees the others as well once it gets the "
        "right on the table: the password hashes that were left out on purpose. "
        "REVOKE on the table then takes the rights on the columns too."
    ),
    measured=(
        "The catalog before and after: SELECT, INSERT or UPDATE on a table for a role "
        "that had it on some of its columns only."
    ),
    remedy=(
        "GRANT SELECT (the new columns) ON the table; where the role is to have all, "
        "let a person answer for it in review.accept.toml."
    ),
    revision=check,
)
