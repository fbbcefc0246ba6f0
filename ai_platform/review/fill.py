"""Fill the tables of any database with rows that its constraints allow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ai_platform import names
from ai_platform.connection import first_line
from ai_platform.errors import BadValue
from ai_platform.identifiers import quoted

from ._rows.catalog import read
from ._rows.conditions import NO_PARTITION
from ._rows.generator import Parent
from ._rows.inserts import Rows, relation
from ._rows.order import steps
from ._rows.plan import Workshop
from ._rows.schedule import Style
from ._rows.templates import Template
from ._rows.trials import Unfillable
from ._rows.triggers import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from ._rows.catalog import Catalog, ForeignKey, Table
    from ._rows.order import Step

__all__ = ["Filled", "Profile", "Unfilled", "fill"]

# a full disk, an operator, a crash: no fault of the rows
_SERVER_FAULTS: Final = ("53", "57", "58", "XX")
_PARENTS: Final = 20_000
_ENOUGH: Final = 0.9
_PASSES: Final = 3
_ATTEMPTS: Final = (
    (Style.FULL, True),
    (Style.FULL, False),
    (Style.NO_EDGES, True),
    (Style.NO_EDGES, False),
    (Style.PLAIN, False),
)
_LAST_ATTEMPTS: Final = (
    (Style.FULL, False),
    (Style.NO_EDGES, False),
    (Style.PLAIN, False),
)
_SESSION: Final = """
    SELECT set_config('search_path', 'pg_catalog', true),
           set_config('timezone', 'UTC', true),
           set_config('datestyle', 'ISO, MDY', true),
           set_config('intervalstyle', 'postgres', true),
           set_config('synchronous_commit', 'off', true),
           set_config('jit', 'off', true),
           set_config('enable_nestloop', 'off', true),
           set_config('enable_mergejoin', 'off', true),
           set_config('statement_timeout', '0', true)
"""


@dataclass(frozen=True, slots=True)
class Profile:
    """What the rows are like: *parents* is how many rows tables next to ours get.

    With *edges* False nothing stands at the boundary of its type: a revision that
    narrows a column then runs as it would on harmless data.
    """

    parents: int = 1_000
    edges: bool = True
    vectors: int = 10_000
    """The most rows of a table with vectors: their indexes take long to build."""


@dataclass(frozen=True, slots=True)
class Unfilled:
    """A table that has no rows: *constraint* stands in the way, *reason* says how."""

    table: str
    constraint: str
    reason: str


class Filled(dict[str, int]):
    """How many rows each table has, by schema.name; *unfilled* where there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.unfilled: list[Unfilled] = []


def fill(  # noqa: PLR0913 - options have names
    conn: psycopg.Connection[Any],
    tables: Collection[str] | None,
    rows: int,
    *,
    few: Collection[str] = (),
    profile: Profile | None = None,
    seed: int = 0,
    on_table: Callable[[str, int], None] | None = None,
) -> Filled:
    """Give *tables*, as schema.name, at least *rows* rows each; None means every one.

    Tables that they refer to are filled before, with few rows, and so are those named
    by *few*. A partition stands for the table it is part of. Rows keep to every
    constraint, depend on *seed* alone, and are made by the server; *on_table* hears of
    each table and its rows when it is done. Where constraints allow fewer rows, there
    are fewer; where none could be found, the result's `unfilled` says which
    constraint stood in the way.

    Triggers do not fire, but for constraint triggers, which must hold. The login must
    own the tables and be exempt from row security; a superuser fills fastest.
    Version tables of Alembic and the runner's journal are left alone. Raises BadValue
    for a table that is not there.
    """
    if rows < 1:
        raise BadValue(f"rows must be at least 1, got {rows!r}")
    profile = profile or Profile()
    with conn.transaction():
        conn.execute(_SESSION)
        catalog = read(conn)
    work = _Work(conn, catalog, profile, seed, on_table or (lambda _t, _n: None))
    targets = dict.fromkeys(_wanted(catalog, few), min(rows, profile.parents))
    targets |= dict.fromkeys(_wanted(catalog, tables), rows)
    planned = steps(catalog, targets, rows, profile.parents)
    for number in range(_PASSES):
        for step in planned:
            work.table(step, planned, again=number > 0)
    work.keep_promises()
    return work.done


def _wanted(catalog: Catalog, tables: Collection[str] | None) -> list[int]:
    fillable = {
        table.title: table.oid
        for table in catalog.tables.values()
        if table.name != names.VERSION_TABLE and table.schema != names.JOURNAL_SCHEMA
    }
    if tables is None:
        return list(fillable.values())
    known = {**catalog.roots, **{t.title: t.oid for t in catalog.tables.values()}}
    missing = [name for name in tables if name not in known]
    if missing:
        raise BadValue(
            f"no such table to fill: got {', '.join(map(repr, missing))}",
            hint="name it as schema.table; views and foreign tables are not filled",
        )
    oids = dict.fromkeys(known[name] for name in tables)
    return [oid for oid in oids if oid in set(fillable.values())]


def _has_vectors(table: Table) -> bool:
    kinds = ("vector", "halfvec", "sparsevec")
    return any(column.type.plain.name in kinds for column in table.columns)


def _is_chained(table: Table, own: Sequence[ForeignKey]) -> bool:
    """Return whether a unique constraint lets a parent in *table* have few children."""
    upward = {
        column
        for key in own
        for column, target in zip(key.columns, key.targets, strict=True)
        if column != target
    }
    return any(unique & upward for unique in table.keys)


def _refused(table: Table, error: psycopg.Error) -> Unfilled:
    """Return what stands in the way; raises *error* where it is the server's fault."""
    if (error.sqlstate or "57").startswith(_SERVER_FAULTS):
        raise error
    name = error.diag.constraint_name or error.sqlstate or ""
    return Unfilled(table.title, name, first_line(error))


@dataclass(slots=True)
class _Work:
    conn: psycopg.Connection[Any]
    catalog: Catalog
    profile: Profile
    seed: int
    tell: Callable[[str, int], None]
    done: Filled = field(default_factory=Filled)
    _rows: dict[int, int] = field(default_factory=dict)
    _later: set[int] = field(default_factory=set)
    _promises: dict[tuple[int, str], tuple[Table, ForeignKey]] = field(
        default_factory=dict
    )

    def table(self, step: Step, planned: list[Step], *, again: bool) -> None:
        """Fill one table; half of it where parents come later, the rest *again*."""
        table = step.table
        if again and not self._is_late(step):
            return
        wanted = step.rows
        if _has_vectors(table):
            wanted = min(wanted, self.profile.vectors)
        waits = self._waits(table, planned)
        if waits and not again:
            self._later.add(table.oid)
        # parents within the table itself must be there before their children
        own = [key for key in table.foreign_keys if key.parent == table.oid]
        half = (wanted + 1) // 2
        goals = [half] if waits or own else []
        if own and not waits and not _is_chained(table, own):
            goals = [min(half, self.profile.parents)]
        goals += [] if waits and not again else [wanted]
        problem = None
        for goal in goals:
            problem = self._reach(table, goal)
        count = self._rows[table.oid]
        self.done[table.title] = count
        self.done.unfilled = [
            one for one in self.done.unfilled if one.table != table.title
        ]
        if problem and not count:
            self.done.unfilled.append(problem)
        if again or table.oid not in self._later:
            self.tell(table.title, count)

    def _is_late(self, step: Step) -> bool:
        """Return whether parents that were made after the table leave it too few."""
        oid = step.table.oid
        return oid in self._later and self._rows.get(oid, 0) < step.rows * _ENOUGH

    def keep_promises(self) -> None:
        """Take out rows whose parents, made after them, did not come as expected."""
        for table, key in self._promises.values():
            parent = self.catalog.tables[key.parent]
            agree = " AND ".join(
                f"p.{quoted(target)} = c.{quoted(own)}"
                for own, target in zip(key.columns, key.targets, strict=True)
            )
            statement = (
                f"DELETE FROM {relation(table)} AS c WHERE NOT EXISTS"
                f" (SELECT FROM {relation(parent)} AS p WHERE {agree})"
            )
            with self.conn.transaction(), quiet(self.conn, table):
                self.conn.execute(statement.encode())
            self.done[table.title] = self._count(table)

    def _reach(self, table: Table, goal: int) -> Unfilled | None:
        """Give *table* at least *goal* rows, in a transaction of its own."""
        problem, count = None, 0
        try:
            with self.conn.transaction():
                self.conn.execute(_SESSION)
                # functions in checks and indexes may rely on it, as their callers do
                path = f"SET LOCAL search_path = {quoted(table.schema)}, public"
                self.conn.execute(path.encode())
                count = self._count(table)
                if count < goal:
                    problem = self._fill(table, goal)
                    count = self._count(table)
        except psycopg.Error as error:
            problem = _refused(table, error)
        self._rows[table.oid] = count
        return problem

    def _waits(self, table: Table, planned: list[Step]) -> bool:
        inside = {step.table.oid for step in planned} - {table.oid}
        return any(
            key.parent in inside
            and (key.parent not in self._rows or key.parent in self._later)
            for key in table.foreign_keys
        )

    def _count(self, table: Table) -> int:
        return Rows(self.conn, table).count()

    def _number(self, query: str) -> int:
        return int(self.conn.execute(query.encode()).fetchall()[0][0])

    def _fill(self, table: Table, wanted: int) -> Unfilled | None:
        """Try one style after the other until there are *wanted* rows."""
        if table.is_partitioned and not table.partitions:
            return Unfilled(table.title, NO_PARTITION, "it has no partition")
        problem = self._attempts(table, wanted, _ATTEMPTS, is_generous=False)
        if self._count(table) >= wanted * _ENOUGH:
            return None
        other = self._attempts(table, wanted, _LAST_ATTEMPTS, is_generous=True)
        is_vague = problem is None or problem.constraint.isalnum()
        return other if is_vague else problem

    def _attempts(
        self,
        table: Table,
        wanted: int,
        attempts: Sequence[tuple[Style, bool]],
        *,
        is_generous: bool,
    ) -> Unfilled | None:
        """Insert in one style after the other; return why there are no rows."""
        problem = Unfilled(table.title, "", "no row was accepted")
        try:
            workshop = Workshop(
                self.conn, self.catalog, table, self.seed, is_generous=is_generous
            )
            workshop.promised.update(self._promised(table))
            parents = self._parents(workshop, wanted)
        except Unfillable as stop:
            return Unfilled(table.title, stop.constraint, stop.reason)
        promised = {key.parent for _, key in self._promises.values()}
        has_edges = self.profile.edges and table.oid not in promised
        rows = Rows(self.conn, table)
        for style, is_trusting in attempts:
            if style is Style.FULL and not has_edges:
                continue
            try:
                plan = workshop.plan(parents, style, is_trusting=is_trusting)
                count = rows.insert(plan, wanted)
                if count >= wanted or (count and not is_generous):
                    return None
                problem = Unfilled(table.title, *rows.diagnosis(plan))
            except Unfillable as stop:
                problem = Unfilled(table.title, stop.constraint, stop.reason)
            except psycopg.Error as error:
                problem = _refused(table, error)
        return problem

    def _promised(self, table: Table) -> dict[str, Template]:
        """Return values for mandatory parents that are filled only after *table*."""
        found: dict[str, Template] = {}
        for key in table.foreign_keys:
            pairs = list(zip(key.columns, key.targets, strict=True))
            if not table.is_mandatory(key) or key.parent not in self.catalog.tables:
                continue
            if key.parent == table.oid:
                # a row without anybody above it is its own parent
                for own, target in pairs:
                    found[own] = Template(quoted(target), columns=frozenset({target}))
            elif not self._rows.get(key.parent):
                parent = self.catalog.tables[key.parent]
                workshop = Workshop(self.conn, self.catalog, parent, self.seed)
                self._promises[table.oid, key.name] = (table, key)
                found.update((own, workshop.key_of(target)) for own, target in pairs)
        return found

    def _parents(self, workshop: Workshop, wanted: int) -> list[Parent]:
        """Return the parents to choose from: mandatory ones and wide keys first."""
        found = []
        table = workshop.table
        for key in table.foreign_keys:
            is_mandatory = table.is_mandatory(key)
            if key.parent not in self.catalog.tables:
                continue
            if key.parent == table.oid and is_mandatory:
                continue
            if any(table.column(name).generated for name in key.columns):
                continue  # a condition asks for them
            source = workshop.source_of(key, max(wanted, _PARENTS))
            rows = self._number(f"SELECT count(*) FROM {source} AS q")
            if rows:
                found.append(Parent(key, source, rows, is_mandatory))
        return sorted(
            found, key=lambda p: (not p.is_mandatory, -len(p.key.columns), p.key.name)
        )
