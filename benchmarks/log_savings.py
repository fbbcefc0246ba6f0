"""What the log writer saves at 5 000 rows/s, against one committed INSERT per row.

The baseline is the founding design's: every request inserts its own row, into a
logged table with the same indexes, and waits for the commit. Both write the same
rows; where the baseline cannot keep up with 5 000 rows/s it takes as long as it takes.
A checkpoint ends both, so that what was only postponed counts too.

    python -m benchmarks.log_savings [--seconds N] [--clients N]
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.types.json import Jsonb

from ai_platform.runtime import LogWriter
from ai_platform.runtime._record import COLUMNS
from benchmarks._logs import Ground, Meter, ground, records, rows

if TYPE_CHECKING:
    from collections.abc import Callable

RATE: Final = 5_000
BURST: Final = 50
INSERT: Final = (
    f"INSERT INTO public.bench_logged ({', '.join(COLUMNS)})"
    f" VALUES ({', '.join(['%s'] * len(COLUMNS))})"
).encode()
CLAIMED_LATENCY: Final = 1000


@dataclass(frozen=True)
class Cost:
    """What all rows cost; latency is what the request waits, in microseconds."""

    seconds: float
    wal: int
    written: int
    grown: int
    server_s: float | None
    client_s: float
    latency_us: float


def _paced(number: int, one: Callable[[int], None]) -> list[int]:
    """Call *one* for each of *number* rows at RATE; return nanoseconds of each call."""
    clock, times, began = time.perf_counter_ns, [], time.perf_counter()
    for at in range(number):
        if at % BURST == 0:
            time.sleep(max(0.0, began + at / RATE - time.perf_counter()))
        started = clock()
        one(at)
        times.append(clock() - started)
    return times


def _measured(place: Ground, work: Callable[[], list[int]]) -> Cost:
    place.empty()
    with place.connect() as connection:
        connection.execute("TRUNCATE public.bench_logged")
        connection.execute("CHECKPOINT")
        with Meter(connection) as meter:
            times = work()
            connection.execute("CHECKPOINT")
    return Cost(
        meter.seconds,
        meter.wal,
        meter.written,
        meter.grown,
        meter.server_s,
        meter.client_s,
        statistics.median(times) / 1000,
    )


def _writer(place: Ground, number: int) -> Callable[[], list[int]]:
    given = records(number)

    def work() -> list[int]:
        with LogWriter(place.log_writer) as writer:
            times = _paced(number, lambda at: writer.push(given[at]))
        if writer.written != number:
            raise SystemExit(f"{writer.written} of {number}: {writer.last_error}")
        return times

    return work


def _inserts(place: Ground, number: int, clients: int) -> Callable[[], list[int]]:
    given: list[tuple[Any, ...]] = [
        (*row[:8], Jsonb(row[8]), *row[9:])
        for row in rows(records(number, filled=True))
    ]

    def client(first: int) -> list[int]:
        mine = given[first::clients]
        times, began = [], time.perf_counter()
        with psycopg.connect(place.log_writer, autocommit=True) as connection:
            for at, row in enumerate(mine):
                ahead = began + at * clients / RATE - time.perf_counter()
                if ahead > 0:
                    time.sleep(ahead)
                started = time.perf_counter_ns()
                connection.execute(INSERT, row)
                times.append(time.perf_counter_ns() - started)
        return times

    def work() -> list[int]:
        with ThreadPoolExecutor(clients) as pool:
            return [t for times in pool.map(client, range(clients)) for t in times]

    return work


def main() -> None:
    """Print both costs, the savings, and what was claimed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=8, help="of the baseline")
    options = parser.parse_args()
    number = options.seconds * RATE
    with ground() as place:
        with place.connect() as connection:
            connection.execute(
                "CREATE TABLE public.bench_logged"
                " (LIKE public.request_logs INCLUDING ALL)"
            )
            connection.execute("GRANT INSERT ON bench_logged TO platform_log_writer")
        base = _measured(place, _inserts(place, number, options.clients))
        ours = _measured(place, _writer(place, number))
    _print(ours, base, number, options.clients)


def _print(ours: Cost, base: Cost, number: int, clients: int) -> None:
    print(f"\n{number:,} rows; baseline: {clients} clients, synchronous commit")
    print(f"{'':28}{'LogWriter':>12}{'INSERTs':>12}{'saved':>9}  claimed")
    rows_: list[tuple[str, float | None, float | None, str]] = [
        ("rows/s", number / ours.seconds, number / base.seconds, ""),
        ("WAL, MB", ours.wal / 1e6, base.wal / 1e6, "100 %"),
        ("blocks written (pg_stat_io)", ours.written, base.written, "> 95 %"),
        ("blocks the files grew by", ours.grown, base.grown, ""),
        ("server CPU, s", ours.server_s, base.server_s, "> 99 %"),
        ("client CPU, s", ours.client_s, base.client_s, ""),
    ]
    for name, mine, theirs, claimed in rows_:
        if mine is None or theirs is None:
            print(f"{name:28}{'-':>12}{'-':>12}")
            continue
        saved = f"{100 * (1 - mine / theirs):8.2f}%" if name != "rows/s" else ""
        print(f"{name:28}{mine:12,.2f}{theirs:12,.2f}{saved:>9}  {claimed}")
    times = base.latency_us / ours.latency_us
    print(
        f"{'latency of the caller, us':28}{ours.latency_us:12,.2f}"
        f"{base.latency_us:12,.2f}{times:8,.0f}x  {CLAIMED_LATENCY} x"
    )


if __name__ == "__main__":
    main()
