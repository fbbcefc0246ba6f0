"""A column gets a new sequence, which gives numbers that rows have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ai_platform.identifiers import unquoted

from ._rule import Hit, Rule
from ._tree import bare, same

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
_BEGINS: Final = re.compile(r"\bsetval\b|\brestart\b|\bstart\b", re.IGNORECASE)


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
            yield Hit(
                name,
                "is numbered by a new sequence, which begins anew, and rows have such "
                "numbers: INSERT fails with a duplicate key",
                is_measured=True,
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
    return revision.before("sequence", called[1]) is None


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
        "RESTART or START."
    ),
    remedy=(
        "SELECT setval(pg_get_serial_sequence('t', 'id'), (SELECT max(id) FROM t)) in "
        "the same revision, after it."
    ),
    revision=check,
)
