"""Seconds in production out of seconds on a scratch server: arithmetic, no server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ai_platform.review.estimate import (
    Sample,
    band,
    estimate,
    estimated,
    findings,
    holds,
    with_more_rows,
)
from ai_platform.review.facts import (
    Lock,
    Mode,
    RevisionFacts,
    Rewrite,
    Scan,
    StatementFacts,
    Timing,
)
from ai_platform.review.production import Statistics, TableStatistics

NAME = "shop.orders"


def production(rows: float | None = 1e6, **more: Any) -> Statistics:
    """Return statistics in which the table has *rows* rows."""
    table = TableStatistics(
        **{
            "name": NAME,
            "rows": rows,
            "pages": 0,
            "heap_bytes": 1 << 30,
            "toast_bytes": 0,
            "index_bytes": 0,
            "inserts_per_s": None,
            "updates_per_s": None,
            "deletes_per_s": None,
            "seq_scans": 0,
            "idx_scans": 0,
            "parent": None,
            "indexes": (),
            **more,
        }
    )
    return Statistics(1, "", "18.1", None, None, {}, (table,), ())


def statement(seconds: float, rows: int = 0, **more: Any) -> StatementFacts:
    """Return a statement that read *rows* rows in *seconds*."""
    given: dict[str, Any] = {
        "number": 1,
        "sql": "",
        "tag": "ALTER TABLE",
        "in_transaction": True,
        "locks": (Lock(NAME, "table", "AX"),),
        "scanned": (Scan(NAME, rows),) if rows else (),
        "timing": Timing(duration_s=seconds),
    }
    return StatementFacts(**{**given, **more})


def sample(seconds: float, rows: int, **more: Any) -> Sample:
    """Return what `statement` does, with the rows of its table."""
    return Sample(statement(seconds, rows, **more), {NAME: rows})


def test_the_constant_part_does_not_grow() -> None:
    """0.1 s at any size and 1 ms for a thousand rows make 1.1 s at a million."""
    found = estimate(sample(0.11, 10_000), sample(0.2, 100_000), production())

    assert found is not None
    assert found.seconds == pytest.approx(1.1)
    assert found.constant_s == pytest.approx(0.1)
    assert found.relations == (NAME,)


def test_one_size_is_all_rows() -> None:
    """Without a second measurement the estimate is the larger one."""
    found = estimate(None, sample(0.2, 100_000), production())

    assert found is not None
    assert found.seconds == pytest.approx(2.0)


@pytest.mark.parametrize("before", [0.001, 0.5])
def test_noise_makes_no_nonsense(before: float) -> None:
    """A line that would fall below zero, or downwards, is not followed."""
    found = estimate(sample(before, 10_000), sample(0.2, 100_000), production())

    assert found is not None
    assert found.constant_s >= 0
    assert 0.2 <= found.seconds <= 2.1


def test_an_empty_table_tells_nothing() -> None:
    """What took no time without rows says nothing of a table that has them."""
    empty = Sample(statement(0.001), {})

    assert estimate(empty, empty, production()) is None


def test_noise_does_not_hide_the_size() -> None:
    """Where more rows took no longer, all of the time is taken for the rows'."""
    found = estimate(sample(0.2, 10_000), sample(0.2, 100_000), production())

    assert found is not None
    assert found.seconds == pytest.approx(2.0)


def test_what_reads_nothing_stays_as_it_is() -> None:
    """A change of the catalog takes as long on any size."""
    facts = statement(0.003)

    found = estimate(None, Sample(facts, {NAME: 100_000}), production())

    assert found is not None
    assert (found.seconds, found.relations) == (0.003, ())


def test_sorting_grows_faster_than_rows() -> None:
    """An index of ten times the rows takes a little more than ten times as long."""
    large = sample(1.0, 100_000, tag="CREATE INDEX")

    found = estimate(None, large, production())

    assert found is not None
    assert 11 < found.seconds < 13


def test_wide_rows_take_longer_to_rewrite() -> None:
    """Ten times as many bytes for each row are ten times the work."""
    wide = sample(1.0, 100_000, rewritten=(Rewrite(NAME, 10_000_000),))

    found = estimate(None, wide, production(heap_bytes=1_000_000_000))

    assert found is not None
    assert found.seconds == pytest.approx(100)


def test_rows_nobody_counted_come_from_the_size() -> None:
    """A table that was never analyzed still has bytes."""
    large = sample(1.0, 100_000, rewritten=(Rewrite(NAME, 10_000_000),))

    found = estimate(None, large, production(None, heap_bytes=100_000_000))

    assert found is not None
    assert found.seconds == pytest.approx(10)


def test_an_unknown_table_is_missing() -> None:
    """It counts as it was measured, and the estimate says so."""
    facts = statement(0.2, scanned=(Scan("shop.new", 100),))

    found = estimate(None, Sample(facts, {"shop.new": 100}), production())

    assert found is not None
    assert (found.seconds, found.missing) == (pytest.approx(0.2), ("shop.new",))


def test_a_partition_counts_as_its_parent() -> None:
    """Facts name the partition that was read, statistics are about the whole."""
    facts = statement(0.2, scanned=(Scan("shop.orders_1", 100_000),))

    found = estimate(None, Sample(facts, {NAME: 100_000}), production())

    assert found is not None
    assert (found.seconds, found.relations) == (pytest.approx(2.0), (NAME,))


def test_what_was_not_measured_has_no_estimate() -> None:
    """No number is better than a made-up one."""
    facts = statement(0, 10, is_measured=False)

    assert estimate(None, Sample(facts, {NAME: 10}), production()) is None


def revision(*up: StatementFacts) -> RevisionFacts:
    """Return a revision of numbered statements over 100 000 rows."""
    numbered = tuple(replace(one, number=n) for n, one in enumerate(up, 1))
    filled = (Scan(NAME, 100_000),)
    return RevisionFacts("r1", None, "", "", numbered, filled=filled)


def test_locks_are_held_until_the_commit() -> None:
    """The first statement's lasts through those after it; outside each has its own."""
    quick, slow = statement(0.01), statement(0.3, 100_000)
    alone = statement(0.2, 100_000, in_transaction=False)

    found = estimated(None, revision(quick, slow, alone), production())

    assert holds(found) == pytest.approx([3.01, 3.0, 2.0])


def test_few_rows_are_not_believed() -> None:
    """What is said of production comes from more rows, and a note says so."""
    noise = replace(revision(statement(0.004, 200)), filled=(Scan(NAME, 200),))
    many = replace(revision(statement(0.013, 10_000)), filled=(Scan(NAME, 10_000),))

    second = {noise.revision: many}
    found, other = with_more_rows((noise, noise), second, production())

    assert holds(found) == [pytest.approx(0.922, abs=0.001)]
    assert found.up[0].timing.duration_s == 0.004
    assert "10,000 rows" in found.notes[0]
    assert other.notes == ()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"effective_cache_size": "512MB", "shared_buffers": "16kB"}, "at least"),
        ({"effective_cache_size": "4GB"}, "about"),
        ({}, "about"),
    ],
)
def test_a_disk_is_not_measured(settings: dict[str, str], word: str) -> None:
    """A table that outgrows production's memory takes longer than a warm one here."""
    given = replace(production(1e8), settings=settings)
    many = replace(revision(statement(0.2, 100_000)), filled=(Scan(NAME, 100_000),))

    made = estimated(None, many, given)

    (found,) = findings(made, given)
    assert f"for {word} " in found.message
    assert ["reading from disk" in note for note in made.notes] == (
        [True] if word == "at least" else []
    )


def test_statistics_of_another_database_say_so() -> None:
    """Nothing is said of production's sizes where the file does not know the table."""
    other = production(name="shop.deals")

    found = estimated(None, revision(statement(0.3, 100_000)), other)

    assert holds(found) == [None]
    assert found.notes == ("the statistics of production do not know shop.orders",)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.99, "ok"), (1, "warning"), (4.99, "warning"), (5, "error")],
)
def test_bands_begin_at_one_and_five(seconds: float, expected: str) -> None:
    """The edges belong to the worse one."""
    assert band(seconds) == expected


@pytest.mark.parametrize(
    ("mode", "more", "expected"),
    [
        ("AX", {}, ["error"]),
        ("SRX", {}, ["error"]),
        ("S", {}, ["error"]),
        ("SUX", {}, []),
        ("AX", {"heap_bytes": 1 << 20}, []),
        ("AX", {"heap_bytes": 1 << 20, "inserts_per_s": 50.0}, ["error"]),
    ],
)
def test_only_blocked_writers_of_what_matters_are_told(
    mode: Mode, more: dict[str, Any], expected: list[str]
) -> None:
    """Strong locks on big or busy tables are findings, others are not."""
    facts = statement(1.0, 100_000, locks=(Lock(NAME, "table", mode),))
    prod = production(**more)

    found = list(findings(estimated(None, revision(facts), prod), prod))

    assert [one.severity for one in found] == expected
    if not more and found:
        words = f"{mode} on {NAME} (1.0 GB in production) for about 10 s"
        assert found[0].message == words


def test_a_graph_of_vectors_takes_at_least() -> None:
    """What may outgrow its memory is given as a lower bound, and a note says why."""
    sql = "CREATE INDEX ON shop.orders USING hnsw (v vector_l2_ops)"
    facts = statement(1.0, 10_000, sql=sql, locks=(Lock(NAME, "table", "S"),))
    prod = production()

    made = estimated(None, revision(facts), prod)

    assert "for at least " in next(findings(made, prod)).message
    assert "statement 1 is the least it takes" in made.notes[0]


def test_a_short_hold_is_none() -> None:
    """Under a second nobody notices."""
    prod = production()

    made = estimated(None, revision(statement(0.05, 100_000)), prod)

    assert list(findings(made, prod)) == []
