"""Decide which values each column of a table takes, tried out on the server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ai_platform.connection import first_line
from ai_platform.identifiers import quoted

from .candidates import candidates, hints_of
from .catalog import Check
from .conditions import computed_keys, conditions_of, indexable
from .generator import Generator, Parent
from .schedule import Style, allowed, indexed, schedule, scheduled, spread
from .spares import Known, short, spares
from .templates import ROW, UNLIMITED, Template, literal
from .trials import Trials, Unfillable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .catalog import Catalog, Column, ForeignKey, Table
    from .hints import Hints

__all__ = ["Plan", "Unfillable", "Workshop"]

_TRIALS: Final = (2_000, 50_000)
_MOST_MOMENTS: Final = 8
_MANY_COLUMNS: Final = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """A generator and, for each column with several ways, which one a row takes."""

    generator: Generator
    choices: dict[str, str]
    conditions: tuple[Check, ...]

    def rows(self, first: int, last: int) -> str:
        """Return the FROM and WHERE of rows *first* to *last*."""
        return self.generator.rows(first, last, self.choices, self.conditions)


@dataclass(slots=True)
class Workshop:
    """Plans for one table, with what was tried so far."""

    conn: psycopg.Connection[Any]
    catalog: Catalog
    table: Table
    seed: int
    is_generous: bool = False
    """Whether to try what is odd too, and what only some rows may have."""
    promised: dict[str, Template] = field(default_factory=dict)
    """Columns whose parents come later: the value that they will have."""
    conditions: list[Check] = field(init=False)
    _trials: Trials = field(init=False)
    _ways: dict[str, list[Template]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.conditions = conditions_of(self.table) + computed_keys(
            self.table, self.catalog
        )
        if self.is_generous:
            self.conditions += indexable(self.table)
        self._trials = Trials(self.conn, self.is_generous)
        self._ways = self._tried()
        # a value computed from an empty one is empty too
        self.conditions += [
            Check(
                f"not null of {name}", f"{quoted(name)} IS NOT NULL", frozenset({name})
            )
            for name, ways in self._ways.items()
            if self.table.column(name).is_not_null and any(w.columns for w in ways)
        ]

    def plan(
        self, parents: Sequence[Parent], style: Style, *, is_trusting: bool
    ) -> Plan:
        """Return a plan with values of *style*; raises Unfillable.

        *is_trusting*: what was tried on a few rows is not tested again on every one.
        """
        generator = Generator(
            self.catalog,
            self.table,
            parents,
            self.conditions,
            self._with_parents(parents),
            self.left_out,
        )
        children = {name for parent in parents for name in parent.key.columns}
        tested = self._ways.keys() - children - self._trials.partly
        conditions = [
            check
            for check in self.conditions
            if not (is_trusting and len(check.columns) == 1 and check.columns <= tested)
        ]
        return Plan(generator, self._choices(generator, style), tuple(conditions))

    @property
    def left_out(self) -> frozenset[str]:
        """Return the columns that a sequence numbers when a row is inserted.

        Not those that a condition speaks of, nor those that a row must repeat, because
        it is its own parent.
        """
        own = [key for key in self.table.foreign_keys if key.parent == self.table.oid]
        needed = {n for k in own if self.table.is_mandatory(k) for n in k.targets}
        needed = needed.union(*(check.columns for check in self.conditions))
        columns = self.table.columns
        return frozenset(c.name for c in columns if c.is_left_out) - needed

    def source_of(self, key: ForeignKey, most: int) -> str:
        """Return a query for *most* of the parents that a row may have by *key*."""
        parent = self.catalog.tables[key.parent]
        targets = list(map(quoted, key.targets))
        names = [
            f"{target} AS {quoted(own)}"
            for target, own in zip(targets, key.columns, strict=True)
        ]
        tests = [f"{target} IS NOT NULL" for target in targets]
        for target, own in zip(key.targets, key.columns, strict=True):
            kind = self.table.column(own).type.plain.sql
            if parent.column(target).type.plain.sql != kind:  # it may not fit
                text = f"{quoted(target)}::text"
                tests.append(f"pg_input_is_valid({text}, {literal(kind)})")
        present = " AND ".join(tests)
        fits = [
            f"(({check.sql}) IS NOT FALSE)"
            for check in self.conditions
            if check.columns and check.columns <= {*key.columns}
        ]
        return (
            f"(SELECT * FROM (SELECT {', '.join(names)} FROM"
            f" {quoted(parent.schema)}.{quoted(parent.name)} WHERE {present}) AS q"
            f" WHERE {' AND '.join(['true', *fits])}"
            f" ORDER BY {', '.join(map(quoted, key.columns))} LIMIT {most})"
        )

    def key_of(self, name: str) -> Template:
        """Return the value that column *name* has in a row, known beforehand."""
        if name in self.left_out:
            return Template(ROW)
        return max(self._ways[name], key=lambda way: way.capacity)

    # what each column may take

    def _tried(self) -> dict[str, list[Template]]:
        hints = hints_of(
            self.table.columns,
            self.table.checks + self._partitions(),
            self.table.expressions,
        )
        moments = self._moments(hints)
        found: dict[str, list[Template]] = {}
        for column in self.table.columns:
            if column.generated or column.name in self.left_out:
                continue
            ways = self._candidates(column, hints, moments)
            ways = [way for way in ways if not _loops(column.name, way, found)]
            found[column.name] = ways
        columns = [self.table.column(name) for name in found]
        taken = self._trials.are_taken(columns, found)
        children = {name for key in self.table.foreign_keys for name in key.columns}
        for column in columns:
            alone = [c for c in self.conditions if c.columns == {column.name}]
            if alone or not taken:
                found[column.name] = self._trials.surviving(
                    column,
                    found[column.name],
                    alone,
                    is_child=column.name in children,
                )
        return found

    def _candidates(
        self, column: Column, hints: dict[str, Hints], moments: list[str]
    ) -> list[Template]:
        if column.is_left_out:
            next_one = [Template(column.numbered_by or ROW, UNLIMITED)]
            return [Template(ROW, UNLIMITED), *(next_one if self.is_generous else [])]
        own = hints[column.name]
        ways = candidates(column, own, seed=self.seed, moments=moments)
        if not self.is_generous:
            return ways
        is_text = column.type.plain.category == "S"
        if is_text and len(self.table.columns) > _MANY_COLUMNS:
            return [short(), *(way for way in ways if way.sql == "NULL")]
        known = Known(own, frozenset(n for one in hints.values() for n in one.numbers))
        null = [way for way in ways if way.sql == "NULL"]
        ways = [way for way in ways if way.sql != "NULL"]
        return [*ways, *spares(column, known, seed=self.seed), *null]

    def _partitions(self) -> tuple[Check, ...]:
        """Return the condition that a partition exists, from at most a dozen."""
        chosen = self.table.partitions
        chosen = chosen[:: max(1, len(chosen) // 12)]
        sql = " OR ".join(f"({condition})" for _, condition in chosen)
        return (Check("a partition", sql, frozenset()),) if sql else ()

    def _moments(self, hints: dict[str, Hints]) -> list[str]:
        found: list[str] = []
        for column in self.table.columns:
            if column.type.plain.name in ("timestamp", "timestamptz", "date"):
                found += [
                    f"({one.low}) + {ROW} * interval '1 ms'"
                    for one in hints[column.name].intervals
                    if one.low and one.high
                ]
        return found[:_MOST_MOMENTS]

    def _with_parents(self, parents: Sequence[Parent]) -> dict[str, list[Template]]:
        """Let the columns of foreign keys take their parents' values, or NULL."""
        found = dict(self._ways)
        for parent in parents:
            for name in parent.key.columns:
                column = self.table.column(name)
                if name not in found:
                    continue
                value = Template(quoted(f"#v{column.number}"))
                found[name] = [value]
                if not column.is_not_null:
                    found[name].append(Template("NULL"))
        followed = {n for parent in parents for n in parent.key.columns}
        for key in self.table.foreign_keys:
            for name in {*key.columns} - followed & found.keys():
                found[name] = self._without_parent(key, name)
        return found

    def _without_parent(self, key: ForeignKey, name: str) -> list[Template]:
        """Return what column *name* takes where no parent is there to refer to."""
        if name in self.promised:
            return [self.promised[name]]
        if self.table.column(name).is_not_null and not self.table.is_mandatory(key):
            return self._ways[name]  # another column of the key is NULL
        return [Template("NULL")]

    # which way a row takes

    def _choices(self, generator: Generator, style: Style) -> dict[str, str]:
        clusters = self._clusters(generator)
        shaped: dict[str, str] = {}
        for cluster, checks in clusters:
            shaped |= self._shapes(generator, cluster, checks, style)
        hot = self._hot(generator)
        for number, (name, ways) in enumerate(generator.ways.items()):
            if name not in shaped and len(ways) > 1:
                order = schedule(ways, style, is_hot=name in hot)
                shaped[name] = scheduled(order, number, is_hot=name in hot)
        return shaped

    def _hot(self, generator: Generator) -> frozenset[str]:
        """Return one column of each unique constraint: different in every row."""
        found: set[str] = set()
        for key in self.table.keys:
            if key & (found | self.left_out):
                continue
            roomy = {
                name: max((way.capacity for way in ways), default=1)
                for name, ways in generator.ways.items()
                if name in key
            }
            if roomy and max(roomy.values()) > 1:
                found.add(max(roomy, key=lambda name: roomy[name]))
        return frozenset(found)

    def _clusters(
        self, generator: Generator
    ) -> list[tuple[frozenset[str], list[Check]]]:
        """Return groups of columns that conditions tie together."""
        groups: list[tuple[frozenset[str], list[Check]]] = []
        for check in self.conditions:
            columns = check.columns & generator.ways.keys()
            if len(columns) < len(("this", "that")):
                continue
            touching = [group for group in groups if group[0] & columns]
            groups = [group for group in groups if not group[0] & columns]
            merged = columns.union(*(names for names, _ in touching))
            checks = [one for _, many in touching for one in many]
            groups.append((frozenset(merged), [*checks, check]))
        return groups

    def _shapes(
        self,
        generator: Generator,
        cluster: frozenset[str],
        checks: list[Check],
        style: Style,
    ) -> dict[str, str]:
        """Return choices for *cluster* out of what its checks allow together."""
        names = sorted(cluster)
        hot = self._hot(generator)
        picks = {}
        for number, name in enumerate(names):
            open_to = allowed(generator.ways[name], style, is_hot=name in hot)
            chance = f"hashint8extended({ROW}, {self.seed * 1000 + number})"
            picks[name] = indexed(open_to, f"({chance} & 2147483647)")
        alone = [c for c in self.conditions if c.columns and c.columns <= cluster]
        found = self._accepted(generator, picks, names, [*checks, *alone])
        if not found:
            raise Unfillable(
                ", ".join(dict.fromkeys(check.name for check in checks)),
                f"no combination of {', '.join(names)} that was tried holds",
            )
        chosen = spread(found, generator.ways, names, style, self.seed)
        return {
            name: indexed([shape[at] for shape in chosen], f"({ROW} * 7)")
            for at, name in enumerate(names)
        }

    def _accepted(
        self,
        generator: Generator,
        picks: dict[str, str],
        names: list[str],
        checks: Iterable[Check],
    ) -> list[tuple[int, ...]]:
        """Return the combinations of ways that satisfy *checks*, in a fixed order."""
        choices = dict(picks)
        for name, ways in generator.ways.items():
            if len(ways) > 1:
                choices.setdefault(name, "0")
        wide = dict.fromkeys(checks)
        for trials in _TRIALS:
            rows = generator.rows(1, trials, choices, list(wide))
            wanted = ", ".join(generator.choice_of(name) for name in names)
            query = f"SELECT DISTINCT {wanted} {rows} ORDER BY {wanted}"
            try:
                with self.conn.transaction():
                    found = self.conn.execute(query.encode()).fetchall()
            except psycopg.Error as error:
                name = next(iter(wide)).name
                raise Unfillable(name, first_line(error)) from error
            if found:
                return [tuple(row) for row in found]
        return []


def _loops(name: str, way: Template, ways: dict[str, list[Template]]) -> bool:
    """Return whether *way* would compute a column from itself."""
    seen: set[str] = set()
    waiting = set(way.columns)
    while waiting:
        one = waiting.pop()
        if one == name:
            return True
        if one not in seen:
            seen.add(one)
            waiting |= {c for other in ways.get(one, []) for c in other.columns}
    return False
