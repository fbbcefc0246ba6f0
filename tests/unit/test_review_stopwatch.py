"""The time of a statement on a machine that does other things at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ai_platform.review._stopwatch import Stopwatch


@pytest.mark.skipif(
    not Path("/proc/thread-self/schedstat").exists(), reason="only Linux tells"
)
def test_waits_for_a_processor_do_not_count() -> None:
    """Whoever works while others have the processor was not slow."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    endless = [sys.executable, "-Sc", "print(flush=True)\nwhile True: pass"]
    with subprocess.Popen(endless, stdout=subprocess.PIPE) as rival:
        try:
            assert rival.stdout is not None
            rival.stdout.readline()
            watch, began = Stopwatch(None), time.perf_counter()
            used = time.thread_time()
            while time.thread_time() - used < 0.1:
                pass
            seconds, passed = watch.seconds, time.perf_counter() - began
        finally:
            os.sched_setaffinity(0, allowed)
            rival.kill()

    # half of the time is the rival's
    assert 0.09 < seconds < 0.8 * passed


def test_a_strange_process_counts_nothing() -> None:
    """Where nothing is known of the server's process the clock decides."""
    watch = Stopwatch(2**31 - 1)
    time.sleep(0.01)

    assert watch.seconds >= 0.005
