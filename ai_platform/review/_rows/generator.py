"""One query that makes up rows: parents joined, columns computed, conditions last."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ai_platform.identifiers import quoted

from .templates import ROW, Template, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .catalog import Catalog, Check, Column, ForeignKey, Table

__all__ = ["Generator", "Parent"]

_MOST_COLUMNS: Final = 1_200


@dataclass(frozen=True, slots=True)
class Parent:
    """A foreign key to follow; *source* is a subquery with *rows* rows to choose from.

    Its columns have the names that the referring table gives them.
    """

    key: ForeignKey
    source: str
    rows: int
    is_mandatory: bool


@dataclass(slots=True)
class Generator:
    """The query for *table*; *ways* are the values that each column may take.

    A column that refers to a parent takes the parent's value as its first way.
    """

    catalog: Catalog
    table: Table
    parents: Sequence[Parent]
    conditions: Sequence[Check]
    ways: dict[str, list[Template]]
    left_out: frozenset[str]
    _taken: dict[str, str] = field(default_factory=dict)
    _inline: Mapping[str, str] = field(default_factory=dict)

    def value_of(self, column: Column) -> str:
        """Return how level 0 names the value that *column* takes from a parent."""
        return quoted(f"#v{column.number}")

    def choice_of(self, name: str) -> str:
        """Return how the query names the number of the way taken for a column."""
        if name in self._inline:
            return f"({self._inline[name]})"
        return quoted(f"#x{self.table.column(name).number}")

    def rows(
        self,
        first: int,
        last: int,
        choices: Mapping[str, str],
        conditions: Sequence[Check],
    ) -> str:
        """Return the FROM and WHERE of rows *first* to *last* that meet *conditions*.

        *choices* give the number of the way taken, as SQL over the row's number.
        """
        # a query has room for so many columns
        is_wide = len(self.table.columns) + len(choices) > _MOST_COLUMNS
        self._inline = choices if is_wide else {}
        source = self._level_zero(first, last, {} if is_wide else choices)
        for columns in self._levels():
            parts = ", ".join(
                f"{self._computed(column)} AS {quoted(column.name)}"
                for column in columns
            )
            source = f"SELECT l.*, {parts} FROM ({source}) AS l OFFSET 0"
        missing = [column for column in self.table.columns if column.generated]
        for column in missing:
            sql = f"({column.generated})"
            source = (
                f"SELECT l.*, {sql} AS {quoted(column.name)} FROM ({source}) AS l"
                " OFFSET 0"
            )
        where = " AND ".join(
            ["true", *self._matched(), *(_holds(one.sql) for one in conditions)]
        )
        return f"FROM ({source}) AS {quoted(self.table.name)} WHERE {where}"

    def _level_zero(self, first: int, last: int, choices: Mapping[str, str]) -> str:
        self._taken = {}
        joins = [self._join(n, parent) for n, parent in enumerate(self.parents)]
        values = [
            f"{sql} AS {self.value_of(self.table.column(name))}"
            for name, sql in self._taken.items()
        ]
        marks = [f"f{n}.found AS {quoted(f'#f{n}')}" for n in range(len(self.parents))]
        numbers = [f"{sql} AS {self.choice_of(n)}" for n, sql in choices.items()]
        parts = ", ".join([f"g.{ROW}", *values, *marks, *numbers])
        return (
            f"SELECT {parts} FROM generate_series({first}::int8, {last}::int8)"
            f" AS g({ROW}) {' '.join(joins)} OFFSET 0"
        )

    def _join(self, number: int, parent: Parent) -> str:
        """Return the join that picks a parent which agrees with those before it."""
        alias, key = f"f{number}", parent.key
        columns = ", ".join(map(quoted, key.columns))
        shared = [name for name in key.columns if name in self._taken]
        group = ", ".join(map(quoted, shared))
        over = f"PARTITION BY {group} " if group else ""
        rows = (
            f"(SELECT {columns}, true AS found, row_number() OVER ({over}ORDER BY"
            f" {columns}) - 1 AS place FROM {parent.source} AS p) AS {alias}"
        )
        how = "JOIN" if parent.is_mandatory else "LEFT JOIN"
        at = self._place(number, 1 if shared else max(parent.rows, 1))
        if shared:
            size = f"c{number}"
            text = (
                f"{how} (SELECT {group}, count(*) AS size FROM {parent.source} AS p"
                f" GROUP BY {group}) AS {size} ON {self._agree(size, shared)}"
                f" {how} {rows} ON {self._agree(alias, shared)}"
                f" AND {alias}.place = {at} % {size}.size"
            )
        else:
            text = f"{how} {rows} ON {alias}.place = {at} % {max(parent.rows, 1)}"
        for name in key.columns:
            self._taken.setdefault(name, f"{alias}.{quoted(name)}")
        return text

    def _agree(self, alias: str, shared: Sequence[str]) -> str:
        return " AND ".join(
            f"{alias}.{quoted(name)} = {self._taken[name]}" for name in shared
        )

    def _place(self, number: int, size: int) -> str:
        """Return which parent a row takes out of *size*.

        Of two parents every pair comes up once, and each parent as soon as it can.
        """
        start = f"(g.{ROW} - 1)"
        several = [n for n, p in enumerate(self.parents[:number]) if p.rows > 1]
        if not several:
            return start
        if len(several) == 1:
            turn = math.lcm(self.parents[several[0]].rows, size)
            return f"({start} + {start} / {turn})"
        return f"(hashint8extended(g.{ROW}, {number}) & 2147483647)"

    def _matched(self) -> list[str]:
        """Return conditions: an optional parent is there, or one of its columns not."""
        found = []
        for number, parent in enumerate(self.parents):
            names = ", ".join(map(quoted, parent.key.columns))
            count = len(parent.key.columns)
            if not parent.is_mandatory:
                found.append(f"({quoted(f'#f{number}')} OR num_nulls({names}) > 0)")
            if parent.key.is_full and count > 1:
                found.append(f"num_nulls({names}) IN (0, {count})")
        return found

    def _levels(self) -> list[list[Column]]:
        """Return the columns, those first that others are computed from."""
        level: dict[str, int] = {}
        for column in self.table.columns:
            self._place_column(column.name, level, frozenset())
        found: dict[int, list[Column]] = {}
        for column in self.table.columns:
            if not column.generated:
                found.setdefault(level[column.name], []).append(column)
        return [found[number] for number in sorted(found)]

    def _place_column(
        self, name: str, level: dict[str, int], above: frozenset[str]
    ) -> int:
        if name not in level:
            inner = above | {name}
            below = [
                self._place_column(other, level, inner)
                for way in self.ways.get(name, [])
                for other in way.columns
                if other not in inner
            ]
            level[name] = max(below, default=-1) + 1
        return level[name]

    def _computed(self, column: Column) -> str:
        if column.name in self.left_out:
            return cast("NULL", column.type)
        ways = self.ways[column.name]
        if len(ways) == 1:
            return cast(ways[0].sql, column.type)
        branches = " ".join(
            f"WHEN {number} THEN {cast(way.sql, column.type)}"
            for number, way in enumerate(ways)
        )
        return f"CASE {self.choice_of(column.name)} {branches} END"


def _holds(sql: str) -> str:
    return f"(({sql}) IS NOT FALSE)"
