"""Paired timings: the thing, then its reference, in turn, in one run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ai_platform.connection import Target

__all__ = ["BIN", "Row", "command", "paired", "scratch_server", "show"]

BIN = Path(sys.executable).parent
Row = tuple[str, tuple[float, float, float], str]
"""Name of a comparison; seconds of ours and reference, ratio; the bound we set."""
_OURS = ("DATABASE_URL", "POSTGRES_URL")


@contextmanager
def scratch_server() -> Iterator[Target]:
    """Yield a superuser's way into a server: TEST_DATABASE_URL or one of its own."""
    from ai_platform.connection import Target

    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield Target(given, "TEST_DATABASE_URL")
        return
    from ai_platform.server import EmbeddedServer

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)  # the account of the server must get through
        server = EmbeddedServer(Path(folder) / "data")
        server.start()
        try:
            yield Target(server.url("postgres"), "scratch server")
        finally:
            server.stop()


def command(*arguments: str | Path, url: str | None = None) -> Callable[[], None]:
    """Return a call that runs a whole process and fails when the process does."""
    environment = {k: v for k, v in os.environ.items() if k not in _OURS}
    if url:
        environment["DATABASE_URL"] = url

    def call() -> None:
        done = subprocess.run(
            [str(argument) for argument in arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{arguments[0]} failed:\n{done.stdout}{done.stderr}")

    return call


def paired(
    ours: Callable[[], None],
    reference: Callable[[], None],
    *,
    runs: int = 7,
    before: Callable[[], None] | None = None,
) -> tuple[float, float, float]:
    """Return the median seconds of both and the median of the paired ratios.

    One run of each is thrown away first; *before* runs untimed ahead of each.
    """
    pairs = [
        (_timed(ours, before), _timed(reference, before)) for _ in range(runs + 1)
    ][1:]
    mine, theirs = zip(*pairs, strict=True)
    ratio = statistics.median(a / b for a, b in pairs)
    return statistics.median(mine), statistics.median(theirs), ratio


def _timed(call: Callable[[], None], before: Callable[[], None] | None) -> float:
    if before:
        before()
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def show(title: str, rows: Sequence[Row]) -> None:
    """Print one line per comparison: seconds of both, ratio, the bound we set."""
    print(f"\n{title}")
    print(f"{'':44} {'ours':>9} {'reference':>10} {'ratio':>7}  bound")
    for name, (mine, theirs, ratio), bound in rows:
        print(f"{name:44} {mine:8.3f}s {theirs:9.3f}s {ratio:7.2f}  {bound}")
