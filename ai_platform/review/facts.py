"""What a review measures: plain values between measuring, rules and reports.

Everything here is JSON at heart (strings, numbers, tuples of them), in an order that
does not depend on time, so that two reviews of one change are equal but for `Timing`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

__all__ = [
    "CONFLICTS",
    "MODES",
    "NEXT_NUMBER",
    "STRONG",
    "Blocked",
    "Change",
    "Column",
    "Finding",
    "Lock",
    "Mode",
    "PlanChange",
    "Refusal",
    "Review",
    "RevisionFacts",
    "Rewrite",
    "Scan",
    "Severity",
    "StatementFacts",
    "Table",
    "Timing",
    "strength",
]

Mode = Literal["AS", "RS", "RX", "SUX", "S", "SRX", "X", "AX"]
MODES: Final[dict[str, Mode]] = {
    "AccessShareLock": "AS",
    "RowShareLock": "RS",
    "RowExclusiveLock": "RX",
    "ShareUpdateExclusiveLock": "SUX",
    "ShareLock": "S",
    "ShareRowExclusiveLock": "SRX",
    "ExclusiveLock": "X",
    "AccessExclusiveLock": "AX",
}
"""Modes as `pg_locks` names them, from the weakest to the strongest."""

CONFLICTS: Final[dict[Mode, frozenset[Mode]]] = {
    "AS": frozenset({"AX"}),
    "RS": frozenset({"X", "AX"}),
    "RX": frozenset({"S", "SRX", "X", "AX"}),
    "SUX": frozenset({"SUX", "S", "SRX", "X", "AX"}),
    "S": frozenset({"RX", "SUX", "SRX", "X", "AX"}),
    "SRX": frozenset({"RX", "SUX", "S", "SRX", "X", "AX"}),
    "X": frozenset({"RS", "RX", "SUX", "S", "SRX", "X", "AX"}),
    "AX": frozenset({"AS", "RS", "RX", "SUX", "S", "SRX", "X", "AX"}),
}
"""Which modes wait for which: PostgreSQL's documentation, table 13.2."""

STRONG: Final[frozenset[Mode]] = frozenset({"S", "SRX", "X", "AX"})
"""Modes that make ordinary writes wait; X and AX reads as well (X: FOR UPDATE)."""

NEXT_NUMBER: Final = "next number"
"""The property of a `Change` of a sequence that gives numbers again that rows have."""

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, order=True)
class Lock:
    """A lock on a relation that existed before the statement's transaction.

    *relation* is schema.name, *kind* what it is (table, index, view, sequence, …).
    *is_new*: this statement took it; otherwise an earlier one of the transaction.
    *is_transient*: seen by the monitor while the statement ran, gone at its end.
    *waited*: it was not granted at once.
    """

    relation: str
    kind: str
    mode: Mode
    is_new: bool = True
    is_transient: bool = False
    waited: bool = False


def strength(lock: Lock) -> int:
    """Return the place of its mode among all, 0 for the weakest."""
    return list(CONFLICTS).index(lock.mode)


@dataclass(frozen=True, slots=True, order=True)
class Blocked:
    """Who waits for *relation* while the transaction is open, as probes found it."""

    relation: str
    reads: bool
    writes: bool
    ddl: bool

    @property
    def letters(self) -> str:
        """Return R, W and D for what waits."""
        pairs = (("R", self.reads), ("W", self.writes), ("D", self.ddl))
        return "".join(letter for letter, waits in pairs if waits)


@dataclass(frozen=True, slots=True, order=True)
class Rewrite:
    """A table or materialized view that got a new file of *size* bytes."""

    relation: str
    size: int


@dataclass(frozen=True, slots=True, order=True)
class Scan:
    """A table read sequentially: *rows* of it."""

    relation: str
    rows: int


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One difference between the catalog before and after, in the judge's words.

    *before* and *after* are None where the object is made or goes.
    """

    kind: str
    identity: str
    property: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column as a diagram shows it.

    *definition* is all that follows its name in CREATE TABLE; *keys* says what it is
    part of, such as PK, UQ and FK auth.users, in that order.
    """

    name: str
    definition: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A touched table's columns, in their order, before a revision and after it.

    None where the table is made, or goes. `review.tables` reads them from snapshots.
    """

    relation: str
    before: tuple[Column, ...] | None
    after: tuple[Column, ...] | None


@dataclass(frozen=True, slots=True, order=True)
class PlanChange:
    """How *statement* of the application is planned, a line for each node."""

    statement: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    is_worse: bool


@dataclass(frozen=True, slots=True)
class Timing:
    """What differs from run to run; seconds and bytes."""

    start_s: float = 0.0
    """When it began, counted from the begin of the revision's first statement."""
    duration_s: float = 0.0
    wal_bytes: int = 0
    temp_bytes: int = 0
    held_s: float = 0.0
    """How long its strongest lock was held, from `start_s` on until the commit."""
    estimated_s: float | None = None
    """Its duration on the production sizes given, by measured rates."""


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """What one statement of a revision did; *number* counts from 1.

    *line* is the line that it stands on in the revision's SQL.
    *is_measured* is False when it could not be run; *error* says why.
    """

    number: int
    sql: str
    tag: str
    """What it is in a word or two: ALTER TABLE, CREATE INDEX."""
    in_transaction: bool
    line: int = 0
    locks: tuple[Lock, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    rewritten: tuple[Rewrite, ...] = ()
    scanned: tuple[Scan, ...] = ()
    inserted: tuple[Scan, ...] = ()
    updated: tuple[Scan, ...] = ()
    deleted: tuple[Scan, ...] = ()
    changes: tuple[Change, ...] = ()
    notices: tuple[str, ...] = ()
    outwaits: bool = False
    """It does not end before every transaction has that was older."""
    lock_timeout_ms: int = 0
    statement_timeout_ms: int = 0
    is_measured: bool = True
    error: str | None = None
    timing: Timing = field(default_factory=Timing)

    @property
    def strongest(self) -> Lock | None:
        """Return the strongest lock that it took; None when it took none."""
        new = [lock for lock in self.locks if lock.is_new]
        # a table says more to its reader than the indexes locked along with it
        return max(
            new, key=lambda lock: (strength(lock), lock.kind != "index"), default=None
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a revision failed on the rows first made up, in the server's words.

    *statement* is its number where one failed. *held* is what other rows were then
    made to keep to, so that it ran; *is_empty*: it ran without any rows. *remedy* says
    how to learn whether production's rows are fit for it.
    """

    statement: int | None
    object: str
    error: str
    remedy: str
    held: tuple[str, ...] = ()
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class RevisionFacts:
    """What one revision did up, and what its way down left.

    *left_behind* is what the downgrade did not restore, *lost* the columns whose data
    did not survive up, down and up. *file* is the revision's path in its project.
    """

    revision: str
    down_revision: str | None
    title: str
    file: str
    up: tuple[StatementFacts, ...]
    down: tuple[StatementFacts, ...] = ()
    filled: tuple[Scan, ...] = ()
    """Rows in each touched table while it was measured."""
    changes: tuple[Change, ...] = ()
    tables: tuple[Table, ...] = ()
    left_behind: tuple[Change, ...] = ()
    lost: tuple[str, ...] = ()
    plans: tuple[PlanChange, ...] = ()
    """Statements of the application that are planned otherwise than before."""
    is_reversible: bool | None = None
    """None where it was not tried."""
    is_repeatable: bool | None = None
    """Whether a second run after a stop in the middle ends at the same catalog."""
    error: str | None = None
    refusal: Refusal | None = None
    """What it failed of on some rows made up here, where others let it run."""
    notes: tuple[str, ...] = ()
    """What limits the measurement, such as a table that could get no rows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a statement, or a revision as a whole (*statement* None), broke.

    *is_measured* tells a fact of the scratch server from a reading of the text.
    *accepted* is the reason given in the acceptances file, *unseen* why the scratch
    server could not show it although the statement ran.
    """

    rule: str
    severity: Severity
    revision: str
    statement: int | None
    object: str
    message: str
    remedy: str
    is_measured: bool
    accepted: str | None = None
    unseen: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A whole review: from *base* (None: the empty database) to *head*.

    *rows* is how many were in each touched table; *server_version* as PostgreSQL
    writes it.
    """

    base: str | None
    head: str
    server_version: str
    rows: int
    revisions: tuple[RevisionFacts, ...]
    findings: tuple[Finding, ...] = ()
    is_measured: bool = True
