"""Ten minutes at 5 000 rows/s: midnight, a pruned partition, a server restart.

Counts must add up: pushed = stored + dropped + set aside. `created` runs ahead of the
clock so that midnight UTC falls on a third of the run, and the partition of that next
day is dropped before: the writer makes it. An expired partition is pruned at half
time, the server is restarted at two thirds (on TEST_DATABASE_URL by --restart, a
command; without one every backend of the writer is ended instead).

    python -m benchmarks.log_soak [--minutes N] [--restart COMMAND]
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

from ai_platform.connection import Target
from ai_platform.maintenance import partitions
from ai_platform.runtime import LogWriter, SetAside
from ai_platform.server import EmbeddedServer
from benchmarks._logs import Ground, ground, records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RATE: Final = 5_000
BURST: Final = 50
LOGS: Final = "public.request_logs"


@dataclass
class Soak:
    """What happened on the way."""

    place: Ground
    seconds: float
    restart: Callable[[], None]
    said: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    fallback: int = 0

    def note(self, text: str) -> None:
        """Print *text* with the time of day, and keep it."""
        self.said.append(text)
        print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True)

    def take(self, given: list[SetAside]) -> None:
        """Count what the fallback gets."""
        self.fallback += len(given)

    def run(self) -> bool:
        """Push for the whole time; return whether the counts add up."""
        ahead = self._to_midnight(self.seconds / 3)
        self._drop_next_day(ahead)
        expired = self._expired_rows()
        writer = LogWriter(self.place.log_writer, fallback=self.take)
        events = threading.Thread(target=self._events, args=[writer])
        events.start()
        pushed = self._push(writer, ahead)
        events.join()
        writer.close(30)
        stored = self.place.count()
        dropped, aside = sum(writer.dropped.values()), sum(writer.set_aside.values())
        print(f"\npushed      {pushed:12,}\nstored      {stored:12,}")
        print(f"dropped     {dropped:12,}  {writer.dropped}")
        print(f"set aside   {aside:12,}  {writer.set_aside}")
        print(f"the pruned partition held {expired} rows of its own")
        print(prometheus_lines(writer))
        self._print_memory()
        sums = (
            pushed == stored + dropped + aside,
            writer.pushed == pushed,
            writer.written == stored,
            aside == self.fallback,
            writer.pending == 0,
        )
        print("the counts add up" if all(sums) else f"THE COUNTS DIFFER: {sums}")
        return all(sums)

    def _push(self, writer: LogWriter, ahead: timedelta) -> int:
        given = records(BURST * 100)
        began, pushed = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < self.seconds:
            created = datetime.now(UTC) + ahead
            for record in given[:BURST]:
                writer.push(replace(record, created=created))
            pushed += BURST
            if pushed % (RATE * 5) == 0:
                self.memory.append((passed, _rss_mb()))
            time.sleep(max(0.0, began + pushed / RATE - time.perf_counter()))
        return pushed

    def _to_midnight(self, seconds: float) -> timedelta:
        now = datetime.now(UTC)
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time())
        return midnight.replace(tzinfo=UTC) - now - timedelta(seconds=seconds)

    def _drop_next_day(self, ahead: timedelta) -> None:
        day = (datetime.now(UTC) + ahead + timedelta(days=1)).date()
        with self.place.connect() as connection:
            connection.execute(f"DROP TABLE logs.request_logs_{day:%Y%m%d}".encode())
        self.note(
            f"midnight to {day} in {self.seconds / 3:.0f} s; its partition is gone"
        )

    def _expired_rows(self) -> int:
        """Make a partition of ten days ago with rows, which has expired."""
        day = datetime.now(UTC).date() - timedelta(days=10)
        with self.place.connect() as connection:
            connection.execute(
                "SELECT monitoring.create_partition(%s, %s, %s, true, 'logs')",
                [LOGS, day, day + timedelta(days=1)],
            )
            connection.execute(
                f"INSERT INTO {LOGS} (id, created) SELECT uuid_generate_v7(), %s"
                " FROM generate_series(1, 1000)".encode(),
                [day],
            )
        return 1000

    def _events(self, writer: LogWriter) -> None:
        time.sleep(self.seconds / 2)
        with partitions.opened(Target(self.place.url, "benchmark")) as connection:
            for step in partitions.prune(connection, table=LOGS):
                self.note(f"prune: {step.action} {step.partition} {step.outcome}")
        time.sleep(self.seconds / 6)
        before = writer.pushed
        self.restart()
        self.note(f"restarted after {before:,} rows; {writer.pending:,} are waiting")

    def _print_memory(self) -> None:
        settled = [mb for at, mb in self.memory if at > self.seconds / 10]
        if settled:
            first, last = settled[0], settled[-1]
            print(
                f"memory of the process: {first:.1f} MB after a tenth of the time,"
                f" {last:.1f} MB at the end, at most {max(settled):.1f} MB"
            )


def prometheus_lines(writer: LogWriter) -> str:
    """Return the numbers of *writer* without the comments."""
    lines = writer.prometheus().splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def _server(command: str | None) -> Iterator[tuple[Target, Callable[[], None]]]:
    """Yield a server and how to restart it."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield Target(given, "TEST_DATABASE_URL"), lambda: _restart(given, command)
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedServer(Path(folder) / "data")
        server.start()

        def restart() -> None:
            server.stop()
            server.start()

        try:
            yield Target(server.url("postgres"), "scratch server"), restart
        finally:
            server.stop()


def _restart(url: str, command: str | None) -> None:
    if command:
        subprocess.run(shlex.split(command), check=True, capture_output=True)
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name LIKE 'log_writer%'"
        )


def main() -> None:
    """Run it; exit with 1 when the counts differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--restart", help="command that restarts TEST_DATABASE_URL")
    options = parser.parse_args()
    with _server(options.restart) as (target, restart), ground(target) as place:
        if not Soak(place, options.minutes * 60, restart).run():
            raise SystemExit(1)


if __name__ == "__main__":
    main()
