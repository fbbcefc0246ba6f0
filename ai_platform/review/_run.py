"""Run one way of a revision, statement by statement, as the runner would."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

import psycopg

from ai_platform.catalog import snapshot
from ai_platform.connection import first_line
from ai_platform.errors import Refused

from . import _evidence as evidence
from . import _readings as readings
from ._commits import BUSY, DELAY_S, MISSES
from ._monitor import Monitor, Seen, Whom, held_locks
from ._readings import Counts, Reading, flush_counts
from ._relations import Known, known_relations
from ._sequences import next_numbers, set_back
from ._sessions import UNHURRIED, Worker
from ._stopwatch import Stopwatch
from ._words import words_of
from .facts import Blocked, Change, Rewrite, StatementFacts, Timing
from .statements import elsewhere, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ai_platform.catalog import Snapshot

    from ._sessions import Sessions
    from .statements import Statement

__all__ = ["Run", "Way", "unmeasured"]

_NEEDS_NO_TRANSACTION: Final = (
    psycopg.errors.ActiveSqlTransaction,
    psycopg.errors.InvalidTransactionTermination,
)
# Resources, an operator, the disk, a bug of the server: a fault of the scratch server
# says nothing about the revision.
_NOT_THE_REVISION: Final = ("53", "57P", "58", "XX")
_NOTHING: Final = Seen()


@dataclass(frozen=True, slots=True)
class Way:
    """A revision's way up or down: its statements, and why it ended too early."""

    statements: tuple[StatementFacts, ...]
    error: str | None = None
    notes: tuple[str, ...] = ()


class _Failed(Exception):
    """A statement of the revision failed; the text is for the report."""


class Run:
    """One way of one revision, in one session.

    With *looks* the catalog is compared around each statement.
    """

    def __init__(
        self,
        sessions: Sessions,
        settings: Mapping[str, str],
        *,
        limit_s: float,
        progress: Callable[[Statement], None],
        looks: bool,
    ) -> None:
        self._sessions = sessions
        self._read_already: Snapshot | None = None
        self._limit_s = limit_s
        self._progress = progress
        self._looks = looks
        self.worker = Worker(sessions.place, settings)
        self._whom = Whom(sessions.place.database, (self.worker.pid,))
        self._monitor = Monitor(
            sessions.monitor,
            self._whom,
            limit_s=limit_s,
            old=sessions.old,
            commits=sessions.commits,
        )
        self._known = Known({})
        self._blocked: dict[str, Blocked] = {}
        self._notes: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.connection.close()

    def execute(
        self, statements: Sequence[Statement], catalog: Snapshot | None = None
    ) -> Way:
        """Run *statements*; the first that fails ends it.

        *catalog* is what holds before the first, where somebody has just read it.
        """
        self._read_already = catalog
        done: list[StatementFacts] = []
        error: str | None = None
        for together, group in steps(statements):
            if together:
                facts, error = self._transaction(group)
            else:
                facts, error = self._alone(group[0])
            done += facts
            if error is not None:
                break
        told = f"not run, because the revision ended before: {error}"
        rest = [unmeasured(item, told) for item in statements[len(done) :]]
        return Way((*_with_start_times(done), *rest), error, tuple(sorted(self._notes)))

    def _transaction(
        self, group: Sequence[Statement]
    ) -> tuple[list[StatementFacts], str | None]:
        """Run *group* in one transaction; return its facts and what ended it."""
        self._begin()
        facts: list[StatementFacts] = []
        try:
            for statement in group:
                facts.append(self._inside(statement))  # noqa: PERF401 - kept at a fault
            commit_s = self._timed("COMMIT")
        except _Failed as failure:
            told = str(failure)
            self._roll_back()
            if len(facts) == len(group):  # what was deferred to the end
                return facts, f"COMMIT: {told}"
            return [*facts, unmeasured(group[len(facts)], told)], told
        return _with_held_times(facts, commit_s), None

    def _alone(self, statement: Statement) -> tuple[list[StatementFacts], str | None]:
        """Run what commits by itself: in a transaction where PostgreSQL lets it.

        There its locks can be read and probed at leisure; otherwise it is traced.
        """
        self._begin()
        try:
            fact = self._inside(statement)
            commit_s = self._timed("COMMIT")
        except _NEEDS_NO_TRANSACTION:
            self._roll_back()
            self._read_already = self._before.catalog
        except _Failed as failure:
            self._roll_back()
            return [unmeasured(statement, str(failure))], str(failure)
        else:
            return _with_held_times([fact], commit_s), None
        try:
            return [self._traced(statement)], None
        except _Failed as failure:
            return [unmeasured(statement, str(failure))], str(failure)

    def _begin(self) -> None:
        self._look_around()
        self.worker.connection.execute("BEGIN")

    def _look_around(self) -> None:
        """Read what holds before the next statement, outside any transaction."""
        self._known = known_relations(self._sessions.observer)
        self._blocked = {}
        before = self._read(looks=self._looks and self._read_already is None)
        if self._looks and self._read_already is not None:
            before = replace(before, catalog=self._read_already)
        self._read_already = None
        flush_counts(self.worker.connection)
        self._before = replace(before, counts=self._counts())

    def _roll_back(self) -> None:
        if not self.worker.connection.closed:
            self.worker.connection.execute("ROLLBACK")

    def _inside(self, statement: Statement) -> StatementFacts:
        """Run *statement* inside the open transaction and return what it did."""
        self._progress(statement)
        if statement.is_beyond:
            self._notes.add(_not_run(statement))
            return unmeasured(statement, None)
        before = self._before
        if statement.is_setting:
            self._timed(f"{statement.text};{UNHURRIED}", statement)
            self._before = replace(
                before, limits=readings.limits(self.worker.connection)
            )
            return self._facts(statement, before, before, _NOTHING, Timing())
        numbers = next_numbers(self.worker.connection, statement, self._known)
        seen, timing = self._watched(statement)
        after = self._read(looks=self._looks and statement.may_change_catalog)
        if after.catalog is None:
            after = replace(after, catalog=before.catalog)
        self._probe(after.held - before.held)
        fact = self._facts(statement, before, after, seen, timing)
        back = tuple(set_back(self.worker.connection, numbers))
        fact = replace(fact, changes=(*fact.changes, *back))
        self._before = replace(after, counts=self._counts())
        return fact

    def _traced(self, statement: Statement) -> StatementFacts:
        """Run *statement* outside any transaction; all its locks are seen in passing.

        The server holds each of its commits until the monitor has seen what is locked
        until then, or for some milliseconds where it is not ours. Somebody else's
        transaction is open until it is waited for; how long a revision would wait for
        that, is no question of how soon we look.
        """
        self._look_around()
        before = self._before
        with (
            self.worker.setting(lock_timeout="0"),
            self._sessions.held_commits(self.worker) as is_held,
        ):
            self._sessions.old.begin(self._known.readable(self._known))
            try:
                seen, timing = self._watched(statement)
            finally:
                self._sessions.old.end()
        if not is_held:
            self._notes.add(MISSES)
        elif self._sessions.commits is None and seen.longest_gap_s > DELAY_S:
            self._notes.add(BUSY)
        flush_counts(self.worker.connection)
        after = self._read(looks=self._looks)
        return self._facts(
            statement, before, after, seen, replace(timing, held_s=timing.duration_s)
        )

    def _watched(self, statement: Statement) -> tuple[Seen, Timing]:
        """Run *statement* under the eyes of the monitor."""
        observer = self._sessions.observer
        start = readings.wal_position(observer)
        self.worker.messages.clear()
        with self._monitor as seen:
            duration_s = self._timed(statement.text, statement)
        return seen, Timing(
            duration_s=duration_s,
            wal_bytes=readings.wal_position(observer) - start,
            temp_bytes=self.worker.messages.temp_bytes,
        )

    def _timed(self, sql: str, statement: Statement | None = None) -> float:
        """Run *sql* and return its seconds; raise _Failed where that is its fault."""
        # only of our own server the processes are here
        is_own = self._sessions.commits is not None
        watch = Stopwatch(self.worker.pid if is_own else None)
        try:
            self.worker.connection.execute(sql.encode(), prepare=False)
        except _NEEDS_NO_TRANSACTION as error:
            if statement is not None and statement.transaction is None:
                raise
            raise _Failed(first_line(error)) from None
        except psycopg.Error as error:
            raise self._failure(error) from error
        return watch.seconds

    def _failure(self, error: psycopg.Error) -> Exception:
        """Return what *error* means: the revision's fault, or the server's."""
        if self._monitor.seen.cancelled:
            return _Failed(f"cancelled: it ran longer than {self._limit_s:g} seconds")
        state = error.sqlstate or ""
        if not state and self.worker.connection.closed:
            state = "57P"
        if state.startswith(_NOT_THE_REVISION):
            return Refused(
                f"the scratch server failed: {first_line(error)}",
                hint="free some space on its disk, or review on another server"
                if state == "53100"
                else "see the server's log, then review again",
            )
        told = words_of(error)
        return _Failed("; ".join(filter(None, (told, elsewhere(told)))))

    def _read(self, *, looks: bool) -> Reading:
        worker, sessions = self.worker.connection, self._sessions
        held = held_locks(sessions.monitor, self._whom)
        return Reading(
            held=frozenset(held),
            limits=readings.limits(worker),
            counts=self._counts(),
            files=readings.files(worker),
            catalog=self._catalog() if looks else None,
        )

    def _counts(self) -> dict[int, Counts]:
        """Return the rows counted so far; reading the catalog counts some as well."""
        return readings.counts(self.worker.connection, self._sessions.observer)

    def _catalog(self) -> Snapshot:
        """Return the catalog as the worker's transaction sees it, read by its login."""
        worker = self.worker.connection
        # taken back with its locks, and with the change of role
        with worker.transaction(force_rollback=True):
            worker.execute("SET LOCAL ROLE NONE")
            return snapshot(worker, by_clock=False)

    def _probe(self, new: frozenset[tuple[int, str]]) -> None:
        for relation in self._known.readable(oid for oid, _ in new):
            found = self._sessions.probes.blocked(relation)
            self._blocked[relation.name] = found

    def _facts(
        self,
        statement: Statement,
        before: Reading,
        after: Reading,
        seen: Seen,
        timing: Timing,
    ) -> StatementFacts:
        known = self._known
        # what the revision makes itself is new to production, and not known
        files = [oid for oid in evidence.rewritten(before, after) if oid in known]
        sizes = readings.file_sizes(self.worker.connection, files) if files else {}
        return StatementFacts(
            number=statement.number,
            sql=statement.sql,
            tag=statement.tag,
            in_transaction=statement.transaction is not None,
            line=statement.line,
            locks=tuple(sorted(evidence.locks(known, before, after, seen))),
            blocked=tuple(sorted(self._blocked.values())),
            rewritten=tuple(
                sorted(Rewrite(known[oid].name, sizes[oid]) for oid in files)
            ),
            scanned=evidence.rows_read(known, before, after),
            inserted=evidence.rows(known, before, after, verb="inserted"),
            updated=evidence.rows(known, before, after, verb="updated"),
            deleted=evidence.rows(known, before, after, verb="deleted"),
            changes=_changes(before, after),
            notices=self.worker.messages.notices,
            outwaits=seen.outwaits,
            lock_timeout_ms=before.limits.lock_timeout_ms,
            statement_timeout_ms=before.limits.statement_timeout_ms,
            timing=timing,
        )


def _changes(before: Reading, after: Reading) -> tuple[Change, ...]:
    if not before.catalog or not after.catalog or before.catalog is after.catalog:
        return ()
    changes = evidence.catalog_changes(before.catalog, after.catalog)
    # those of COMMENT statements in between, after which nobody looked
    return tuple(change for change in changes if change.property != "comment")


def _not_run(statement: Statement) -> str:
    """Return the note that *statement* was left out."""
    return (
        f"statement {statement.number} was not run: {statement.tag} reaches beyond the "
        "database of the review"
    )


def unmeasured(statement: Statement, error: str | None) -> StatementFacts:
    """Return the facts of a *statement* that was not run, or failed."""
    return StatementFacts(
        number=statement.number,
        sql=statement.sql,
        tag=statement.tag,
        in_transaction=statement.transaction is not None,
        line=statement.line,
        is_measured=False,
        error=error,
    )


def _with_start_times(facts: Sequence[StatementFacts]) -> list[StatementFacts]:
    """Say when each statement began, as if nobody had measured in between."""
    start_s = 0.0
    timed: list[StatementFacts] = []
    for fact in facts:
        timed.append(replace(fact, timing=replace(fact.timing, start_s=start_s)))
        start_s += fact.timing.duration_s
    return timed


def _with_held_times(
    facts: Sequence[StatementFacts], commit_s: float
) -> list[StatementFacts]:
    """Say how long each statement's locks were held: from its start to the commit.

    What measuring itself took between two statements does not count.
    """
    held_s = commit_s
    timed: list[StatementFacts] = []
    for fact in reversed(facts):
        held_s += fact.timing.duration_s
        own = held_s if any(lock.is_new for lock in fact.locks) else 0.0
        timed.append(replace(fact, timing=replace(fact.timing, held_s=own)))
    return timed[::-1]
