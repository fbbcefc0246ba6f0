"""Measure revisions that build on each other: each up, down and up again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql

from ai_platform.connection import connect, first_line

from . import _evidence as evidence
from ._plan import Doing, Plan, Told
from ._readings import flush_counts
from ._repeat import is_repeatable, snapshot_of_repeat
from ._run import unmeasured
from ._sessions import Worker
from ._touched import tables_to_fill
from .bench import Bench
from .facts import RevisionFacts, Scan
from .fill import fill
from .preserve import lost
from .scratch import clone
from .statements import run_plainly
from .tables import touched_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ai_platform.catalog import Snapshot

    from ._run import Way
    from .scratch import Scratch
    from .statements import Statement

__all__ = ["Options", "Stair"]

_FILL: Final = "platform-review-rows"


@dataclass(frozen=True, slots=True)
class Options:
    """How revisions are measured; see `measure`."""

    settings: Mapping[str, str]
    rows: int
    limit_s: float
    version_table: str
    tell: Callable[[Told], None]
    look: Callable[[str, Snapshot, Snapshot], None]


@dataclass(slots=True)
class _Ground:
    """The touched tables, as schema and name, and the rows that they got."""

    tables: list[tuple[str, str]]
    filled: tuple[Scan, ...] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Return the tables as schema.name."""
        return [".".join(table) for table in self.tables]


class Stair:
    """Takes one revision after another in the database of *server*."""

    def __init__(self, server: Scratch, options: Options) -> None:
        self._server = server
        self._options = options
        self._broken: str | None = None

    def step(self, plan: Plan) -> RevisionFacts:
        """Measure the revision of *plan* and leave the database above it.

        Where that fails, neither it nor any later one counts as measured.
        """
        if self._broken is not None:
            return _bare(plan, f"not measured: {self._broken}")
        if plan.source.offline_error is not None:
            facts = _bare(plan, f"it has no SQL: {plan.source.offline_error}")
        else:
            ground = self._fill(plan)
            repeated = self._repeat(plan, ground)
            with self._bench() as bench:
                facts = self._measure(bench, plan, ground, repeated)
        if facts.error is not None:
            self._broken = (
                f"revision {plan.source.revision}, which comes before, failed"
            )
        return facts

    def _tell(self, plan: Plan, doing: Doing) -> None:
        self._options.tell(Told(plan.source.revision, doing))

    def _bench(self) -> Bench:
        return Bench(
            self._server.place,
            self._server.control,
            self._options.settings,
            limit_s=self._options.limit_s,
            owns_server=self._server.is_own,
        )

    def _fill(self, plan: Plan) -> _Ground:
        """Give the touched tables rows, and the server time to settle.

        A first scan after a load writes hint bits, which would count as the
        revision's WAL: VACUUM has them written before.
        """
        with connect(self._server.place, application_name=_FILL) as connection:
            both = (*plan.up, *(plan.down or ()))
            run_plainly(connection, plan.founding)
            version = self._options.version_table
            ground = _Ground(tables_to_fill(connection, both, version_table=version))
            if not ground.tables:
                return ground
            filled = fill(
                connection,
                ground.names,
                self._options.rows,
                on_table=lambda name, rows: self._options.tell(
                    Told(plan.source.revision, "rows", rows, self._options.rows, name)
                ),
            )
            settle = [sql.Identifier(*name.split(".", 1)) for name in filled]
            if settle:
                names = sql.SQL(", ").join(settle)
                connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(names))
            flush_counts(connection)
        ground.filled = tuple(sorted(Scan(name, n) for name, n in filled.items()))
        ground.notes = [
            f"{item.table} has no rows: {item.constraint} {item.reason}"
            for item in filled.unfilled
        ]
        return ground

    def _repeat(self, plan: Plan, ground: _Ground) -> Snapshot | None:
        """Return the catalog after runs that were stopped, in a copy; None: failed."""
        if _is_one_transaction(plan.up):
            return None
        self._tell(plan, "stop and repeat")
        with clone(self._server.place) as copy:
            return snapshot_of_repeat(
                copy, self._options.settings, plan.up, ground.tables
            )

    def _measure(
        self, bench: Bench, plan: Plan, ground: _Ground, repeated: Snapshot | None
    ) -> RevisionFacts:
        before, held = bench.catalog(), bench.contents(ground.names)
        up = self._way(bench, plan, "up", plan.up)
        after = bench.catalog()
        self._options.look(plan.source.revision, before, after)
        facts = replace(
            _bare(plan, up.error),
            up=up.statements,
            filled=ground.filled,
            changes=evidence.catalog_changes(before, after),
            tables=touched_tables(before, after),
            notes=(*ground.notes, *up.notes),
        )
        if up.error is not None:
            return facts
        facts = replace(
            facts,
            is_repeatable=_is_one_transaction(plan.up)
            or is_repeatable(after, repeated),
        )
        if plan.down is None:
            return replace(facts, is_reversible=False)
        down = self._way(bench, plan, "down", plan.down)
        notes = dict.fromkeys((*facts.notes, *down.notes))
        facts = replace(facts, down=down.statements, notes=tuple(notes))
        if down.error is not None:
            return self._without_way_back(bench, facts, down, after)
        left = evidence.catalog_changes(before, bench.catalog())
        gone = lost(held, bench.contents(ground.names), lossy=plan.source.lossy)
        self._tell(plan, "up again")
        error = self._again(plan)
        if error is None:
            left += evidence.catalog_changes(after, bench.catalog())
        return replace(
            facts,
            left_behind=left,
            lost=gone,
            is_reversible=not left and error is None,
            error=error,
        )

    def _way(
        self, bench: Bench, plan: Plan, doing: Doing, way: Sequence[Statement]
    ) -> Way:
        def tell(statement: Statement) -> None:
            told = Told(plan.source.revision, doing, statement.number, len(way))
            self._options.tell(told)

        return bench.measure(way, progress=tell)

    @staticmethod
    def _without_way_back(
        bench: Bench, facts: RevisionFacts, down: Way, after: Snapshot
    ) -> RevisionFacts:
        """Return what is known where the way down failed: all of the way up.

        A way down that left the catalog half way is in the way of what follows.
        """
        is_whole = not evidence.catalog_changes(after, bench.catalog())
        told = f"the way down failed: {down.error}"
        return replace(
            facts,
            is_reversible=False,
            error=None if is_whole else f"{told}, and left the catalog half way",
            notes=(*facts.notes, told),
        )

    def _again(self, plan: Plan) -> str | None:
        """Run the way up a second time; return why it failed."""
        with Worker(self._server.place, self._options.settings) as worker:
            try:
                run_plainly(worker.connection, plan.up)
            except psycopg.Error as error:
                return f"after its way down it does not run again: {first_line(error)}"
        return None


def _is_one_transaction(statements: Sequence[Statement]) -> bool:
    """Return whether a stop in the middle of *statements* leaves nothing."""
    return len({item.transaction for item in statements}) <= 1 and not any(
        item.transaction is None for item in statements
    )


def _bare(plan: Plan, error: str | None) -> RevisionFacts:
    """Return the facts of a revision of which nothing was measured."""
    source = plan.source
    return RevisionFacts(
        revision=source.revision,
        down_revision=source.down_revision,
        title=source.title,
        file=source.file,
        up=tuple(unmeasured(item, error) for item in plan.up),
        error=error,
    )
