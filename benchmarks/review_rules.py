"""The rules' verdict on every statement of the oracle, beside squawk's and the truth.

What our rules see is the measurement, so that they should be right; the column "text"
is what they say without it, from the same text that squawk has and no more.

Dangerous is, as measured, a statement that

- reads or copies a whole table under a lock that blocks reads or writes of it, or
- blocks reads or writes where the oracle holds a form that does the same and does
  not, or
- blocks reads of a table that it does not name, or
- changes a thousand rows or more in one transaction, locking each of them.

A verdict is a finding about locks, error or warning. What both say about time limits
is left out, because the runner sets them, and so is what squawk says about style and
about code that breaks (`LEFT_OUT`): these are not what is measured here.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from ai_platform.review.bench import Bench
from ai_platform.review.facts import STRONG, Review, RevisionFacts, StatementFacts
from ai_platform.review.rules import Evidence, all_rules
from ai_platform.review.rules.engine import judge
from ai_platform.review.scratch import Scratch, clone, scratch
from ai_platform.review.statements import split
from benchmarks._bench import BIN

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ORACLE", "Verdicts", "ground", "verdicts"]

ORACLE: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "tests/integration/review_oracle.json").read_text(
        encoding="utf-8"
    )
)
WHO = ("ours", "text", "squawk")
BATCH = 1000
GENTLER = {
    "drop index": "drop index concurrently",
    "refresh mv": "refresh mv concurrently",
    "partition of (no default)": "attach with matching CHECK",
    "detach": "detach concurrently",
    "drop partition": "detach concurrently",
}
"""Statements for which the oracle holds another that does the same and blocks less."""
LEFT_OUT = (
    *("require-lock-timeout", "require-statement-timeout", "prefer-robust-stmts"),
    *("prefer-bigint-over-int", "prefer-text-field", "require-enum-value-ordering"),
    *("ban-drop-table", "ban-drop-column", "ban-drop-view", "renaming-column"),
)
"""Rules of squawk about limits, style and code that breaks."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """One statement: why it is dangerous (None: it is not), and who says so."""

    case: str
    truth: str | None
    ours: tuple[str, ...]
    text: tuple[str, ...]
    squawk: tuple[str, ...]


def ground(server: Scratch) -> None:
    """Make the oracle's tables in the database of *server*."""
    with psycopg.connect(server.place.url, autocommit=True) as connection:
        for statement in ORACLE["setup"]:
            connection.execute(statement)
        connection.execute("VACUUM (ANALYZE)")


def verdicts(server: Scratch, case: dict[str, Any]) -> Verdicts:
    """Measure the statement of *case*, judge it, and ask squawk."""
    facts, evidence = _measured(server, case)
    unmeasured = StatementFacts(
        number=1,
        sql=facts.sql,
        tag=facts.tag,
        in_transaction=facts.in_transaction,
        is_measured=False,
    )
    return Verdicts(
        case=case["case"],
        truth=_truth(case["case"], facts, evidence),
        ours=_ours(facts, evidence),
        text=_ours(unmeasured, Evidence(lock_timeout_ms=4000)),
        squawk=_squawk(case),
    )


def _measured(server: Scratch, case: dict[str, Any]) -> tuple[StatementFacts, Evidence]:
    in_transaction = case["mode"] == "transaction"
    statements = split(case["statement"], in_transaction=in_transaction)
    settings = {"lock_timeout": "4s"}
    with clone(server.place) as place:
        with psycopg.connect(place.url, autocommit=True) as connection:
            for sql in case["before"]:
                connection.execute(sql)
        with Bench(place, server.control, settings, owns_server=server.is_own) as bench:
            before = bench.catalog()
            session = [sql for sql in case["before"] if sql.startswith("set ")]
            way = bench.measure(statements, before=session)
            after = bench.catalog()
    if way.error is not None:
        raise RuntimeError(f"{case['case']}: {way.error}")
    return way.statements[0], Evidence(before=before, after=after)


def _truth(name: str, facts: StatementFacts, evidence: Evidence) -> str | None:
    strong = {lock.relation for lock in facts.locks if lock.mode in STRONG - {"X"}}
    blocked = {item.relation for item in facts.blocked if item.reads or item.writes}
    # a new file without a byte in it is TRUNCATE's: quick, whatever the table's size
    busy = {item.relation for item in facts.rewritten if item.size}
    busy |= {item.relation for item in facts.scanned}
    if busy & strong:
        return f"{', '.join(sorted(busy & strong))} read or copied under a lock"
    if blocked and name in GENTLER:
        return f"blocks, and there is: {GENTLER[name]}"
    unnamed = _unnamed(facts, evidence)
    if unnamed:
        return f"nobody can read {', '.join(unnamed)}, which it does not name"
    changed = sum(item.rows for item in (*facts.updated, *facts.deleted))
    return f"{changed} rows locked" if changed >= BATCH else None


def _unnamed(facts: StatementFacts, evidence: Evidence) -> list[str]:
    """Return the tables that nobody can read, but for those named and their parts."""
    named = {name for _, name in split(facts.sql)[0].relations}
    whole = {
        item.key.identity
        for item in evidence.before or ()
        if item.key.kind == "table" and not item.properties.get("inherits")
    }
    return [
        item.relation
        for item in facts.blocked
        if item.reads
        and item.relation in whole
        and item.relation.rpartition(".")[2] not in named
    ]


def _ours(facts: StatementFacts, evidence: Evidence) -> tuple[str, ...]:
    revision = RevisionFacts("case", None, "Case", "case.py", (facts,))
    review = Review("base", "case", "18", 200_000, (revision,))
    about_locks = {rule.id for rule in all_rules() if rule.family == "lock"}
    return tuple(
        item.rule
        for item in judge(review, {"case": evidence})
        if item.rule in about_locks and item.severity != "note"
    )


def _squawk(case: dict[str, Any]) -> tuple[str, ...]:
    mode = ["--assume-in-transaction"] if case["mode"] == "transaction" else []
    done = subprocess.run(
        [str(BIN / "squawk"), "--reporter", "json", "--pg-version", "18", *mode],
        input=f"{case['statement']};",
        capture_output=True,
        text=True,
        check=False,
    )
    found = [item["rule_name"] for item in json.loads(done.stdout)]
    return tuple(name for name in found if name not in LEFT_OUT)


def _rows() -> Iterator[Verdicts]:
    with scratch() as server:
        ground(server)
        for case in ORACLE["cases"]:
            yield verdicts(server, case)


def main() -> None:
    """Print what each says to each statement, and how often it is wrong."""
    rows = list(_rows())
    print(f"{'statement':34} {'truth':10} {'ours':30} {'text':30} squawk")
    for row in rows:
        said = [", ".join(getattr(row, who)) or "-" for who in WHO]
        truth = "dangerous" if row.truth else "-"
        print(f"{row.case[:34]:34} {truth:10} {said[0]:30} {said[1]:30} {said[2]}")
        wrong = [who for who in WHO if bool(getattr(row, who)) != bool(row.truth)]
        if wrong:
            why = row.truth or "instant, or blocks neither reads nor writes"
            print(f"{'':34}   wrong: {', '.join(wrong)}; measured: {why}")
    dangerous = sum(bool(row.truth) for row in rows)
    print(f"\n{len(rows)} statements, {dangerous} of them dangerous")
    for who in WHO:
        false = sum(bool(getattr(row, who)) and not row.truth for row in rows)
        missed = sum(not getattr(row, who) and bool(row.truth) for row in rows)
        print(f"{who:8} {false:3} false alarms, {missed:3} missed")


if __name__ == "__main__":
    main()
