"""Try values on the server: which does it take, and which do the constraints allow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ai_platform.identifiers import quoted

from .templates import ROW, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .catalog import Check, Column
    from .templates import Template

__all__ = ["Trials", "Unfillable"]

_FEW: Final = "(VALUES (1::int8), (2), (17), (63), (1000), (99999))"
_MANY: Final = "generate_series(1::int8, 2000)"
_MOST_VALUES: Final = 500


class Unfillable(Exception):
    """No value, or no combination of them, satisfies *constraint*."""

    def __init__(self, constraint: str, reason: str) -> None:
        super().__init__(reason)
        self.constraint = constraint
        self.reason = reason


@dataclass(slots=True)
class Trials:
    """Trials of one table's values.

    Where *is_generous*, a value that only some rows may have is kept: its column is
    then one of *partly*, of which every row must be tested.
    """

    conn: psycopg.Connection[Any]
    is_generous: bool
    partly: set[str] = field(default_factory=set)

    def are_taken(
        self, columns: Sequence[Column], ways: dict[str, list[Template]]
    ) -> bool:
        """Return whether the server takes every value, in one go."""
        values = [
            f"count({cast(way.sql, column.type)})"
            for column in columns
            for way in ways[column.name]
            if not way.columns
        ]
        try:
            for at in range(0, len(values), _MOST_VALUES):
                some = ", ".join(values[at : at + _MOST_VALUES])
                query = f"SELECT {some} FROM {_FEW} AS v({ROW})"
                with self.conn.transaction():
                    self.conn.execute(query.encode())
        except psycopg.Error:
            return False
        return True

    def surviving(
        self,
        column: Column,
        ways: list[Template],
        checks: list[Check],
        *,
        is_child: bool,
    ) -> list[Template]:
        """Return those of *ways* that the server takes and *checks* allow.

        Raises Unfillable where there is none; a child gets its parent's values.
        """
        fixed = [way for way in ways if not way.columns]
        passed = self._passing(column, fixed, checks)
        if self.is_generous:
            rest = [w for w in fixed if w.capacity > 1 and w not in passed]
            partly = self._passing(column, rest, checks, is_partly=True)
            passed += partly
            self.partly |= {column.name} if partly else set()
        kept = [w for w in ways if w.columns or w in passed]
        if not kept and checks and not is_child:
            raise Unfillable(
                self._culprit(column, fixed, checks),
                f"none of {len(fixed)} values tried for column {column.name} holds",
            )
        return kept or ways

    def _culprit(
        self, column: Column, ways: list[Template], checks: list[Check]
    ) -> str:
        for check in checks:
            if not self._passing(column, ways, [check]):
                return check.name
        return checks[0].name

    def _passing(
        self,
        column: Column,
        ways: list[Template],
        checks: list[Check],
        *,
        is_partly: bool = False,
    ) -> list[Template]:
        """Return the *ways* that are true of all *checks*; the server decides.

        In every row that is tried; *is_partly*: in one of many.
        """
        if not ways:
            return []
        holds = " AND ".join(["true", *(f"(({c.sql}) IS NOT FALSE)" for c in checks)])
        judged, rows = ("bool_or", _MANY) if is_partly else ("bool_and", _FEW)
        parts = [
            # counted, or else the planner leaves the value out
            f"(SELECT {judged}({holds}) AND count({quoted(column.name)}) >= 0"
            f" FROM (SELECT {cast(way.sql, column.type)}"
            f" AS {quoted(column.name)} FROM {rows} AS v({ROW})) AS t)"
            for way in ways
        ]
        try:
            with self.conn.transaction():
                row = self.conn.execute(f"SELECT {', '.join(parts)}".encode())
                return [w for w, ok in zip(ways, row.fetchall()[0], strict=True) if ok]
        except psycopg.Error as error:
            if len(ways) == 1 or error.sqlstate is None:
                return []
        middle = len(ways) // 2
        return [
            *self._passing(column, ways[:middle], checks, is_partly=is_partly),
            *self._passing(column, ways[middle:], checks, is_partly=is_partly),
        ]
