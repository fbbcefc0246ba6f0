"""A key runs out of numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["RULE"]

_LAST: Final = {"smallint": 2**15 - 1, "integer": 2**31 - 1}
_KEY: Final = re.compile(r"FOREIGN KEY \(([^),]*)\) REFERENCES ([^(]*)\(([^),]*)\)")


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        return
    types = {
        item.key.identity: str(item.properties.get("type"))
        for item in revision.objects("column")
    }
    for item in revision.objects("column", new=True):
        last = _LAST.get(types[item.key.identity])
        counts = item.properties.get("identity") or str(
            item.properties.get("default")
        ).startswith("nextval(")
        if last and counts:
            yield Hit(
                item.key.identity,
                f"ends at {last:,}",
                is_measured=True,
                severity="note",
            )
    for item in revision.objects("constraint", new=True):
        match = _KEY.match(str(item.properties.get("definition")))
        if match is None or not item.parent or item.properties.get("inherited"):
            continue
        column = f"{item.parent.removeprefix('table ')}.{match[1]}"
        target = f"{match[2]}.{match[3]}"
        if _rank(types.get(column)) < _rank(types.get(target)):
            yield Hit(
                column,
                f"is {types[column]}, {target} is {types[target]}: larger keys cannot "
                "be referred to",
                is_measured=True,
            )


def _rank(name: str | None) -> int:
    return [*_LAST, "bigint"].index(name) if name in {*_LAST, "bigint"} else -1


RULE = Rule(
    id="key-too-small",
    number=38,
    title="a key runs out of numbers",
    family="design",
    severity="warning",
    hazard=(
        "A key of type integer ends at 2,147,483,647: then every INSERT fails, and the "
        "change to bigint writes the whole table anew. A column narrower than the key "
        "it refers to fails earlier."
    ),
    measured=(
        "The catalog after the revision: a new integer or smallint column that counts "
        "by itself, as a note; a new foreign key whose column is narrower than the one "
        "it refers to."
    ),
    remedy="Make it bigint from the start: GENERATED ALWAYS AS IDENTITY works alike.",
    revision=check,
)
