"""A function's body names what is gone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ._rule import Hit, Rule
from ._tree import bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.catalog import CatalogObject, Snapshot

    from ._context import RevisionContext

__all__ = ["RULE"]

_RELATIONS: Final = ("table", "view", "materialized view")
_COMMENTS: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def check(revision: RevisionContext) -> Iterator[Hit]:
    before, after = revision.evidence.before, revision.evidence.after
    if before is None or after is None:
        return
    gone = list(_gone(before, after))
    if not gone:
        return
    for item in after:
        if item.key.kind in {"function", "procedure"}:
            for relation, column in gone:
                if _names(item, relation, column, after):
                    name = f"{relation}.{column}" if column else relation
                    yield Hit(item.key.identity, f"its body still names {name}")


def _gone(before: Snapshot, after: Snapshot) -> Iterator[tuple[str, str | None]]:
    """Yield each relation that code finds no more, or a column of one that it does."""
    now = _columns(after)
    for relation, columns in _columns(before).items():
        if relation not in now:
            yield relation, None
        for column in sorted(columns - now.get(relation, columns)):
            yield relation, column


def _columns(catalog: Snapshot) -> dict[str, set[str]]:
    return {
        item.key.identity: set(item.properties.get("column order") or ())
        for item in catalog
        if item.key.kind in _RELATIONS and not item.properties.get("partition bound")
    }


def _names(
    function: CatalogObject, relation: str, column: str | None, catalog: Snapshot
) -> bool:
    """Return whether the body says so; one of a trigger names no table for its row."""
    body = _COMMENTS.sub(" ", str(function.properties.get("body") or "")).lower()
    table = bare(relation).lower()
    if column is None:
        return _has_word(body, re.escape(table))
    word = re.escape(column.lower())
    if _has_word(body, re.escape(table)) and _has_word(body, word):
        return True
    return _has_word(body, rf"(new|old)\.{word}") and any(
        item.key.kind == "trigger"
        and item.key.identity.endswith(f" on {relation}")
        and _calls(item, function)
        for item in catalog
    )


def _has_word(body: str, word: str) -> bool:
    return re.search(rf"(?<![\w$]){word}(?![\w$])", body) is not None


def _calls(trigger: CatalogObject, function: CatalogObject) -> bool:
    name = bare(function.key.identity.partition("(")[0])
    return f"{name}(" in str(trigger.properties.get("definition"))


RULE = Rule(
    id="body-names-what-is-gone",
    number=21,
    title="a function's body names what is gone",
    family="code",
    severity="warning",
    hazard=(
        "PostgreSQL keeps the body of a function as text: a table or column that it "
        "names is dropped or renamed without a complaint, and every call fails from "
        "the commit on, of a trigger's function every write. That no old code runs any "
        "more does not help."
    ),
    measured=(
        "The catalog before and after: what code finds no more, and its name as a word "
        "in a body, that of a column beside its table's, or after NEW or OLD in a "
        "function of the table's triggers. Bodies of SQL standard form depend on what "
        "they name."
    ),
    remedy=(
        "CREATE OR REPLACE FUNCTION without it in the same revision or an earlier one; "
        "BEGIN ATOMIC makes PostgreSQL refuse such a drop."
    ),
    revision=check,
)
