"""400 daily partitions against 7: planning a query of one day, and COPY of today.

python -m benchmarks.log_partitions [--rounds N]
"""

from __future__ import annotations

import argparse
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg

from benchmarks._logs import BATCH, COPY, Ground, encoded, ground, records

if TYPE_CHECKING:
    from collections.abc import Callable

LOGS: Final = "public.request_logs"
MANY: Final = 400
FEW: Final = 7
COPIED: Final = 50_000
ONE_DAY: Final = (
    "EXPLAIN (SUMMARY, FORMAT json) SELECT url, status FROM public.request_logs"
    " WHERE created >= '{0} 00:00' AND created < '{0} 01:00' AND status >= 500"
)
NO_BOUND: Final = (
    "EXPLAIN (SUMMARY, FORMAT json) SELECT count(*) FROM public.request_logs"
    " WHERE auth = 'user-1'"
)


def _partitions(place: Ground, wanted: int) -> None:
    """Leave *wanted* partitions: today's, one ahead, the rest behind."""
    today = datetime.now(UTC).date()
    with place.connect() as connection:
        leaves = connection.execute(
            "SELECT relid::regclass::text FROM pg_partition_tree(%s) WHERE isleaf",
            [LOGS],
        ).fetchall()
        for (leaf,) in leaves:
            connection.execute(f"DROP TABLE {leaf}".encode())
        for back in range(-1, wanted - 1):
            day = today - timedelta(days=back)
            connection.execute(
                "SELECT monitoring.create_partition(%s, %s, %s, true, 'logs')",
                [LOGS, day, day + timedelta(days=1)],
            )
        connection.execute("ANALYZE public.request_logs")


def _planning(connection: psycopg.Connection[Any], query: str) -> float:
    """Return the median milliseconds of planning, the caches of the session warm."""
    times = []
    for _ in range(30):
        row = connection.execute(query.encode()).fetchone()
        times.append(float(row[0][0]["Planning Time"]) if row else 0.0)
    return statistics.median(times[5:])


def _first(place: Ground, query: str) -> float:
    """Return the milliseconds of planning in a session that knows nothing yet."""
    times = []
    for _ in range(5):
        with psycopg.connect(place.readonly, autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
            times.append(float(row[0][0]["Planning Time"]) if row else 0.0)
    return statistics.median(times)


def _copy(place: Ground, batches: list[bytes]) -> float:
    """Return rows a second of COPY."""
    place.empty()
    with psycopg.connect(place.log_writer, autocommit=True) as connection:
        started = time.perf_counter()
        for batch in batches:
            with connection.cursor().copy(f"{COPY} (FORMAT binary)") as copy:
                copy.write(batch)
        return len(batches) * BATCH / (time.perf_counter() - started)


def main() -> None:
    """Print both and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    batches = encoded(records(COPIED))
    query = ONE_DAY.format(datetime.now(UTC).date())
    figures: dict[int, dict[str, list[float]]] = {FEW: {}, MANY: {}}
    with ground() as place:
        for _ in range(options.rounds):
            for wanted, found in figures.items():
                _partitions(place, wanted)
                with psycopg.connect(place.readonly, autocommit=True) as connection:
                    measures: dict[str, Callable[[], float]] = {
                        "plan one day, ms": lambda: _planning(connection, query),
                        "plan without bounds, ms": lambda: _planning(
                            connection,
                            NO_BOUND,
                        ),
                        "plan one day, new session, ms": lambda: _first(place, query),
                        "COPY, rows/s": lambda: _copy(place, batches),
                    }
                    for name, measure in measures.items():
                        found.setdefault(name, []).append(measure())
    print(f"\n{'':32}{f'{FEW} parts':>12}{f'{MANY} parts':>12}{'ratio':>8}")
    for name, few in figures[FEW].items():
        a, b = statistics.median(few), statistics.median(figures[MANY][name])
        print(f"{name:32}{a:12,.3f}{b:12,.3f}{b / a:8.2f}")


if __name__ == "__main__":
    main()
