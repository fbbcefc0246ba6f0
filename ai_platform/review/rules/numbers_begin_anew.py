"""A column gets a new sequence, which gives numbers that rows have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pglast import ast, enums

from ai_platform.identifiers import unquoted

from ._rule import Hit, Rule
from ._tree import bare, quoted, same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._context import RevisionContext

__all__ = ["RULE"]

_GO_ON: Final = (
    "In the same revision, after it: SELECT setval(pg_get_serial_sequence('{table}', "
    "'{name}'), (SELECT max({column}) FROM {table})); the lock keeps writers out "
    "until the commit."
)
_WHOLE: Final = {"smallint", "integer", "bigint"}
_NEXTVAL: Final = re.compile(r"nextval\('([^']+)'::regclass\)")
_BEGINS: Final = re.compile(
    r"\b(?:setval|restart|start|(?<!no )minvalue)\b", re.IGNORECASE
)
_RENAMED: Final = {
    enums.ObjectType.OBJECT_SEQUENCE,
    enums.ObjectType.OBJECT_TABLE,  # so may a sequence be called
    enums.ObjectType.OBJECT_SCHEMA,
}


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.before is None or _is_told(revision):
        return
    rows = {
        **revision.evidence.production,
        # production has no rows in what the review itself makes
        **dict.fromkeys(revision.made_before, 0),
    }
    for item in revision.objects("column"):
        name = item.key.identity
        was, table = revision.before("column", name), name.rpartition(".")[0]
        is_empty = any(same(one, table) and not many for one, many in rows.items())
        if was is not None and not is_empty and _anew(revision, was, item.properties):
            is_unique = _is_unique(revision, table, bare(name))
            what = (
                "INSERT fails with a duplicate key" if is_unique else "they come twice"
            )
            yield Hit(
                name,
                "is numbered by a new sequence, which begins anew, and rows have such "
                f"numbers: {what}",
                is_measured=True,
                severity=None if is_unique else "warning",
                remedy=_GO_ON.format(
                    table=table, name=unquoted(bare(name)), column=bare(name)
                ),
            )


def _is_told(revision: RevisionContext) -> bool:
    """Return whether the revision says somewhere at which number to begin."""
    return any(_BEGINS.search(item.facts.sql) for item in revision.statements)


def _anew(
    revision: RevisionContext, was: Mapping[str, Any], now: Mapping[str, Any]
) -> bool:
    """Return whether a column of whole numbers got a sequence that was not its own."""
    if now.get("type") not in _WHOLE or was.get("generated"):
        return False
    if now.get("identity"):
        return not was.get("identity")
    called = _NEXTVAL.search(str(now.get("default")))
    if called is None or was.get("default") == now.get("default"):
        return False
    is_new = revision.before("sequence", called[1]) is None
    return is_new and not _is_moved(revision, called[1])


def _is_moved(revision: RevisionContext, sequence: str) -> bool:
    """Return whether *sequence* has but a new name, or stands in another schema."""
    *schema, name = sequence.split(".")
    for statement in revision.statements:
        tree = statement.tree
        if isinstance(tree, ast.RenameStmt) and tree.renameType in _RENAMED:
            is_schema = tree.renameType == enums.ObjectType.OBJECT_SCHEMA
            known = quoted(tree.newname) in (schema if is_schema else [name])
        elif isinstance(tree, ast.AlterObjectSchemaStmt) and tree.relation:
            known = quoted(tree.relation.relname) == name
        else:
            known = False
        if known:
            return True
    return False


def _is_unique(revision: RevisionContext, table: str, column: str) -> bool:
    """Return whether *table* refuses a number in *column* that it has."""
    return any(
        item.properties.get("table") == table
        and item.properties.get("unique")
        and not item.properties.get("invalid")
        and [key.partition(" ")[0] for key in item.properties["keys"]] == [column]
        for item in revision.objects("index")
    )


RULE = Rule(
    id="numbers-begin-anew",
    number=38,
    title="a column gets a new sequence, which gives numbers that rows have",
    family="code",
    severity="error",
    hazard=(
        "ADD GENERATED AS IDENTITY makes a sequence of its own that begins at 1, "
        "whatever numbered the column before; so does CREATE SEQUENCE for a new "
        "default. The next INSERT fails with a duplicate key, or gives a number twice."
    ),
    measured=(
        "The catalog before and after: another sequence numbers a column that was "
        "there, and the revision says nowhere at which number to begin: setval(), "
        "RESTART, START or MINVALUE. Where nothing keeps the numbers unique, a warning."
    ),
    remedy=(
        "SELECT setval(pg_get_serial_sequence('t', 'id'), (SELECT max(id) FROM t)) in "
        "the same revision, after it."
    ),
    revision=check,
)
