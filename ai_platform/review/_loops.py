"""Gather what a loop in Python says: many statements that are one to its reader."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .statements import Statement

__all__ = ["gathered"]

_FEW: Final = 10
_WRITES: Final = ("INSERT", "UPDATE", "DELETE", "MERGE")


def gathered(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Return *statements*, with long rows of reads and writes as one each.

    Only within a transaction, where it makes no difference.
    """
    found: list[Statement] = []
    for (_, is_data), group in groupby(statements, key=_kind):
        members = list(group)
        alike = [_one(members)] if is_data and len(members) > _FEW else members
        found += alike
    return tuple(replace(item, number=n) for n, item in enumerate(found, start=1))


def _kind(statement: Statement) -> tuple[int | None, bool]:
    is_data = statement.tag in (*_WRITES, "SELECT")
    return statement.transaction, is_data and statement.transaction is not None


def _one(members: Sequence[Statement]) -> Statement:
    """Return all *members* as one statement that shows the first of its kind."""
    tags = Counter(item.tag for item in members)
    tag = max(tags, key=lambda name: (name in _WRITES, tags[name]))
    first = next(item for item in members if item.tag == tag)
    counts = ", ".join(f"{number:,} {name}" for name, number in tags.most_common())
    relations = {relation for item in members for relation in item.relations}
    return replace(
        first,
        sql=f"{first.sql}\n-- one of {len(members):,} that follow each other: {counts}",
        script="".join(_ended(members)),
        relations=tuple(sorted(relations, key=lambda it: (it[0] or "", it[1]))),
    )


def _ended(members: Iterable[Statement]) -> Iterator[str]:
    # a comment at the end must not hide the semicolon
    return (f"{item.sql}\n;\n" for item in members)
