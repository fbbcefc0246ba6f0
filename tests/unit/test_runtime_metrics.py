"""Samples, sums and callbacks of the metrics collector; no server."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any

import pytest
from sqlalchemy import create_engine, pool

from ai_platform.errors import BadValue
from ai_platform.runtime import MetricsCollector
from ai_platform.runtime._holding import Holdings
from ai_platform.runtime._interval import Interval, Sample, clean
from ai_platform.runtime._pools import PoolNumbers, watched
from ai_platform.runtime._process import cpu_seconds, memory_mb
from ai_platform.runtime._spread import Spread
from ai_platform.runtime._values import Values

NOWHERE = "postgresql://x@127.0.0.1:1/x"


def sample(**more: Any) -> Sample:
    """Return a sample of 100 MB and two threads."""
    known: dict[str, Any] = {
        "memory_mb": 100.0,
        "threads": 2,
        "tasks": None,
        "lag_ms": None,
        "pools": {},
        "held": [],
        "values": {},
    }
    return Sample(**{**known, **more})


def test_a_spread_keeps_three_numbers() -> None:
    """Least, mean and greatest; what is not finite is left out."""
    spread = Spread()
    for value in (1, 5, float("nan"), float("inf")):
        spread.add(value)

    assert spread.as_dict() == {"min": 1, "avg": 3, "max": 5}
    assert Spread().as_dict() == {}


def test_an_interval_becomes_one_row() -> None:
    """Means for memory and tasks, the most for connections, a sum for waits."""
    interval = Interval()
    interval.add(sample(pools={"a": PoolNumbers(2, 1, 0, 5)}), {"a": 0})
    more = {"a": PoolNumbers(7, 7, 3, 9)}
    interval.add(sample(memory_mb=300.0, threads=4, pools=more), {"a": 4})

    row = interval.row(failures=0)

    assert (row.sys_mem_mb, row.go_routines) == (200, 3)
    assert (row.db_open_conns, row.db_wait_count) == (7, 4)
    assert json.loads(row.extra)["pools"]["a"]["waiting"] == {
        "min": 0,
        "avg": 1.5,
        "max": 3,
    }


def test_tasks_are_counted_before_threads() -> None:
    """A service of asyncio is as busy as its event loop, not as its threads."""
    interval = Interval()
    interval.add(sample(tasks=40), {})

    assert interval.row(failures=0).go_routines == 40


def test_a_jump_of_the_clock_is_told() -> None:
    """The row bears the time of the clock as it is, and says that it jumped."""
    interval = Interval()
    interval._wall = interval._wall.replace(year=interval._wall.year + 1)
    interval.add(sample(), {})

    assert json.loads(interval.row(failures=0).extra)["clock_jump_s"] < -30_000_000


def test_numbers_too_large_are_cut() -> None:
    """A pool that says nonsense does not fail the row: the column is an int4."""
    interval = Interval()
    interval.add(sample(pools={"a": PoolNumbers(2**40, 0, -5, None)}), {})

    row = interval.row(failures=0)

    assert (row.db_open_conns, row.db_wait_count) == (2**31 - 1, None)


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 1000])
def test_names_become_what_jsonb_takes(text: str) -> None:
    """NUL and lone surrogates are refused by the server, endless names by us."""
    cleaned = clean(text)

    assert "\0" not in cleaned
    assert len(cleaned.encode()) <= 1000


def test_this_process_has_memory_and_time() -> None:
    """Both are above zero for any Python."""
    assert (memory_mb() or 0) > 1
    assert cpu_seconds() > 0


def test_a_callback_that_raises_stops_no_other() -> None:
    """It is counted under its name; the others are asked."""
    values = Values({"bad": lambda: 1 / 0, "good": lambda: 4}, patience_s=5)

    assert values.ask() == {"good": 4.0}
    assert values.failures == {"bad": 1}
    values.close()


def test_a_callback_that_hangs_is_left_alone() -> None:
    """Counted once, not asked again until it returns; then it is asked again."""
    gate = threading.Event()
    hangs: dict[str, Any] = {
        "hangs": lambda: (gate.wait(120), 1.0)[1],
        "good": lambda: 4,
    }
    values = Values(hangs, patience_s=0.05)

    while not values._hanging:  # its thread may take its time to begin
        assert values.ask() == {}
    values._patience_s = 60
    assert values.ask() == {"good": 4.0}
    assert values.failures == {"hangs": 1}

    hanging = values._hanging["hangs"].thread
    gate.set()
    hanging.join(60)
    assert values.ask() == {"hangs": 1.0, "good": 4.0}
    values.close()


async def _coroutine() -> float:
    return 1.0


@pytest.mark.parametrize("said", ["text", None, [1], {"a": None}])
def test_what_is_no_number_is_counted(said: object) -> None:
    """A callback's mistake is seen in the count, never in the service."""
    values = Values({"v": lambda: said, "c": _coroutine}, 5)  # type: ignore[dict-item,return-value]

    assert values.ask() == {}
    assert values.failures == {"v": 1, "c": 1}
    values.close()


def test_a_mapping_is_several_values() -> None:
    """One question to a queue may answer for many."""
    values = Values({"queue": lambda: {"depth": 3, "age": 1.5}}, 5)

    assert values.ask() == {"queue.depth": 3.0, "queue.age": 1.5}
    values.close()


def test_a_held_connection_names_its_taker() -> None:
    """Thread, file, line and function of the service; gone when given back."""
    holdings, key = Holdings("main"), object()
    holdings.taken(key)

    (held,) = holdings.longer_than(-1)

    assert held.by == f"thread {threading.current_thread().name}"
    assert held.at.startswith(__file__)
    assert held.at.endswith("test_a_held_connection_names_its_taker")
    holdings.given_back(key)
    assert holdings.longer_than(-1) == []


def test_an_unknown_pool_is_refused() -> None:
    """At the start, by name, with what would do."""
    with pytest.raises(BadValue, match="pool 'main' is of no kind"):
        watched({"main": 5})


def test_a_pool_is_left_as_it_was() -> None:
    """After the end no event and no wrapper of ours remains."""
    engine = create_engine("sqlite://", poolclass=pool.QueuePool)
    (watcher,) = watched([engine])
    assert "connect" in vars(engine.pool)

    watcher.release()

    assert "connect" not in vars(engine.pool)
    engine.connect().close()
    assert watcher.held(-1) == []
    engine.dispose()


@pytest.mark.parametrize(
    "wrong",
    [
        {"interval": 0},
        {"interval": float("nan")},
        {"kind": "toaster"},
        {"buffer_rows": 0},
    ],
)
def test_bad_parameters_are_refused_at_once(wrong: dict[str, Any]) -> None:
    """When the service starts, not in the night."""
    with pytest.raises(BadValue):
        MetricsCollector(NOWHERE, **wrong)


def test_the_environment_gives_name_and_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PB_NODE_ID and PB_METRICS_INTERVAL, in Go's words."""
    monkeypatch.setenv("PB_NODE_ID", "api-7")
    monkeypatch.setenv("PB_METRICS_INTERVAL", "1m30s")

    collector = MetricsCollector(NOWHERE)

    assert (collector.node_id, collector.interval_s) == ("api-7", 90.0)


def test_services_need_no_other_library() -> None:
    """Importing the collector loads neither SQLAlchemy nor psycopg_pool."""
    program = (
        "import sys, ai_platform.runtime\n"
        "print([m for m in ('sqlalchemy', 'psycopg_pool', 'pydantic') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
