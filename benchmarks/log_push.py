"""What `push` costs the request: nanoseconds, next to `collections.deque.append`.

Bursts of a hundred calls in a loop, with rests between them as in a service at 5 000
records a second, the writer and the server at work meanwhile. The median is of the
mean of each burst, the p99 of single calls, where the clock itself counts in both.

    python -m benchmarks.log_push [--calls N]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from ai_platform.runtime import LogWriter
from benchmarks._logs import ground, records

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ai_platform.runtime import RequestRecord

BURST: Final = 100
REST_S: Final = 0.02
BOUND: Final = 20


def _bursts(call: Callable[[Any], object], given: Sequence[RequestRecord]) -> float:
    """Return the median over bursts of nanoseconds a call."""
    times = []
    for at in range(0, len(given), BURST):
        burst = given[at : at + BURST]
        started = time.perf_counter_ns()
        for record in burst:
            call(record)
        times.append((time.perf_counter_ns() - started) / len(burst))
        time.sleep(REST_S)
    return statistics.median(times)


def _p99(call: Callable[[Any], object], given: Sequence[RequestRecord]) -> float:
    clock = time.perf_counter_ns
    times = []
    for at in range(0, len(given), BURST):
        for record in given[at : at + BURST]:
            started = clock()
            call(record)
            times.append(clock() - started)
        time.sleep(REST_S)
    return statistics.quantiles(times, n=100)[98]


def main() -> None:
    """Print median and p99 of both, and the ratio of the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    options = parser.parse_args()
    given = records(options.calls)
    with ground() as place, LogWriter(place.log_writer) as writer:
        calls: dict[str, Callable[[Any], object]] = {
            "deque.append": deque[object]().append,
            "LogWriter.push": writer.push,
        }
        medians = {name: _bursts(call, given) for name, call in calls.items()}
        tails = {name: _p99(call, given) for name, call in calls.items()}
        writer.flush()
        if writer.written != 2 * options.calls:
            raise SystemExit(f"not all were written: {writer.last_error}")
    print(f"\n{'':16}{'median':>9}{'p99':>9}{'ratio':>7}  bound {BOUND}, of the median")
    for name, median in medians.items():
        ratio = median / medians["deque.append"]
        print(f"{name:16}{median:7.0f}ns{tails[name]:7.0f}ns{ratio:7.1f}")


if __name__ == "__main__":
    main()
