"""What the core business notices: pgbench TPC-B with and without the log writer.

Runs alternate, with and without 5 000 log rows/s plus metrics from a process of its
own; the loss is the median over pairs. CPU shares are of one core, averaged over the
runs. With --pin the writer's process has the last core; the server and pgbench keep
all of them.

    python -m benchmarks.log_interference [--seconds N] [--pairs N] [--pin]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ai_platform.runtime import LogWriter, MetricsCollector
from ai_platform.server import EmbeddedServer
from benchmarks._logs import Ground, Meter, ground, records

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE: Final = 5_000
BURST: Final = 50
BOUND: Final = 3.0


def write_for_ever(log_writer: str, app: str) -> None:
    """Push RATE records a second and sample metrics, until the process is ended."""
    given = records(5_000)
    with (
        MetricsCollector(app, node_id="bench", interval=1.0),
        LogWriter(log_writer) as writer,
    ):
        print("ready", flush=True)
        began = time.perf_counter()
        for at in range(sys.maxsize):
            if at % BURST == 0:
                time.sleep(max(0.0, began + at / RATE - time.perf_counter()))
            writer.push(given[at % len(given)])
            if at % RATE == 0:
                print(writer.written, time.process_time(), flush=True)


@contextmanager
def _writing(place: Ground, *, pin: bool) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.log_interference", "--write"]
    with subprocess.Popen(
        [*command, place.log_writer, place.app], stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise SystemExit("the writer did not start")
        if pin:
            os.sched_setaffinity(process.pid, {(os.cpu_count() or 1) - 1})
        time.sleep(1)
        try:
            yield process
        finally:
            process.terminate()
            process.communicate()


def _pgbench(place: Ground, clients: int, seconds: int) -> float:
    """Return transactions a second."""
    program = str(EmbeddedServer().bin_dir / "pgbench")
    done = subprocess.run(
        [program, "-n", "-T", str(seconds), "-c", str(clients), "-j", "1", place.url],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if found is None:
        raise SystemExit(done.stdout + done.stderr)
    return float(found[1])


def _alone(place: Ground, options: argparse.Namespace) -> float:
    place.empty()
    return _pgbench(place, options.clients, options.seconds)


def _together(place: Ground, options: argparse.Namespace) -> tuple[float, float, float]:
    """Return transactions and log rows a second, and the writer's share of a core."""
    place.empty()
    with _writing(place, pin=options.pin) as process:
        before, began = _cpu(process.pid), time.perf_counter()
        stored = place.count()
        rate = _pgbench(place, options.clients, options.seconds)
        seconds = time.perf_counter() - began
        share = (_cpu(process.pid) - before) / seconds
        return rate, (place.count() - stored) / seconds, share


def _cpu(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - procfs
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _server_share(place: Ground, seconds: float) -> float | None:
    """Return what share of a core the logs alone take of the server."""
    place.empty()
    with _writing(place, pin=False), place.connect() as connection:
        with Meter(connection) as meter:
            time.sleep(seconds)
        if meter.server_s is None:
            return None
        return meter.server_s / meter.seconds


def main() -> None:
    """Print throughput with and without, the loss, and CPU shares."""
    if len(sys.argv) == 4 and sys.argv[1] == "--write":  # noqa: PLR2004
        with contextlib.suppress(KeyboardInterrupt):
            write_for_ever(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--scale", type=int, default=20)
    parser.add_argument("--pin", action="store_true")
    options = parser.parse_args()
    with ground() as place:
        program = str(EmbeddedServer().bin_dir / "pgbench")
        subprocess.run(
            [program, "-i", "-q", "-s", str(options.scale), place.url],
            check=True,
            capture_output=True,
        )
        _pgbench(place, options.clients, options.seconds)
        pairs = []
        for turn in range(options.pairs):
            # whoever is first has the colder cache: they take turns
            if turn % 2:
                alone = _alone(place, options)
                pairs.append((alone, _together(place, options)))
            else:
                together = _together(place, options)
                pairs.append((_alone(place, options), together))
        share = _server_share(place, 5)
    _print(pairs, share, options)


def _print(
    pairs: list[tuple[float, tuple[float, float, float]]],
    server: float | None,
    options: argparse.Namespace,
) -> None:
    pinned = ", writer pinned to the last core" if options.pin else ""
    print(f"\npgbench TPC-B, scale {options.scale}, {options.clients} clients{pinned}")
    print(f"{'':6}{'alone':>12}{'with logs':>12}{'loss':>8}{'logs/s':>9}{'writer':>9}")
    losses = []
    for number, (alone, (tps, logs, share)) in enumerate(pairs, 1):
        losses.append(100 * (1 - tps / alone))
        print(
            f"{number:<6}{alone:8,.0f} tps{tps:8,.0f} tps{losses[-1]:7.1f}%"
            f"{logs:9,.0f}{share:8.1%}"
        )
    spread = statistics.pstdev(losses)
    print(f"median loss {statistics.median(losses):.1f} % (bound {BOUND} %)")
    print(f"spread of the losses {spread:.1f} %, cores {os.cpu_count()}")
    if server is not None:
        print(f"the logs alone take {server:.1%} of a core of the server")


if __name__ == "__main__":
    main()
