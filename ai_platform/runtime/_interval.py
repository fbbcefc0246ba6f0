"""Samples of one interval, and the row of `monitoring.metrics` they become."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from ._process import cpu_seconds
from ._spread import Spread

if TYPE_CHECKING:
    from ._holding import Held
    from ._pools import PoolNumbers

__all__ = ["Interval", "Row", "Sample", "clean"]

_INT4: Final = 2**31 - 1
_MOST_HELD: Final = 5
_LONGEST_NAME: Final = 300
# below this a difference of the two clocks is noise of scheduling
_JUMP_S: Final = 2.0


@dataclass(slots=True)
class Sample:
    """What one look found; memory in MB, *lag_ms* of the event loop."""

    memory_mb: float | None
    threads: int
    tasks: int | None
    lag_ms: float | None
    pools: dict[str, PoolNumbers]
    held: list[Held]
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of `monitoring.metrics`; *time* is UTC without a zone."""

    time: datetime
    sys_mem_mb: int | None
    go_routines: int | None
    db_open_conns: int | None
    db_wait_count: int | None
    extra: str


@dataclass(slots=True)
class _Pool:
    size: Spread = field(default_factory=Spread)
    in_use: Spread = field(default_factory=Spread)
    waiting: Spread = field(default_factory=Spread)
    waits: int | None = None

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "size": self.size.as_dict(),
            "in_use": self.in_use.as_dict(),
            "waiting": self.waiting.as_dict(),
            "waits": self.waits,
        }
        return {name: value for name, value in found.items() if value not in ({}, None)}


class Interval:
    """Collects samples between two writes."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._wall = datetime.now(UTC)
        self._cpu = cpu_seconds()
        self._samples = 0
        self._spreads: defaultdict[str, Spread] = defaultdict(Spread)
        self._values: defaultdict[str, Spread] = defaultdict(Spread)
        self._pools: defaultdict[str, _Pool] = defaultdict(_Pool)
        self._open = Spread()
        self._held: dict[tuple[str, str, str], Held] = {}

    @property
    def age_s(self) -> float:
        """Seconds since it began, by the clock that never jumps."""
        return monotonic() - self._began

    @property
    def is_empty(self) -> bool:
        """Whether nothing was sampled yet."""
        return not self._samples

    def add(self, sample: Sample, waits: dict[str, int]) -> None:
        """Count *sample*; *waits* are those since the sample before, by pool."""
        self._samples += 1
        for name, value in (
            ("mem_mb", sample.memory_mb),
            ("threads", sample.threads),
            ("tasks", sample.tasks),
            ("loop_lag_ms", sample.lag_ms),
        ):
            if value is not None:
                self._spreads[name].add(value)
        for name, value in sample.values.items():
            self._values[name].add(value)
        for name, numbers in sample.pools.items():
            self._add_pool(self._pools[name], numbers, waits.get(name))
        if sample.pools:
            self._open.add(sum(numbers.size for numbers in sample.pools.values()))
        for held in sample.held:
            self._held[held.pool, held.by, held.at] = held

    @staticmethod
    def _add_pool(pool: _Pool, numbers: PoolNumbers, waits: int | None) -> None:
        pool.size.add(numbers.size)
        pool.in_use.add(numbers.in_use)
        if numbers.waiting is not None:
            pool.waiting.add(numbers.waiting)
        if waits is not None:
            pool.waits = (pool.waits or 0) + waits

    def row(self, failures: int) -> Row:
        """Return the row of this interval, stamped with the wall clock of now."""
        now = datetime.now(UTC)
        known = [pool.waits for pool in self._pools.values() if pool.waits is not None]
        doing = self._spreads["tasks" if "tasks" in self._spreads else "threads"]
        return Row(
            time=now.replace(tzinfo=None),
            sys_mem_mb=_whole(self._spreads["mem_mb"].mean),
            go_routines=_whole(doing.mean),
            db_open_conns=_whole(self._open.greatest) if self._open.count else None,
            db_wait_count=_whole(sum(known)) if known else None,
            extra=json.dumps(self._extra(now, failures), allow_nan=False),
        )

    def _extra(self, now: datetime, failures: int) -> dict[str, Any]:
        jump = (now - self._wall).total_seconds() - self.age_s
        longest = sorted(self._held.values(), key=lambda held: -held.seconds)
        extra: dict[str, Any] = {
            "samples": self._samples,
            "interval_s": round(self.age_s, 3),
            "cpu_s": round(cpu_seconds() - self._cpu, 3),
            **{name: spread.as_dict() for name, spread in self._spreads.items()},
            "pools": {clean(n): pool.as_dict() for n, pool in self._pools.items()},
            "values": {clean(n): one.as_dict() for n, one in self._values.items()},
            "held": [_told(held) for held in longest[:_MOST_HELD]],
            "held_count": len(longest),
            "value_failures": failures,
            "clock_jump_s": round(jump, 3) if abs(jump) > _JUMP_S else 0,
        }
        always = ("samples", "interval_s", "cpu_s")
        return {name: v for name, v in extra.items() if v or name in always}


def clean(text: str) -> str:
    """Return *text* as jsonb and text columns take it, and not without end."""
    kept = text[:_LONGEST_NAME].encode("utf-8", "replace").decode()
    return kept.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _told(held: Held) -> dict[str, Any]:
    return {
        "pool": clean(held.pool),
        "seconds": round(held.seconds, 1),
        "by": clean(held.by),
        "at": clean(held.at),
    }


def _whole(value: float | None) -> int | None:
    return None if value is None else max(0, min(_INT4, round(value)))
