"""Insert the rows of a plan into one table, in as many rounds as they take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ai_platform.identifiers import quoted

from .indexes import RebuildError, unburdened
from .templates import literal
from .triggers import quiet

if TYPE_CHECKING:
    import psycopg

    from .catalog import Table
    from .plan import Plan

__all__ = ["Rows", "relation"]

_ROUNDS: Final = 14
_IDLE_ROUNDS: Final = 3
_WIDEN: Final = 20
_MANY: Final = 2_000
_SAMPLE: Final = 500
_SKIPPED: Final = 7


def relation(table: Table) -> str:
    """Return the name of *table* as SQL."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"


@dataclass(slots=True)
class Rows:
    """The rows of *table*."""

    conn: psycopg.Connection[Any]
    table: Table

    def count(self) -> int:
        """Return how many there are."""
        query = f"SELECT count(*) FROM {relation(self.table)}"
        return int(self.conn.execute(query.encode()).fetchall()[0][0])

    def insert(self, plan: Plan, wanted: int) -> int:
        """Insert until there are *wanted* rows; return how many there are."""
        present = self.count()
        if not present:
            self._skip_numbers(plan)
        is_big = wanted - present > _MANY
        if is_big:  # some first: what is deferred fails at the end
            self._commit(plan, present + _SAMPLE, rests=False)
        try:
            self._commit(plan, wanted, rests=is_big)
        except RebuildError:
            self._commit(plan, wanted, rests=False)
        self._count_on(plan)
        return self.count()

    def _skip_numbers(self, plan: Plan) -> None:
        """Begin above 1, as after rows that were deleted.

        Rows that a revision numbers anew would come to the numbers that they had.
        """
        for column in self.table.columns:
            if column.name in plan.generator.left_out and column.sequence is not None:
                query = (
                    "SELECT nextval(seqrelid) FROM pg_sequence,"
                    f" generate_series(1, {_SKIPPED})"
                    f" WHERE seqrelid = {literal(column.sequence)}::regclass"
                    " AND abs(seqmax / seqincrement) > 1000000"
                )
                self.conn.execute(query.encode())

    def _count_on(self, plan: Plan) -> None:
        """Set the sequences behind the numbers that the plan gave out itself."""
        for column in self.table.columns:
            is_ours = column.is_left_out and column.name not in plan.generator.left_out
            if is_ours and column.sequence is not None:
                query = (
                    f"SELECT setval({literal(column.sequence)}, max("
                    f"{quoted(column.name)})) FROM {relation(self.table)}"
                    f" HAVING max({quoted(column.name)}) > 0"
                )
                self.conn.execute(query.encode())

    def _commit(self, plan: Plan, wanted: int, *, rests: bool) -> None:
        """Insert in a transaction, within which indexes may rest."""
        with (
            self.conn.transaction(),
            quiet(self.conn, self.table),
            unburdened(self.conn, self.table if rests else None),
        ):
            self._insert(plan, wanted)

    def _insert(self, plan: Plan, wanted: int) -> None:
        """Insert until there are *wanted* rows, or no round brings any more."""
        present = self.count()
        first, idle, step = present + 1, 0, wanted - present
        for _ in range(_ROUNDS):
            missing = wanted - present
            if missing <= 0 or idle >= _IDLE_ROUNDS:
                break
            last = first + step - 1
            made = self._round(plan, (first, last), missing)
            present += made
            idle = 0 if made else idle + 1
            rate = max(made, 1) / step
            first = last + 1
            left = max(1, wanted - present)
            step = min(int(left / rate) + 100, left * _WIDEN + 2_000)

    def _round(self, plan: Plan, numbers: tuple[int, int], limit: int) -> int:
        table = self.table
        columns = [
            quoted(c.name)
            for c in table.columns
            if not c.generated and c.name not in plan.generator.left_out
        ]
        named = f"({', '.join(columns)})" if columns else ""
        statement = (
            f"INSERT INTO {relation(table)} {named} OVERRIDING SYSTEM VALUE"
            f" SELECT {', '.join(columns)}"
            f" {plan.rows(*numbers)} LIMIT {limit}"
        )
        if not table.is_deferred:  # else PostgreSQL refuses the clause
            statement += " ON CONFLICT DO NOTHING"
        return max(0, self.conn.execute(statement.encode()).rowcount)

    def diagnosis(self, plan: Plan) -> tuple[str, str]:
        """Return which condition no row met, and in words how."""
        for check in plan.conditions:
            alone = replace(plan, conditions=(check,))
            query = f"SELECT count(*) {alone.rows(1, 500)}"
            if not self.conn.execute(query.encode()).fetchall()[0][0]:
                return check.name, "no row that was tried holds"
        names_ = ", ".join(dict.fromkeys(check.name for check in plan.conditions))
        return names_, "no row holds all of them, or has parents"
