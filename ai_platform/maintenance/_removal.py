"""Remove expired partitions; an open SELECT delays that, and no writer waits for it."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from psycopg import Error, errors, sql

from ai_platform.connection import first_line
from ai_platform.errors import BadValue
from ai_platform.names import ARCHIVE_DAILY_STATS, METRICS
from ai_platform.settings import settings

from ._archive import Archive, Archived
from ._archived_file import ArchiveFault
from ._attached import Leftover, Partition, leftovers, mark_of, partitions
from ._policies import Parent, Policy, PolicyFault, now_or, resolve, wanted
from ._session import PASSING, in_the_way, limit_waits, patiently, session
from ._steps import Action, OnStep, Outcome, Step, unserved

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from datetime import datetime
    from pathlib import Path

    import psycopg

__all__ = ["WAIT_S", "finish", "prune"]

WAIT_S: Final = 20.0
"""How long one partition is tried before it is left to the next run, in seconds."""

# FINALIZE waits for old snapshots while it holds a lock that ATTACH needs; below
# deadlock_timeout (1 s) a writer that makes a partition meanwhile is never the victim.
_FINALIZE_WAIT_S: Final = 0.5

_DETACH: Final = "ALTER TABLE {} DETACH PARTITION {} CONCURRENTLY"
_FINALIZE: Final = "ALTER TABLE {} DETACH PARTITION {} FINALIZE"
_LOCK: Final = "SELECT pg_{}(hashtextextended('platform partitions prune', %s::bigint))"
_IS_PENDING: Final = """
    SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = %s AND inhparent = %s
"""


def prune(  # noqa: PLR0913 - every one has a default
    conn: psycopg.Connection[Any],
    *,
    now: datetime | None = None,
    table: str | None = None,
    dry_run: bool = False,
    wait_s: float | None = None,
    archive: Path | None = None,
    on_step: OnStep | None = None,
    tell: Callable[[str], None] | None = None,
) -> list[Step]:
    """Drop partitions past their retention; return what was done.

    What an earlier run left half done is finished first. Each partition is marked,
    detached CONCURRENTLY and dropped, in transactions of their own; days of metrics
    are archived before. With the folder *archive* each is written to a file there and
    read back before it is dropped; *tell* hears how far that is. Where another
    transaction stands in the way for *wait_s* seconds (default: WAIT_S), the step is
    *delayed* and the next run goes on. With *dry_run* nothing changes.

    Raises BadValue (*now* in the future, *table*, *archive*), Refused or
    CannotConnect.
    """
    patience = WAIT_S if wait_s is None else wait_s
    done: list[Step] = []
    with session(conn, writes=not dry_run):
        at = now_or(conn, now)
        if not dry_run:
            _refuse_the_future(conn, at)
        store = None if archive is None or dry_run else Archive(archive, tell=tell)

        def steps(parent: Parent) -> Iterator[Step]:
            removal = _Removal(conn, parent, patience, store)
            if dry_run:
                return removal.planned(is_archived=archive is not None)
            return removal.run()

        for policy in wanted(conn, table):
            _collect(_served(conn, policy, at, steps), done, on_step)
    return done


def finish(
    conn: psycopg.Connection[Any],
    *,
    table: str | None = None,
    dry_run: bool = False,
    wait_s: float | None = None,
    on_step: OnStep | None = None,
) -> list[Step]:
    """Finish the detaches that an earlier prune began, and nothing else.

    A half-detached partition takes no rows and blocks every later removal. *wait_s*
    as in `prune`.

    Raises BadValue (*table*), Refused or CannotConnect.
    """
    patience = WAIT_S if wait_s is None else wait_s
    done: list[Step] = []
    with session(conn, writes=not dry_run):
        at = now_or(conn, None)

        def steps(parent: Parent) -> Iterator[Step]:
            return _Removal(conn, parent, patience).finished(dry_run=dry_run)

        for policy in wanted(conn, table):
            _collect(_served(conn, policy, at, steps), done, on_step)
    return done


def _collect(found: Generator[Step], done: list[Step], on_step: OnStep | None) -> None:
    # closed at once when on_step raises: the lock must not outlive the run
    with closing(found) as steps:
        for step in steps:
            done.append(step)
            if on_step is not None:
                on_step(step)


def _served(
    conn: psycopg.Connection[Any],
    policy: Policy,
    at: datetime,
    steps: Callable[[Parent], Iterator[Step]],
) -> Generator[Step]:
    """Yield the steps of one table; its trouble is not that of the others."""
    try:
        yield from steps(resolve(conn, policy, at=at))
    except PolicyFault as fault:
        yield unserved(policy.parent, "failed", str(fault))
    except PASSING as error:
        yield unserved(policy.parent, "delayed", first_line(error))


def _refuse_the_future(conn: psycopg.Connection[Any], at: datetime) -> None:
    if at > now_or(conn, None):
        raise BadValue(
            f"{at.isoformat()} is in the future: what has not expired would be dropped",
            hint="add --dry-run to see what would expire by then",
        )


@dataclass(slots=True)
class _Removal:
    """The removal of what has expired of one table."""

    conn: psycopg.Connection[Any]
    parent: Parent
    wait_s: float
    archive: Archive | None = None
    _blocked: str | None = field(default=None, init=False)

    def planned(self, *, is_archived: bool) -> Iterator[Step]:
        """Yield what `run` would do now."""
        attached = partitions(self.conn, self.parent)
        yield from self._pending(attached)
        for leftover in leftovers(self.conn, self.parent):
            kept = self._keep(leftover)
            if is_archived and not kept:
                yield self._step("archive", leftover, "planned")
            yield kept or self._step("drop", leftover, "planned")
        expired = [one for one in attached if self._is_expired(one)]
        if expired and self._is_metrics:
            yield self._step("archive", None, "planned")
        for one in expired:
            if not one.is_pending or one.is_marked(self.parent):
                if is_archived:
                    yield self._step("archive", one, "planned")
                yield self._step("drop", one, "planned")

    def finished(self, *, dry_run: bool) -> Iterator[Step]:
        """Finish what was half detached; yield each step."""
        if dry_run:
            yield from self._pending(partitions(self.conn, self.parent))
            return
        with self._alone() as alone:
            if alone:
                yield from self._finish_detaches()
            else:
                yield self._busy()

    def _pending(self, attached: list[Partition]) -> Iterator[Step]:
        for one in attached:
            if one.is_pending:
                yield self._step("detach", one, "planned", "it is half detached")

    def _busy(self) -> Step:
        return self._step("check", None, "busy", "another prune works on it")

    def run(self) -> Iterator[Step]:
        """Finish what was begun, then remove what has expired; yield each step."""
        with self._alone() as alone:
            if not alone:
                yield self._busy()
                return
            yield from self._finish_detaches()
            yield from self._drop_leftovers()
            expired = []
            for one in partitions(self.conn, self.parent):
                if self._is_expired(one) and not one.is_pending:
                    expired.append(one)
                elif one.is_marked(self.parent) and not one.is_pending:
                    yield self._unmark(one)
            yield from self._remove(expired)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Hold the lock of this table's removal; False when another session has it.

        It is not the lock of create_partition: writers may wait for that one.
        """
        lock = sql.SQL(_LOCK)
        row = self.conn.execute(
            lock.format(sql.SQL("try_advisory_lock")), [self.parent.oid]
        ).fetchone()
        alone = bool(row and row[0])
        try:
            yield alone
        finally:
            if alone and not self.conn.closed:
                unlock = lock.format(sql.SQL("advisory_unlock"))
                self.conn.execute(unlock, [self.parent.oid])

    def _finish_detaches(self) -> Iterator[Step]:
        for one in partitions(self.conn, self.parent):
            if one.is_pending:
                yield self._tried("detach", one, partial(self._leave, one))

    def _drop_leftovers(self) -> Iterator[Step]:
        for leftover in leftovers(self.conn, self.parent):
            yield from self._gone(leftover)

    def _remove(self, expired: list[Partition]) -> Iterator[Step]:
        if expired and self._is_metrics:
            archived = self._tried("archive", None, self._archive)
            yield archived
            if archived.outcome != "done":
                return
        for one in expired:
            if self._blocked is not None:
                yield self._step("detach", one, "delayed", self._blocked)
            elif one.is_foreign:
                detail = "it is a foreign table: detach it by hand"
                yield self._step("detach", one, "failed", detail)
            else:
                left = self._tried("detach", one, partial(self._detach, one))
                if left.outcome == "done":
                    yield from self._dropped(one)
                else:
                    yield left

    def _detach(self, one: Partition) -> None:
        limit_waits(self.conn, settings().lock_timeout_s)
        self._comment(one, mark_of(self.parent, one))
        self._leave(one)

    def _leave(self, one: Partition) -> None:
        """Detach *one*, or finish the detach that an earlier attempt began."""
        row = self.conn.execute(_IS_PENDING, [one.oid, self.parent.oid]).fetchone()
        if row is None:
            return
        statement = sql.SQL(_FINALIZE if row[0] else _DETACH).format(
            sql.Identifier(self.parent.schema, self.parent.name), one.identifier
        )
        longest_s = _FINALIZE_WAIT_S if row[0] else settings().lock_timeout_s
        limit_waits(self.conn, min(longest_s, self.wait_s))
        self.conn.execute(statement)

    def _dropped(self, one: Partition) -> Iterator[Step]:
        for leftover in leftovers(self.conn, self.parent):
            if leftover.oid == one.oid:
                yield from self._gone(leftover)
                return
        yield self._step("drop", one, "present", "another session dropped it")

    def _keep(self, leftover: Leftover) -> Step | None:
        """Return why *leftover* must stay; None when it may be dropped."""
        doubt = leftover.doubt
        if doubt is None and not self._is_expired(leftover):
            doubt = "retention was raised since: attach it again"
        if doubt is None:
            return None
        detail = f"left alone: {doubt}, or drop it by hand"
        return self._step("drop", leftover, "failed", detail)

    def _gone(self, leftover: Leftover) -> Iterator[Step]:
        """Drop *leftover*, archived before where that is wanted; yield each step."""
        if kept := self._keep(leftover):
            yield kept
            return
        archived: list[Archived] = []
        try:
            work = partial(self._drop, leftover, archived)
            dropped = self._tried("drop", leftover, work)
        except ArchiveFault as fault:
            # the next one would only be detached and not archived either
            self._blocked = f"waits until {leftover.shown} is archived"
            yield self._step("archive", leftover, "failed", str(fault))
            return
        for file in archived[-1:]:
            detail = f"{file.rows:,} rows in {file.path}"
            outcome: Outcome = "done" if file.is_new else "present"
            yield self._step("archive", leftover, outcome, detail)
        yield dropped

    def _drop(self, leftover: Leftover, archived: list[Archived]) -> None:
        limit_waits(self.conn, min(settings().lock_timeout_s, self.wait_s))
        with self.conn.transaction():
            # from here to the end nobody adds a row that the archive has not got
            self.conn.execute(sql.SQL("LOCK TABLE {}").format(leftover.identifier))
            # proven again under the lock: the name may be another table's by now
            if leftover not in leftovers(self.conn, self.parent):
                raise errors.UndefinedTable("another table has taken its name")
            if self.archive is not None:
                archived.append(self.archive.keep(self.conn, self.parent, leftover))
            self.conn.execute(sql.SQL("DROP TABLE {}").format(leftover.identifier))

    def _archive(self) -> None:
        """Copy finished days out of the metrics before their partitions go."""
        limit_waits(self.conn, settings().lock_timeout_s)
        self.conn.execute(f"SELECT {ARCHIVE_DAILY_STATS}()")

    def _unmark(self, one: Partition) -> Step:
        """Take back the mark of a removal that never began and is not due any more.

        Otherwise whoever detaches it by hand to keep it would lose it.
        """
        return self._tried("unmark", one, lambda: self._comment(one, None))

    def _comment(self, one: Partition, text: str | None) -> None:
        comment = sql.SQL("COMMENT ON TABLE {} IS {}")
        self.conn.execute(comment.format(one.identifier, sql.Literal(text)))

    def _tried(
        self, action: Action, one: Partition | Leftover | None, work: Callable[[], None]
    ) -> Step:
        try:
            patiently(work, for_s=self.wait_s)
        except PASSING as error:
            if one is not None and action == "detach":
                self._blocked = f"waits until {one.shown} is detached"
            return self._step(action, one, "delayed", self._why_delayed(error, one))
        except Error as error:
            if self.conn.closed:
                raise
            return self._step(action, one, "failed", first_line(error))
        return self._step(action, one, "done")

    def _why_delayed(
        self, error: BaseException, one: Partition | Leftover | None
    ) -> str:
        oids = [self.parent.oid] if one is None else [self.parent.oid, one.oid]
        who = in_the_way(self.conn, oids)
        return first_line(error) if who is None else f"{first_line(error)}: {who}"

    def _is_expired(self, one: Partition | Leftover) -> bool:
        cutoff = self.parent.cutoff
        return cutoff is not None and one.bounds.upper <= cutoff

    @property
    def _is_metrics(self) -> bool:
        return f"{self.parent.schema}.{self.parent.name}" == METRICS

    def _step(
        self,
        action: Action,
        one: Partition | Leftover | None,
        outcome: Outcome,
        detail: str = "",
    ) -> Step:
        parent = self.parent.policy.parent
        if one is None:
            return Step(action, parent, None, None, None, outcome, detail)
        lower, upper = one.bounds.lower, one.bounds.upper
        return Step(action, parent, one.shown, lower, upper, outcome, detail)
