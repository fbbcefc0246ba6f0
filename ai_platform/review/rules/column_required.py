"""Running code does not fill a column that it must fill."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pglast import ast, enums

from ._rule import Hit, Rule
from ._tree import constraints, default_of, is_generated, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._context import RevisionContext

__all__ = ["RULE"]

_FILLED: Final = ("default", "identity", "generated", "expression")
_FILLS: Final = re.compile(r"\bBEFORE\b[^(]*\bINSERT\b.*\bFOR EACH ROW\b")
_UNLESS: Final = ", unless a trigger of the table fills it"


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.phase == "contract":
        return
    yield from _read(revision)
    if revision.evidence.after is None or revision.evidence.before is None:
        return
    domains = {
        item.key.identity
        for item in revision.objects("domain")
        if item.properties.get("default") is not None
    }
    renamed = set(_renamed(revision))
    gone = [name for one in revision.statements for _, name in one.gone("column")]
    for item in revision.objects("column"):
        table, _, _ = item.key.identity.rpartition(".")
        known = revision.before("column", item.key.identity)
        there = revision.before("table", table)
        # a partition's columns are those of its parent
        was_there = there is not None and not there.get("partition bound")
        if item.key.identity in renamed or item.properties.get("type") in domains:
            continue
        if known is None and any(
            name.rpartition(".")[0] == table
            and revision.before("column", name) == item.properties
            for name in gone
        ):  # dynamic SQL gave it another name
            continue
        if was_there and _is_required(item.properties) and not _was(known):
            told = "is new" if known is None else "has lost its default"
            unless = "" if not _may_be_filled(revision, table) else _UNLESS
            yield Hit(
                item.key.identity,
                f"{told} and NOT NULL: an INSERT that does not name it fails{unless}",
                is_measured=True,
                severity="warning" if unless else None,
            )


def _renamed(revision: RevisionContext) -> Iterator[str]:
    """Yield the columns that had another name before: that has a rule of its own."""
    origins: dict[str, str] = {}
    for statement in revision.statements:
        tree = statement.tree
        if isinstance(tree, ast.RenameStmt) and tree.subname and tree.relation:
            table = statement.name(tree.relation)
            old = f"{table}.{quoted(tree.subname)}"
            new = f"{table}.{quoted(tree.newname)}"
            origins[new] = origins.pop(old, old)
    for name, origin in origins.items():
        if revision.before("column", origin) is not None:
            yield name


def _may_be_filled(revision: RevisionContext, table: str) -> bool:
    """Return whether a trigger of *table* may fill what an INSERT leaves out."""
    return any(
        item.key.identity.endswith(f" on {table}")
        and item.properties.get("state") != "disabled"
        and _FILLS.search(str(item.properties.get("definition"))) is not None
        for item in revision.objects("trigger")
    )


def _is_required(column: Mapping[str, Any]) -> bool:
    return bool(column.get("not null")) and not any(map(column.get, _FILLED))


def _was(known: Mapping[str, Any] | None) -> bool:
    """Return whether code had to fill it before: NOT NULL is then nothing new.

    Where only NOT NULL was added, the rows that are there show that code fills it.
    """
    return known is not None and not any(map(known.get, _FILLED))


def _read(revision: RevisionContext) -> Iterator[Hit]:
    """Yield what the text says of statements that did not run, or were refused."""
    notnull, generated = (
        enums.ConstrType.CONSTR_NOTNULL,
        enums.ConstrType.CONSTR_GENERATED,
    )
    for statement in revision.statements:
        if statement.is_measured:
            continue
        for table, column in statement.columns_added():
            filled = (
                default_of(column) is not None
                or is_generated(column)
                or constraints(column, generated)
            )
            if constraints(column, notnull) and not filled:
                yield Hit(
                    f"{table}.{column.colname}",
                    "is new and NOT NULL: an INSERT that does not name it fails",
                    statement=statement.number,
                )


RULE = Rule(
    id="column-required",
    number=33,
    title="running code does not fill a column that it must fill",
    family="code",
    severity="error",
    hazard=(
        "Old code goes on while the revision commits, and its INSERT names the columns "
        "that it knows. A NOT NULL column without a default makes each of them fail; "
        "so does DROP DEFAULT on one that was left to its default."
    ),
    measured=(
        "The catalog before and after: a column of a table that was there, NOT NULL "
        "and without default, identity or expression, which was not so before. Without "
        "a measurement: ADD COLUMN ... NOT NULL without a default. A warning where a "
        "trigger before INSERT may fill it."
    ),
    remedy=(
        "Keep a DEFAULT in the database for as long as old code runs, and drop it in a "
        "later revision with Phase: contract; or let the column be NULL until all code "
        "fills it."
    ),
    revision=check,
)
