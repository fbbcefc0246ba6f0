"""What a rule may ask: a revision and its statements, measured and as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

from pglast import ast, enums

from ai_platform.catalog import Key
from ai_platform.catalog.difference import WHOLE
from ai_platform.review.facts import CONFLICTS, STRONG
from ai_platform.review.statements import split

from ._made import made_by
from ._tree import bare, dotted, parsed, same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_platform.catalog import CatalogObject, Snapshot
    from ai_platform.review.facts import (
        Mode,
        RevisionFacts,
        Severity,
        StatementFacts,
    )
    from ai_platform.review.sources import RevisionSource

__all__ = ["SMALL_ROWS", "Evidence", "RevisionContext", "StatementContext"]

SMALL_ROWS: Final = 10_000
"""A table of fewer rows in production is read or copied before anybody notices."""
QUICK_S: Final = 1.0
SLOW_S: Final = 5.0
_TABLES: Final = {"table", "partitioned table", "materialized view", "foreign table"}
_OPAQUE: Final = {"PYTHON", "DO", "CALL", "SELECT"}
_NOTHING_YET: Final[frozenset[str]] = frozenset()
_RANK: Final = {mode: rank for rank, mode in enumerate(CONFLICTS)}
_WORDS: Final[dict[Mode, str]] = {
    "AS": "ACCESS SHARE",
    "RS": "ROW SHARE",
    "RX": "ROW EXCLUSIVE",
    "SUX": "SHARE UPDATE EXCLUSIVE",
    "S": "SHARE",
    "SRX": "SHARE ROW EXCLUSIVE",
    "X": "EXCLUSIVE",
    "AX": "ACCESS EXCLUSIVE",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a revision beside its facts; all of it may be missing.

    *before* and *after* are the catalogs around it, *python* the text of its file,
    *production* the rows of each table in production, *lock_timeout_ms* what the
    session that will run it sets where nothing was measured.
    """

    source: RevisionSource | None = None
    before: Snapshot | None = None
    after: Snapshot | None = None
    python: str | None = None
    production: Mapping[str, int] = field(default_factory=dict)
    lock_timeout_ms: int | None = None


class StatementContext:
    """One statement: its facts, its syntax tree, and what was there before it.

    *made* are the tables and views that production does not have when it begins.
    """

    def __init__(
        self,
        facts: StatementFacts,
        revision: RevisionContext,
        *,
        transaction: int | None,
        made: frozenset[str],
    ) -> None:
        self.facts = facts
        self.revision = revision
        self.transaction = transaction
        self.made = made
        self.tree: Any = parsed(facts.sql)

    @property
    def number(self) -> int:
        """Return its number in the revision, from 1."""
        return self.facts.number

    @property
    def is_measured(self) -> bool:
        """Return whether it ran on the scratch server."""
        return self.facts.is_measured

    @property
    def shows_cost(self) -> bool:
        """Return whether a scan would have been seen: it ran, and there were rows."""
        return self.is_measured and self.unseen is None

    @property
    def unseen(self) -> str | None:
        """Return why a scan could not be seen although it ran; None: it could."""
        if not self.is_measured:
            return None
        if not self.revision.has_rows:
            return "tables have no rows, as asked for by --rows 0"
        refusal = self.revision.facts.refusal
        if refusal is not None and refusal.is_empty:
            return "its tables had no rows, on which it fails"
        locked = tuple(f"{lock.relation} " for lock in self.facts.locks)
        notes = (note for note in self.revision.facts.notes if " has no rows" in note)
        return next((note for note in notes if note.startswith(locked)), None)

    def gone(self, *kinds: str) -> Iterator[tuple[str, str]]:
        """Yield kind and name of what was there before and is gone, unseen in the text.

        Of SQL that is made as it runs, by a DO block, a function or Python.
        """
        tag = self.facts.tag
        if tag not in _OPAQUE:
            return
        whole = self.revision.facts.changes if tag == "PYTHON" else ()
        for change in (*self.facts.changes, *whole):
            if change.kind in kinds and change.property == WHOLE:
                name = change.identity
                table = name.rpartition(".")[0] if change.kind == "column" else name
                if change.after is None and self.exists(table):
                    yield change.kind, name

    @property
    def earlier(self) -> tuple[StatementContext, ...]:
        """Return the statements of the revision before this one."""
        return tuple(
            item for item in self.revision.statements if item.number < self.number
        )

    @property
    def later(self) -> tuple[StatementContext, ...]:
        """Return the statements of the revision after this one."""
        return tuple(
            item for item in self.revision.statements if item.number > self.number
        )

    def shares_transaction(self, other: StatementContext) -> bool:
        """Return whether both commit together."""
        return self.transaction is not None and self.transaction == other.transaction

    def name(self, node: Any) -> str:
        """Return the relation that *node* names, with its schema where it is known."""
        written = dotted(node)
        if "." in written:
            return written
        for known in self.revision.known_names:
            if same(known, written):
                return known
        return written

    def exists(self, relation: str) -> bool:
        """Return whether *relation* was there in production before the revision."""
        alike = _by_last_part(self.made).get(bare(relation), ())
        return not any(same(relation, item) for item in alike)

    def commands(
        self, *kinds: enums.AlterTableType
    ) -> Iterator[tuple[str, ast.AlterTableCmd]]:
        """Yield the parts of an ALTER TABLE of one of *kinds*, each with its table.

        Nothing for a table that production does not have.
        """
        if not isinstance(self.tree, ast.AlterTableStmt):
            return
        table = self.name(self.tree.relation)
        if self.exists(table):
            for command in self.tree.cmds:
                if not kinds or command.subtype in kinds:
                    yield table, command

    def columns_added(self) -> Iterator[tuple[str, ast.ColumnDef]]:
        """Yield the columns added to an existing table, each with its table."""
        for table, command in self.commands(enums.AlterTableType.AT_AddColumn):
            yield table, command.def_

    def constraints_added(
        self, *kinds: enums.ConstrType
    ) -> Iterator[tuple[str, ast.Constraint]]:
        """Yield the constraints of *kinds* added to an existing table."""
        for table, command in self.commands(enums.AlterTableType.AT_AddConstraint):
            if command.def_.contype in kinds:
                yield table, command.def_

    def locked(self, *, passing: bool = False) -> dict[str, Mode]:
        """Return the existing tables that it locked against writers, and how.

        What an earlier statement of the transaction had locked does not count, and
        what was locked *passing*ly only if asked for.
        """
        found: dict[str, Mode] = {}
        for lock in self.facts.locks:
            if (
                lock.is_new
                and lock.mode in STRONG
                and lock.kind in _TABLES
                and (passing or not lock.is_transient)
                and self.exists(lock.relation)
            ):
                held = found.get(lock.relation, lock.mode)
                found[lock.relation] = max(held, lock.mode, key=_RANK.__getitem__)
        return found

    def rows_scanned(self, relation: str | None = None) -> int:
        """Return the rows read of *relation*, or of every existing table."""
        return sum(
            scan.rows
            for scan in self.facts.scanned
            if self.exists(scan.relation)
            and (relation is None or same(scan.relation, relation))
        )

    def is_rewritten(self, relation: str | None = None) -> bool:
        """Return whether *relation*, or any existing table, got a new file."""
        return any(
            self.exists(item.relation)
            and (relation is None or same(item.relation, relation))
            for item in self.facts.rewritten
        )

    def bytes_rewritten(self, relation: str) -> int:
        """Return the size of the new file of *relation*: 0 after TRUNCATE."""
        return sum(
            item.size for item in self.facts.rewritten if same(item.relation, relation)
        )

    def cost(self) -> str:
        """Return in words what it did to existing tables, for a message."""
        done = [
            f"{item.relation} is rewritten"
            for item in self.facts.rewritten
            if self.exists(item.relation)
        ]
        done += [
            f"{item.rows:,} rows of {item.relation} are read"
            for item in self.facts.scanned
            if self.exists(item.relation) and not self.is_rewritten(item.relation)
        ]
        worked = {one.relation for one in self.facts.rewritten}
        worked |= {one.relation for one in self.facts.scanned}
        modes = set(self.locked(passing=True).values()) | {
            lock.mode
            for lock in self.facts.locks
            # an earlier statement's, which this one works under
            if not lock.is_new and lock.mode in STRONG and lock.relation in worked
        }
        held = sorted(modes, key=_RANK.__getitem__)
        under = f" under {_WORDS[held[-1]]}" if held else ""
        return (" and ".join(done) or "it waits for its lock") + under

    def weigh(self, relation: str, severity: Severity) -> Severity | None:
        """Return how bad it is for *relation* to be locked for as long as this takes.

        None where production's figures say that nobody would notice.
        """
        estimate = self.facts.timing.estimated_s
        if estimate is not None:
            if estimate < QUICK_S:
                return None
            return severity if estimate >= SLOW_S else "warning"
        for table, rows in self.revision.evidence.production.items():
            if same(table, relation) and rows < SMALL_ROWS:
                return None
        return severity


class RevisionContext:
    """A revision under judgement; *made* is what earlier ones of the review made."""

    def __init__(
        self,
        facts: RevisionFacts,
        evidence: Evidence | None = None,
        *,
        rows: int,
        made: frozenset[str] = frozenset(),
    ) -> None:
        self.facts = facts
        self.evidence = evidence or Evidence()
        self.has_rows = rows > 0
        self.made_before = made
        self.statements = tuple(self._statements())

    @property
    def revision(self) -> str:
        """Return the id of the revision."""
        return self.facts.revision

    @property
    def phase(self) -> str | None:
        """Return expand, migrate or contract where the revision says so."""
        return self.evidence.source.phase if self.evidence.source else None

    @property
    def is_measured(self) -> bool:
        """Return whether any of its statements ran."""
        return any(item.is_measured for item in self.statements)

    @property
    def made(self) -> frozenset[str]:
        """Return what production does not have at its end but for the review."""
        return self.made_before | self._recorded | self._written

    @cached_property
    def known_names(self) -> tuple[str, ...]:
        """Return the relations known with their schema, in a fixed order."""
        locks = (lock.relation for item in self.facts.up for lock in item.locks)
        catalogs = (
            item.key.identity
            for item in (*(self.evidence.before or ()), *(self.evidence.after or ()))
            if item.key.kind in {*_TABLES, "view"}
        )
        return tuple(dict.fromkeys((*locks, *catalogs, *sorted(self.made_before))))

    def objects(self, kind: str, *, new: bool = False) -> Iterator[CatalogObject]:
        """Yield the objects of *kind* after the revision; *new*: that it made."""
        before = self.evidence.before
        for item in self.evidence.after or ():
            if item.key.kind == kind and not (
                new and before is not None and item.key in before
            ):
                yield item

    def before(self, kind: str, identity: str) -> Mapping[str, Any] | None:
        """Return the properties of an object before the revision, if it was there."""
        before = self.evidence.before
        if before is None:
            return None
        # rules ask for every column of a database
        known = before.objects.get(Key(kind, identity))
        if known is not None:
            return known.properties
        for item in before:
            if item.key.kind == kind and same(item.key.identity, identity):
                return item.properties
        return None

    @cached_property
    def _recorded(self) -> frozenset[str]:
        """Return the tables and views that the catalog says were made."""
        return frozenset(
            change.identity
            for change in self.facts.changes
            if change.kind in {*_TABLES, "view", "index"}
            and change.property == WHOLE
            and change.before is None
        )

    def _statements(self) -> Iterator[StatementContext]:
        self._written = _NOTHING_YET
        transactions = self._transactions()
        for facts in self.facts.up:
            item = StatementContext(
                facts,
                self,
                transaction=transactions[facts.number],
                made=self.made,
            )
            yield item
            self._written |= frozenset(made_by(item))

    def _transactions(self) -> dict[int, int | None]:
        """Return which transaction each statement belongs to."""
        source = self.evidence.source
        if source is not None:
            found = split(source.up_sql, in_transaction=source.up_in_transaction)
            ran = [(item.sql, item.in_transaction) for item in self.facts.up]
            # an engine in AUTOCOMMIT knows no transaction, whatever is written
            if ran == [(item.sql, item.transaction is not None) for item in found]:
                return {item.number: item.transaction for item in found}
        numbers: dict[int, int | None] = {}
        current, was_inside = 1, True
        for facts in self.facts.up:
            if facts.in_transaction and not was_inside:
                current += 1
            was_inside = facts.in_transaction
            numbers[facts.number] = current if was_inside else None
        return numbers


@lru_cache
def _by_last_part(names: frozenset[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(bare(name), []).append(name)
    return found
