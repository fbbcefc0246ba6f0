"""Every lock, rewrite, scan and blocked flag of the oracle, measured anew."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from ai_platform.connection import Target
from ai_platform.review import _monitor
from ai_platform.review._commits import BUSY, Commits
from ai_platform.review._relations import known_relations
from ai_platform.review.bench import Bench
from ai_platform.review.facts import CONFLICTS, Blocked, Lock, Mode, Timing, strength
from ai_platform.review.scratch import Scratch, clone, scratch
from ai_platform.review.statements import split
from ai_platform.runner import migration_settings
from ai_platform.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ai_platform.review._relations import Known
    from ai_platform.review.facts import StatementFacts

Case = dict[str, Any]

ORACLE = json.loads(
    (Path(__file__).parent / "review_oracle.json").read_text(encoding="utf-8")
)
# one of each kind of answer; the others are slow
DEFAULT = {
    "add column default uuidv7() (volatile)",
    "add domain-typed column w/ check+default",
    "timestamp->timestamptz (TZ=Oslo)",
    "add fk valid",
    "drop table with fk",
    "create index concurrently",
    "reindex concurrently",
    "refresh mv concurrently",
    "attach, default has 100k rows",
    "detach concurrently",
}
# they wait for readers of the table, or for whoever holds an older snapshot
OUTWAITING = {
    "create index concurrently",
    "hnsw concurrently",
    "drop index concurrently",
    "reindex concurrently",
    "detach concurrently",
}
CASES = [
    pytest.param(
        case,
        id=case["case"].replace(" ", "-"),
        marks=[] if case["case"] in DEFAULT else [pytest.mark.slow],
    )
    for case in ORACLE["cases"]
]


class Ground:
    """A server with the oracle's tables; each case gets a copy of them."""

    def __init__(self, server: Scratch) -> None:
        self._server = server
        with psycopg.connect(server.place.url, autocommit=True) as connection:
            for statement in ORACLE["setup"]:
                connection.execute(statement)
            # what a first scan writes would count as the statement's
            connection.execute("VACUUM (ANALYZE)")
            self.major = connection.info.server_version // 10000

    @property
    def is_own(self) -> bool:
        """Return whether nobody else uses the server."""
        return self._server.is_own

    def measure(self, case: Case) -> tuple[StatementFacts, Known]:
        """Return what the statement of *case* did, and what stood before it."""
        for _ in range(20):
            facts, known, notes = self._measured(case)
            # on a server of others a look may come too late; then it is told
            if BUSY not in notes:
                break
        if self.is_own:  # nothing kept locks of an instant from being seen
            assert notes == ()
        return facts, known

    def traced(self, case: Case) -> tuple[StatementFacts, tuple[str, ...]]:
        """Return what the statement of *case* did, and notes on what was seen."""
        facts, _, notes = self._measured(case)
        return facts, notes

    @contextmanager
    def sessions(self) -> Iterator[list[psycopg.Connection[Any]]]:
        """Give a session in the database, and two in another one."""
        with ExitStack() as stack:
            yield [
                stack.enter_context(psycopg.connect(place.url, autocommit=True))
                for place in (self._server.place, *[self._server.control] * 2)
            ]

    def _measured(self, case: Case) -> tuple[StatementFacts, Known, tuple[str, ...]]:
        if self.major < case.get("since", 0):
            pytest.skip(f"needs PostgreSQL {case['since']}")
        in_transaction = case["mode"] == "transaction"
        statements = split(case["statement"], in_transaction=in_transaction)
        session = [sql for sql in case["before"] if sql.startswith("set ")]
        with clone(self._server.place) as place:
            with psycopg.connect(place.url, autocommit=True) as connection:
                for sql in case["before"]:
                    connection.execute(sql)
                known = known_relations(connection)
            with self._bench(place) as bench:
                way = bench.measure(statements, before=session)
        assert way.error is None
        return way.statements[0], known, way.notes

    def _bench(self, place: Target) -> Bench:
        return Bench(
            place,
            self._server.control,
            migration_settings(settings()),
            owns_server=self._server.is_own,
        )

    def held(self, case: Case) -> dict[str, Mode]:
        """Return the strongest lock on each relation that the oracle knows."""
        if self.major < 18 and "held_before_18" in case:
            found: dict[str, Mode] = case["held_before_18"]
        else:
            found = case["held_until_commit"] or case["seen_while_running"] or {}
        return {f"public.{name}": mode for name, mode in found.items()}


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """Give the tables of the oracle on a server of their own."""
    url = os.environ.get("TEST_DATABASE_URL")
    with scratch(Target(url, "tests") if url else None, insist="postgres") as server:
        yield Ground(server)


def strongest(locks: Iterable[Lock]) -> dict[str, Mode]:
    """Return the strongest mode on each relation."""
    return {lock.relation: lock.mode for lock in sorted(locks, key=strength)}


def names(found: Sequence[Any]) -> list[str]:
    """Return the relations of rewrites or scans, without their schema."""
    return [item.relation.removeprefix("public.") for item in found]


@pytest.mark.parametrize("case", CASES)
def test_a_statement_does_what_was_measured(ground: Ground, case: Case) -> None:
    """Locks, blocked flags, rewrites and scans of each case are the oracle's."""
    facts, known = ground.measure(case)

    assert strongest(facts.locks) == ground.held(case)
    assert names(facts.rewritten) == case["rewritten"]
    assert facts.outwaits == (case["case"] in OUTWAITING)
    if case["mode"] == "transaction":
        assert [lock for lock in facts.locks if lock.is_transient] == []
        assert names(facts.scanned) == case["scanned"]
        letters = {item.relation: item.letters for item in facts.blocked}
        probed = f"public.{case['probed_table']}"
        assert letters.get(probed, "") == (case["blocked"] or "")
    assert facts.blocked == tuple(documented(facts, known))


def documented(facts: StatementFacts, known: Known) -> Iterator[Blocked]:
    """Yield who must wait by PostgreSQL's table of conflicts for the locks held.

    A reader locks a table, its indexes and its partitions; a writer the table and its
    indexes (a row is routed to one partition); DDL the table. Views are only read.
    """
    held = {lock.relation: set[Mode]() for lock in facts.locks}
    for lock in facts.locks:
        if not lock.is_transient:
            held[lock.relation].add(lock.mode)
    locked = [oid for oid in known if held.get(known[oid].name)]
    for relation in known.readable(locked):
        below = [item for item in known.below(relation.oid) if item is not relation]
        indexes = [item for item in below if item.relkind in "iI"]
        is_table = relation.relkind in "rp"
        own = held.get(relation.name, set())
        of_indexes = {m for item in indexes for m in held.get(item.name, ())}
        of_all = {m for item in below for m in held.get(item.name, ())}
        if relation.relkind == "p":
            of_indexes = set()
        yield Blocked(
            relation.name,
            reads=conflicts("AS", own | of_all),
            writes=is_table and conflicts("RX", own | of_indexes),
            ddl=is_table and conflicts("SUX", own),
        )


def conflicts(mode: Mode, held: Iterable[Mode]) -> bool:
    """Return whether *mode* waits for one that is held."""
    return not CONFLICTS[mode].isdisjoint(held)


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in ORACLE["cases"]
        if case["case"]
        in (
            "reindex concurrently",
            "detach concurrently",
            "add fk valid",
            "create index",
        )
    ],
    ids=lambda case: case["case"].replace(" ", "-"),
)
@pytest.mark.slow
def test_two_measurements_are_equal(ground: Ground, case: Case) -> None:
    """Whoever measures again gets the same facts; only timing differs."""
    first, second = (ground.measure(case)[0] for _ in range(2))

    assert replace(first, timing=Timing()) == replace(second, timing=Timing())


def test_a_role_of_the_revision_hides_no_lock(ground: Ground) -> None:
    """A step outside a transaction is traced as well when it acts as an owner role."""
    (case,) = (x for x in ORACLE["cases"] if x["case"] == "drop index concurrently")
    as_owner = ["alter table parent owner to pg_monitor", "set role pg_monitor"]

    facts, _ = ground.measure({**case, "before": [*case["before"], *as_owner]})

    assert strongest(facts.locks) == ground.held(case)


@pytest.mark.parametrize("name", ["detach concurrently", "reindex concurrently"])
def test_a_late_look_misses_no_lock(
    ground: Ground, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit ends when its locks were seen, however long that takes, or it is told.

    A look at the server of others that comes too late cannot be told from none.
    """
    (case,) = (case for case in ORACLE["cases"] if case["case"] == name)
    monkeypatch.setattr(_monitor, "_PAUSE_S", 0.1)

    facts, notes = ground.traced(case)

    is_told = notes != () and not ground.is_own
    assert is_told or strongest(facts.locks) == ground.held(case)


def test_a_commit_elsewhere_is_let_go(ground: Ground) -> None:
    """What a statement commits in another database, as with dblink, ends as well."""
    if not ground.is_own:
        pytest.skip("the server's settings are not ours")
    change = "BEGIN; SELECT pg_logical_emit_message(true, 'elsewhere', ''); COMMIT"
    with ground.sessions() as (session, watcher, other), ThreadPoolExecutor() as pool:
        commits = Commits(watcher)
        with commits.held(session):
            done = pool.submit(other.execute, change)
            until = time.monotonic() + 60
            while not (waiting := commits.waiting()) and time.monotonic() < until:
                pass
            commits.release(waiting)
            assert waiting
            assert done.result(timeout=60)
