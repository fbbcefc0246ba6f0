"""Review the whole shipped history and an ordinary revision; say where time goes.

The reference of the same run is psql: the committed SQL of every revision, run up once
in an empty database. The ordinary revision adds a column, a check and an index to a
table that is there, with all rows in it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks._bench import BIN, command, scratch_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.review.facts import Review

ORDINARY_S: Final = 15.0
SHOWN: Final = 5
TABLE: Final = "data_platform.chunks"
ORDINARY: Final = f"""
    ALTER TABLE {TABLE} ADD COLUMN bench_flag boolean;
    ALTER TABLE {TABLE} ADD CONSTRAINT bench_check CHECK (seq > -2);
    CREATE INDEX bench_index ON {TABLE} (seq);
"""
BACK: Final = f"""
    DROP INDEX data_platform.bench_index;
    ALTER TABLE {TABLE} DROP CONSTRAINT bench_check, DROP COLUMN bench_flag;
"""
Spent = dict[str, float]
"""Seconds for each part of a review, and for each revision."""


def main() -> int:
    """Print all figures; 1 where an ordinary revision takes too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    plain = psql()
    whole = history(rows)
    print(f"psql runs the same SQL up once in {plain:.2f} s: {whole / plain:.0f} times")
    newest = timed(command(BIN / "platform", "review", "--rows", str(rows), "--json"))
    print(f"platform review, the newest revision, whole process: {newest:.1f} s")
    alone = ordinary(rows)
    print(f"column, check and index on {TABLE}: {alone:.1f} s, at most {ORDINARY_S}")
    return int(max(newest, alone) > ORDINARY_S)


def timed(call: Any) -> float:
    """Return how many seconds *call* takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def psql() -> float:
    """Return the seconds psql needs for the SQL of the whole history."""
    from ai_platform.connection import connect
    from ai_platform.runner import offline
    from ai_platform.server import EmbeddedServer

    sql = offline.range_sql("head")
    name = "bench_review_history"
    with scratch_server() as target, tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "history.sql"
        script.write_text(sql, encoding="utf-8")
        with connect(target, application_name=name) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            admin.execute(f"CREATE DATABASE {name}".encode())
        program, url = EmbeddedServer().bin_dir / "psql", target.with_database(name).url
        stop = ("-v", "ON_ERROR_STOP=1")
        return timed(command(program, "-X", "-q", *stop, "-f", script, "-d", url))


def history(rows: int) -> float:
    """Review every revision; print where the seconds went and return their sum."""
    from ai_platform.review.projects import read
    from ai_platform.review.run import Asked, review
    from ai_platform.settings import CHECKOUT

    project = read(CHECKOUT / "alembic.ini", span="base..head")
    found: list[Review] = []
    with watched() as spent:
        asked = Asked(rows=rows)
        whole = timed(lambda: found.append(review(project, asked)))
    count = len(found[0].revisions)
    print(f"{count} revisions, {rows:,} rows asked for: {whole:.1f} s")
    ranked = sorted(spent.items(), key=lambda item: -item[1])
    for part, seconds in ranked:
        if not part.startswith("revision "):
            print(f"  {part:24}{seconds:7.1f} s")
    print(f"  {whole / count:.1f} s for a revision; the longest:")
    for name, seconds in [one for one in ranked if "revision " in one[0]][:SHOWN]:
        print(f"  {name:24}{seconds:7.1f} s")
    every = [scan for one in found[0].revisions for scan in one.filled]
    big = sorted({scan.relation for scan in every if scan.rows >= rows})
    few = {scan.relation for scan in every} - set(big)
    print(f"  with all rows: {', '.join(big) or 'none'}; with fewer: {len(few)} tables")
    return whole


@contextmanager
def watched() -> Iterator[Spent]:
    """Time the parts of a review while the block runs."""
    from ai_platform.review import _ground, _stair
    from ai_platform.review.bench import Bench

    spent: Spent = defaultdict(float)
    places: list[tuple[Any, str, str]] = [
        (_ground, "fill", "make rows"),
        (_ground, "_settle", "vacuum and analyze"),
        (Bench, "catalog", "read catalogs"),
        (Bench, "contents", "digest contents"),
        (Bench, "measure", "run and watch"),
        (_stair.Stair, "_again", "run once more"),
        (_stair.Stair, "step", "revision"),
    ]
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
    for owner, name, part in places:
        setattr(owner, name, counting(getattr(owner, name), part, spent))
    try:
        yield spent
    finally:
        for owner, name, original in kept:
            setattr(owner, name, original)


def counting(original: Any, part: str, spent: Spent) -> Any:
    """Return *original*, whose seconds are added up under *part*."""

    def call(*given: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return original(*given, **named)
        finally:
            known = (
                f"revision {given[1].source.revision}" if part == "revision" else part
            )
            spent[known] += time.perf_counter() - started

    return call


def ordinary(rows: int) -> float:
    """Return the seconds for one more revision, from starting a server to its end."""
    from ai_platform.review.measure import measure
    from ai_platform.review.projects import read
    from ai_platform.review.sources import RevisionSource
    from ai_platform.settings import CHECKOUT

    before = read(CHECKOUT / "alembic.ini", span="base..head").revisions
    head = before[-1].revision
    one = RevisionSource("0123456789ab", head, "bench", "bench.py", ORDINARY, BACK)
    found: list[Review] = []
    seconds = timed(lambda: found.append(measure([one], before=before, rows=rows)))
    if not found[0].is_measured:
        raise SystemExit(f"not measured: {found[0].revisions[0].error}")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
