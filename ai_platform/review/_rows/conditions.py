"""What every row of a table must satisfy, cut into the smallest parts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ai_platform.identifiers import quoted

from .catalog import Check
from .hints import conjuncts, mentioned

if TYPE_CHECKING:
    from .catalog import Catalog, Table

__all__ = ["NO_PARTITION", "computed_keys", "conditions_of", "indexable"]

NO_PARTITION: Final = "a partition for the row"
"""The name that stands for a constraint where no partition takes the row."""


def conditions_of(table: Table) -> list[Check]:
    """Return the conditions of checks, of partitions and of domains."""
    return [*_split(table), *_domains(table)]


def computed_keys(table: Table, catalog: Catalog) -> list[Check]:
    """Return that a parent is there, for each key with a column that is computed."""
    computed = {column.name for column in table.columns if column.generated}
    found = []
    for key in table.foreign_keys:
        parent = catalog.tables.get(key.parent)
        if parent is None or not computed & {*key.columns}:
            continue
        pairs = zip(key.targets, key.columns, strict=True)
        agree = " AND ".join(
            f"parent.{quoted(target)} = {quoted(table.name)}.{quoted(own)}"
            for target, own in pairs
        )
        name = f"{quoted(parent.schema)}.{quoted(parent.name)}"
        names = ", ".join(map(quoted, key.columns))
        sql = (
            f"num_nulls({names}) > 0"
            f" OR EXISTS (SELECT FROM {name} AS parent WHERE {agree})"
        )
        found.append(Check(key.name, sql, frozenset()))
    return found


def indexable(table: Table) -> list[Check]:
    """Return conditions that fail where an index cannot compute its expression."""
    return [
        replace(one, sql=f"num_nulls({one.sql}) >= 0")
        for one in table.expressions
        if len(one.columns) == 1
    ]


def _split(table: Table) -> list[Check]:
    """Return the conditions of *table*, cut at AND, and that a partition exists."""
    every = [column.name for column in table.columns]
    found = [
        Check(check.name, sql, columns)
        for check in table.checks
        for sql, columns in conjuncts(
            check.sql, check.columns or mentioned(check.sql, every)
        )
    ]
    if table.partitions:
        sql = " OR ".join(f"({condition})" for _, condition in table.partitions)
        found.append(Check(NO_PARTITION, sql, mentioned(sql, every)))
    return found


def _domains(table: Table) -> list[Check]:
    found = []
    for column in table.columns:
        kind = column.type
        while kind.kind == "d" and kind.base:
            inner = f"(SELECT {quoted(column.name)} AS value) AS d"
            found += [
                Check(
                    f"domain {kind.name}",
                    f"(SELECT {sql} FROM {inner})",
                    frozenset({column.name}),
                )
                for sql in kind.checks
            ]
            kind = kind.base
    return found
