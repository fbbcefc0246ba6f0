"""Measure revisions that build on each other: each up, down and up again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from ai_platform.catalog.difference import is_validation
from ai_platform.errors import PlatformError, Refused
from ai_platform.identifiers import unquoted

from . import _evidence as evidence
from . import on_rows
from ._base import build
from ._by_triggers import moment, told_apart
from ._ground import Ground, prepare
from ._plan import Doing, Told
from ._promises import demands, holdable, promises
from ._recorded import is_of_alembic, recorded, refuses, roles_undone, spoken
from ._repeat import snapshot_of_repeat
from ._roles_left import role_facts, roles_left
from ._sessions import Worker
from ._step_facts import bare, each_once, of_project, ran_on, repeatable, whole
from ._words import words_of
from .bench import Bench
from .plans import compared, query_plans
from .preserve import demand_columns, lost
from .scratch import clone
from .statements import run_plainly, stops
from .tables import touched_tables

if TYPE_CHECKING:
    from ai_platform.catalog import Snapshot
    from ai_platform.connection import Target

    from ._base import Detour
    from ._plan import Options, Plan
    from ._run import Way
    from .facts import Change, RevisionFacts
    from .preserve import Contents
    from .scratch import Scratch
    from .sources import Recording
    from .statements import Relation, Statement

__all__ = ["Stair"]


class Stair:
    """Takes one revision after another in the database of *server*.

    After one that fails it goes on in a database of *detour*. What Python says in a
    trial is added to *heard*.
    """

    def __init__(
        self,
        server: Scratch,
        options: Options,
        detour: Detour,
        heard: list[Recording | None],
    ) -> None:
        self._heard = heard
        self._server = server
        self._options = options
        self._detour = detour
        self._spoilt_by: str | None = None
        self._broken: str | None = None

    def step(self, plan: Plan) -> RevisionFacts:
        """Measure the revision of *plan* and leave the database above it.

        Where that fails, it does not count as measured; nor does any later one where
        it does not run without rows either.
        """
        if self._spoilt_by is not None:
            self._go_around(self._spoilt_by)
        if self._broken is not None:
            return bare(plan, f"not measured: {self._broken}")
        if plan.online and self._options.online is None:
            told = plan.source.offline_error or plan.source.down_error
            facts = bare(plan, f"it has no SQL: {told}")
        else:
            facts = self._measured(plan, self._options)
            if self._options.rows and on_rows.is_of_rows(facts):
                facts = self._on_other_rows(plan, facts)
            elif self._options.rows and on_rows.is_of_rows_below(facts):
                facts = self._back_on_tame_rows(plan, facts)
        self._detour.passed(plan)
        if facts.error is not None or facts.left_behind:
            did = "failed" if facts.error is not None else "leaves something behind"
            self._spoilt_by = (
                f"revision {plan.source.revision}, which comes before, {did}"
            )
        return facts

    def _measured(self, plan: Plan, options: Options) -> RevisionFacts:
        """Measure *plan* on such rows as *options* say."""
        ground = self._ground(plan, options)
        plan, ground = self._recorded(plan, ground)
        repeated = self._repeat(plan, ground)
        with self._bench(self._server.place) as bench:
            return self._measure(bench, plan, ground, repeated)

    def _on_other_rows(self, plan: Plan, failed: RevisionFacts) -> RevisionFacts:
        """Measure *plan* on rows fit for it, or on none, where these let it run."""
        try:
            place = self._detour.around()
            before = demands(place)
            build(place, [plan], self._options)
            wanted = promises(before, demands(place))
        except Refused:  # its rows are not why it failed
            return failed
        self._anew()
        wanted = holdable(self._server.place, wanted)
        fitting = replace(self._options, promises=wanted)
        if wanted:
            facts = self._measured(plan, fitting)
            if ran_on(facts, failed):
                return on_rows.with_fitting_rows(facts, failed, wanted)
            self._anew()
        if on_rows.is_of_references(failed):
            facts = self._measured(plan, replace(fitting, referred=False))
            if facts.error is None:
                return on_rows.with_lone_rows(facts, failed)
            self._anew()
        facts = self._measured(plan, replace(fitting, edges=False))
        if ran_on(facts, failed):
            return on_rows.with_tame_rows(facts, failed)
        self._anew()
        facts = self._measured(plan, replace(self._options, rows=0))
        return failed if facts.error else on_rows.without_rows(facts, failed)

    def _back_on_tame_rows(self, plan: Plan, failed: RevisionFacts) -> RevisionFacts:
        """Measure *plan* on rows without edges, where its way down leads over these."""
        try:
            self._anew()
        except Refused:
            return failed
        facts = self._measured(plan, replace(self._options, edges=False))
        if not ran_on(facts, failed) or facts.is_reversible is False:
            return facts if facts.error or facts.left_behind else failed
        return on_rows.back_on_tame_rows(facts, failed)

    def _anew(self) -> None:
        """Go on in another database, which has none of the rows of the last one."""
        self._server = replace(self._server, place=self._detour.around())

    def _go_around(self, spoiler: str) -> None:
        """Go on where nothing is left of what *spoiler* broke, or not at all."""
        self._spoilt_by = None
        try:
            place = self._detour.around()
        except Refused:
            self._broken = spoiler
        else:
            self._server = replace(self._server, place=place)

    def _tell(self, plan: Plan, doing: Doing) -> None:
        self._options.tell(Told(plan.source.revision, doing))

    def _bench(self, place: Target) -> Bench:
        return Bench(
            place,
            self._server.control,
            self._options.settings,
            limit_s=self._options.limit_s,
            owns_server=self._server.is_own,
        )

    def _ground(self, plan: Plan, options: Options) -> Ground:
        relations = {
            name for item in (*plan.up, *(plan.down or ())) for name in item.relations
        }
        said: list[Statement] = []
        if "up" in plan.online:
            touched, said = self._touched_online(plan)
            relations |= touched
        return prepare(self._server.place, plan, options, relations, said)

    def _touched_online(self, plan: Plan) -> tuple[set[Relation], list[Statement]]:
        """Return what the Python of a revision touches, and says, once on a copy."""
        self._tell(plan, "find tables")
        with (
            roles_undone(self._server) as said,
            clone(self._server.place) as copy,
            self._bench(copy) as bench,
        ):
            way = bench.measure_online(
                lambda: said.append(self._run_online(copy, plan, "up")),
                "",
                in_passing=True,
            )
        touched = (one for fact in way.statements for one in evidence.touched(fact))
        parts = (relation.split(".", 1) for relation in touched)
        seen = {(unquoted(schema), unquoted(name)) for schema, name in parts}
        self._heard += said
        statements = [item for one in said for item in spoken(one)]
        return seen.union(*(item.relations for item in statements)), statements

    def _recorded(self, plan: Plan, ground: Ground) -> tuple[Plan, Ground]:
        """Return *plan* with what its Python says, as far as it can be written down."""
        if not plan.online:
            return plan, ground
        self._tell(plan, "find statements")
        plan, note = recorded(self._server, plan, self._options)
        return plan, ground if note is None else ground.with_note(note)

    def _repeat(self, plan: Plan, ground: Ground) -> Snapshot | None:
        """Return the catalog after runs that were stopped, in a copy; None: failed."""
        if plan.source.offline_error is not None or not stops(plan.up):
            return None
        self._tell(plan, "stop and repeat")
        with clone(self._server.place) as copy:
            return snapshot_of_repeat(
                copy, self._options.settings, plan.up, ground.tables
            )

    def _measure(
        self, bench: Bench, plan: Plan, ground: Ground, repeated: Snapshot | None
    ) -> RevisionFacts:
        before, held = bench.catalog(), bench.contents(ground.names)
        roles = role_facts(bench.observer, plan)
        began = moment(bench.observer)
        plans = query_plans(bench.observer, self._options.queries)
        up = self._way(bench, self._server.place, plan, "up")
        after = bench.catalog()
        self._options.look(plan.source.revision, before, after)
        if up.error is None:
            demand_columns(plan.source, before, after)
        facts = replace(
            bare(plan, up.error),
            up=up.statements,
            filled=ground.filled,
            changes=self._changes(plan, before, after),
            tables=touched_tables(before, after),
            notes=(*ground.notes, *up.notes),
        )
        if up.error is not None:
            return facts
        facts = replace(
            facts,
            plans=compared(plans, query_plans(bench.observer, self._options.queries)),
            is_repeatable=repeatable(plan, after, repeated),
        )
        if plan.down is None:
            return replace(facts, is_reversible=False)
        down = self._way(bench, self._server.place, plan, "down")
        if "down" in plan.online and down.error is not None and refuses(down.error):
            told = f"it has no way down: {down.error}"
            return replace(facts, is_reversible=False, notes=(*facts.notes, told))
        notes = dict.fromkeys((*facts.notes, *down.notes))
        facts = replace(facts, down=down.statements, notes=tuple(notes))
        if down.error is not None:
            return self._without_way_back(bench, facts, down, after)
        left = tuple(
            one
            for one in self._changes(plan, before, bench.catalog())
            if not is_validation(one.kind, one.property, one.before, one.after)
        )
        left += roles_left(self._server, bench.observer, plan, roles)
        gone, spared = self._lost(bench, plan, held, began)
        self._tell(plan, "up again")
        error = self._again(plan)
        if error is None:
            left = each_once(*left, *self._changes(plan, after, bench.catalog()))
        said = (*facts.notes, *spared, *([error] if left and error else []))
        return replace(
            facts,
            left_behind=left,
            lost=gone,
            is_reversible=whole(plan, not left and error is None),
            # what was left behind is the reason: the way up itself does run
            error=None if left else error,
            notes=tuple(dict.fromkeys(said)),
        )

    @staticmethod
    def _lost(
        bench: Bench, plan: Plan, held: Contents, began: int
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what is lost of *held* since *began*, and notes on what is not."""
        gone = lost(held, bench.contents(held), lossy=plan.source.lossy)
        if plan.online:  # nobody knows what its Python named
            return gone, ()
        statements = (*plan.up, *(plan.down or ()))
        return told_apart(bench.observer, gone, held, began, statements)

    def _changes(
        self, plan: Plan, before: Snapshot, after: Snapshot
    ) -> tuple[Change, ...]:
        """Return what differs; where Python ran, Alembic may have made its table."""
        changes = evidence.catalog_changes(before, after)
        if not (plan.source.offline_error or plan.source.down_error):
            return changes
        table = self._options.version_table
        return tuple(one for one in changes if not is_of_alembic(one.identity, table))

    def _way(self, bench: Bench, place: Target, plan: Plan, doing: Doing) -> Way:
        """Measure one way of *plan* in *place*, by its SQL or else by its Python."""
        statements = (plan.down or ()) if doing == "down" else plan.up
        name, total, told = plan.source.revision, len(statements), self._options.tell
        if doing in plan.online:
            told(Told(name, doing))
            source = plan.source
            why = source.down_error if doing == "down" else source.offline_error
            way = bench.measure_online(
                lambda: self._run_online(place, plan, doing),
                f"-- Python, run as it is: {why}",
            )
            version_table = self._options.version_table
            own = tuple(of_project(item, version_table) for item in way.statements)
            return replace(way, statements=own)
        return bench.measure(
            statements,
            progress=lambda item: told(Told(name, doing, item.number, total)),
        )

    def _run_online(self, place: Target, plan: Plan, doing: Doing) -> Recording | None:
        if self._options.online is None:
            return None
        return self._options.online(plan.source.revision, place.url, doing == "down")

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
        place = self._server.place
        try:
            if plan.source.offline_error is not None:
                self._run_online(place, plan, "up again")
                return None
            with Worker(place, self._options.settings) as worker:
                run_plainly(worker.connection, plan.up)
        except (psycopg.Error, PlatformError) as error:
            return f"after its way down it does not run again: {words_of(error)}"
        return None
