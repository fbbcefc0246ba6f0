"""From seconds on a scratch server to seconds on the sizes of production."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from ai_platform.amounts import in_bytes, in_seconds

from .facts import CONFLICTS, STRONG, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .facts import Lock, RevisionFacts, StatementFacts
    from .production import Statistics, TableStatistics

__all__ = [
    "BIG_BYTES",
    "BUSY_WRITES_PER_S",
    "LEAST_ROWS",
    "RULE",
    "Estimate",
    "Sample",
    "band",
    "estimate",
    "estimated",
    "findings",
    "holds",
    "with_more_rows",
]

RULE: Final = "estimated-hold"
"""The id of what `findings` tells."""
BIG_BYTES: Final = 100 << 20
"""A table from this size on is one whose lock matters."""
BUSY_WRITES_PER_S: Final = 10.0
"""So is one that is written to as often as this."""
LEAST_ROWS: Final = 10_000
"""With fewer in each table what a row costs is lost in the noise."""
_OK_S: Final = 1.0
_WARNING_S: Final = 5.0
_TYPICAL_ROW: Final = 100
_NARROWEST: Final = 0.1
_UNKNOWN: Final = "the statistics of production do not know"
_SORTS: Final = ("CREATE INDEX", "REINDEX")
_GRAPH: Final = re.compile(r'\busing\s+"?hnsw\b', re.IGNORECASE)
_AT_LEAST: Final = (
    "the estimate of statement {number} is the least it takes: a graph of vectors "
    "that outgrows maintenance_work_mem is built many times slower"
)
_FROM_DISK: Final = (
    "the estimate of statement {number} is the least it takes: {table} ({size}) is "
    "larger than what production keeps in memory ({cache}), and reading from disk is "
    "not measured here"
)
_CACHES: Final = ("effective_cache_size", "shared_buffers")
_SIZE: Final = re.compile(r"(\d+)(kB|MB|GB|TB)")
_SHIFTS: Final = {"kB": 10, "MB": 20, "GB": 30, "TB": 40}


@dataclass(frozen=True, slots=True)
class Sample:
    """A statement's facts, measured with *rows* in each table, by schema.name."""

    facts: StatementFacts
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A duration in production: *constant_s* and *work* times *per_unit_s*.

    *relations* are the tables whose size decides; *missing* those of them that the
    statistics do not know, which count as they were measured.
    """

    seconds: float
    constant_s: float
    per_unit_s: float
    work: float
    relations: tuple[str, ...]
    missing: tuple[str, ...] = ()


def estimate(
    small: Sample | None, large: Sample, production: Statistics
) -> Estimate | None:
    """Return how long *large*'s statement will run on the sizes of *production*.

    A second measurement at fewer rows, *small*, separates what any size costs from
    what each row costs; without it all of the time is taken for the rows'. A rewrite
    counts bytes, everything else rows; sorting counts their logarithm too. None where
    it was not measured, or not with rows in a table that has some in production.
    """
    if not large.facts.is_measured or (small and not small.facts.is_measured):
        return None
    names = _relations(large)
    if not names and _is_empty_here(large, production):
        return None
    units = _work(large, names)
    constant, slope = _line(small, names, large, units)
    tables = {name: production.table(name) for name in names}
    work = sum(_in_production(large, name, tables[name]) for name in names)
    return Estimate(
        seconds=constant + slope * work,
        constant_s=constant,
        per_unit_s=slope,
        work=work,
        relations=tuple(names),
        missing=tuple(name for name in names if tables[name] is None),
    )


def _line(
    small: Sample | None, names: Sequence[str], large: Sample, units: float
) -> tuple[float, float]:
    """Return seconds that any size costs, and seconds for each unit of work."""
    seconds = large.facts.timing.duration_s
    if not units:
        return seconds, 0.0
    if small is None:
        return 0.0, seconds / units
    fewer = _work(small, names)
    before = small.facts.timing.duration_s
    if fewer >= units:
        return 0.0, seconds / units
    slope = max(0.0, (seconds - before) / (units - fewer))
    # more rows were worked through in no more time: that is noise, and a constant
    # would say that the size of a table does not matter
    if not slope and _seen(large) > _seen(small):
        return 0.0, seconds / units
    # a line through two points that falls below zero has no constant part
    if slope * units > seconds:
        return 0.0, seconds / units
    return seconds - slope * units, slope


def _relations(sample: Sample) -> list[str]:
    """Return the tables that the statement worked through.

    A partition stands for its parent, which holds the rows and is locked as well.
    """
    facts = sample.facts
    found = [one.relation for one in facts.rewritten]
    for many in (facts.scanned, facts.updated, facts.deleted):
        found += [one.relation for one in many if one.rows]
    if facts.tag in _SORTS or any(name not in sample.rows for name in found):
        found += [lock.relation for lock in facts.locks if lock.is_new]
    return [name for name in dict.fromkeys(found) if sample.rows.get(name)]


def _seen(sample: Sample) -> int:
    """Return how many rows the statement was seen to work through."""
    facts = sample.facts
    every = (*facts.scanned, *facts.updated, *facts.deleted)
    return sum(one.rows for one in every)


def _is_empty_here(sample: Sample, production: Statistics) -> bool:
    """Return whether a locked table has rows in production, and had none here."""
    locked = {one.relation for one in sample.facts.locks if one.mode in STRONG}
    found = [production.table(name) for name in locked if not sample.rows.get(name)]
    return any(one is not None and one.bytes for one in found)


def _work(sample: Sample, names: Sequence[str]) -> float:
    return sum(_units(sample, float(sample.rows.get(name, 0))) for name in names)


def _in_production(sample: Sample, name: str, table: TableStatistics | None) -> float:
    """Return the work on *table*; a wider row is more of it where it is rewritten."""
    rows = float(sample.rows[name])
    if table is None:
        return _units(sample, rows)
    written = _rewritten(sample, name)
    real = _rows(table, sample, name)
    if written and table.bytes and real:
        width = (table.bytes / real) / (written / rows)
        return _units(sample, real) * max(width, _NARROWEST)
    return _units(sample, real)


def _rows(table: TableStatistics, sample: Sample, name: str) -> float:
    """Return the rows of *table*, by its size where nobody has analyzed it."""
    if table.rows is not None and (table.rows or not table.bytes):
        return table.rows
    written = _rewritten(sample, name)
    if not written:
        return table.bytes / _TYPICAL_ROW
    return table.bytes / (written / sample.rows[name])


def _rewritten(sample: Sample, name: str) -> int:
    return sum(one.size for one in sample.facts.rewritten if one.relation == name)


def _units(sample: Sample, rows: float) -> float:
    if sample.facts.tag in _SORTS and rows > 1:
        return rows * math.log2(rows)
    return rows


def estimated(
    small: RevisionFacts | None, large: RevisionFacts, production: Statistics
) -> RevisionFacts:
    """Return *large* with `estimated_s` of each statement of the way up filled in.

    *small* is the same revision, measured with fewer rows.
    """
    fewer = {one.number: one for one in small.up} if small else {}
    rows = {one.relation: one.rows for one in large.filled}
    less = {one.relation: one.rows for one in small.filled} if small else {}
    up = []
    unknown: set[str] = set()
    for facts in large.up:
        twin = fewer.get(facts.number)
        pair = Sample(twin, less) if twin and twin.is_measured else None
        found = estimate(pair, Sample(facts, rows), production)
        unknown.update(found.missing if found else ())
        # of production nothing is known where all that counts is missing
        is_known = found is not None and (
            not found.missing or len(found.missing) < len(found.relations)
        )
        seconds = found.seconds if found and is_known else None
        up.append(replace(facts, timing=replace(facts.timing, estimated_s=seconds)))
    told = [f"{_UNKNOWN} {', '.join(sorted(unknown))}"] if unknown else []
    made = replace(large, up=tuple(up))
    least = (note for one in up for note in _least(one, made, production))
    return replace(made, notes=(*large.notes, *told, *least))


def _least(
    facts: StatementFacts, revision: RevisionFacts, production: Statistics
) -> Iterator[str]:
    """Yield why a statement may well take longer than estimated."""
    if facts.timing.estimated_s is None:
        return
    if _GRAPH.search(facts.sql):
        yield _AT_LEAST.format(number=facts.number)
    cache = _cache_bytes(production)
    rows = {one.relation: one.rows for one in revision.filled}
    for name in _relations(Sample(facts, rows)) if cache else ():
        table = production.table(name)
        if table is not None and table.bytes > cache:
            yield _FROM_DISK.format(
                number=facts.number,
                table=name,
                size=in_bytes(table.bytes),
                cache=in_bytes(cache),
            )


def _cache_bytes(production: Statistics) -> int:
    """Return what production says it keeps of its tables in memory; 0: it does not."""
    found = (_SIZE.fullmatch(production.settings.get(name, "")) for name in _CACHES)
    return max((int(one[1]) << _SHIFTS[one[2]] for one in found if one), default=0)


def with_more_rows(
    few: Sequence[RevisionFacts],
    many: Mapping[str, RevisionFacts],
    production: Statistics,
) -> tuple[RevisionFacts, ...]:
    """Return *few*, measured with fewer than `LEAST_ROWS`, with estimates from *many*.

    *many* is by revision. A note says where they come from, once, as the measurement
    shown is another one.
    """
    found: list[RevisionFacts] = []
    note = (
        f"holds in production are estimated from a second measurement, with "
        f"{LEAST_ROWS:,} rows: fewer take too little time to reckon from"
    )
    for one in few:
        twin = many.get(one.revision)
        told = (note,) if note and twin else ()
        found.append(_with_more_rows(one, twin, production, told) if twin else one)
        note = "" if twin else note
    return tuple(found)


def _with_more_rows(
    few: RevisionFacts,
    many: RevisionFacts,
    production: Statistics,
    note: tuple[str, ...],
) -> RevisionFacts:
    made = estimated(few, many, production)
    seconds = {one.number: one.timing.estimated_s for one in made.up}
    up = tuple(
        replace(one, timing=replace(one.timing, estimated_s=seconds.get(one.number)))
        for one in few.up
    )
    notes = (*few.notes, *note, *made.notes[len(many.notes) :])
    return replace(few, up=up, notes=notes)


def holds(revision: RevisionFacts) -> list[float | None]:
    """Return for each statement how long its locks are held: until the commit.

    All statements in a transaction are in the same one. None without an estimate.
    """
    found: list[float | None] = []
    for at, facts in enumerate(revision.up):
        until = revision.up[at : at + 1]
        if facts.in_transaction:
            until = tuple(one for one in revision.up[at:] if one.in_transaction)
        seconds = [one.timing.estimated_s for one in until]
        known = [one for one in seconds if one is not None]
        found.append(sum(known) if len(known) == len(seconds) else None)
    return found


def band(seconds: float) -> Literal["ok", "warning", "error"]:
    """Return how bad a lock is that is held for *seconds*: from 1 s on, from 5 s on."""
    if seconds < _OK_S:
        return "ok"
    return "warning" if seconds < _WARNING_S else "error"


def findings(revision: RevisionFacts, production: Statistics) -> Iterator[Finding]:
    """Yield what blocks a big or busy table for a second or more, by the estimates."""
    for facts, seconds in zip(revision.up, holds(revision), strict=True):
        if seconds is None or (severity := band(seconds)) == "ok":
            continue
        lock = _strongest(facts, production)
        if lock is None:
            continue
        table = production.table(lock.relation)
        size = in_bytes(table.bytes) if table else ""
        is_least = any(_least(facts, revision, production))
        about = "at least" if is_least else "about"
        yield Finding(
            rule=RULE,
            severity=severity,
            revision=revision.revision,
            statement=facts.number,
            object=lock.relation,
            message=f"{lock.mode} on {lock.relation} ({size} in production) for "
            f"{about} {in_seconds(seconds)}",
            remedy="do the long part under a weaker lock, or in steps of its own",
            is_measured=True,
        )


def _strongest(facts: StatementFacts, production: Statistics) -> Lock | None:
    """Return the strongest lock that makes writers of a big or busy table wait."""
    order = list(CONFLICTS)
    found = [
        lock
        for lock in facts.locks
        if lock.is_new and lock.mode in STRONG and _matters(production, lock.relation)
    ]
    return max(found, key=lambda lock: order.index(lock.mode), default=None)


def _matters(production: Statistics, name: str) -> bool:
    table = production.table(name)
    return table is not None and (
        table.bytes >= BIG_BYTES or table.writes_per_s >= BUSY_WRITES_PER_S
    )
