"""Numbers that a service adds by callbacks, asked in a thread that may be lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any, Final, TypeAlias

__all__ = ["PATIENCE_S", "Value", "Values"]

PATIENCE_S: Final = 1.0
"""How long one round of callbacks is waited for, in seconds."""

Value: TypeAlias = Callable[[], float | Mapping[str, float]]
"""Returns a number, or several by name; called in a thread of the collector."""


class Values:
    """Callbacks by name; what raises or hangs is counted and stops nothing.

    A callback that hangs keeps its thread and is not asked again before it returned.
    """

    def __init__(self, values: Mapping[str, Value], patience_s: float) -> None:
        self._values = dict(values)
        self._patience_s = patience_s
        self._worker: _Worker | None = None
        self._hanging: dict[str, _Worker] = {}
        self.failures: Counter[str] = Counter()

    def ask(self) -> dict[str, float]:
        """Return what the callbacks say now; at most `patience_s` later."""
        due = {n: f for n, f in self._values.items() if not self._hangs(n)}
        if not due:
            return {}
        if self._worker is None:
            self._worker = _Worker()
        worker = self._worker
        round_ = worker.ask(due)
        if not round_.done.wait(self._patience_s):
            self._give_up(worker, round_)
        self.failures.update(round_.failed)
        return dict(round_.found)

    def close(self) -> None:
        """Let the thread end."""
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def _hangs(self, name: str) -> bool:
        worker = self._hanging.get(name)
        if worker is not None and not worker.thread.is_alive():
            del self._hanging[name]
            return False
        return worker is not None

    def _give_up(self, worker: _Worker, round_: _Round) -> None:
        """Leave *worker* alone with the callback that hangs."""
        round_.given_up = True
        worker.end()
        self._worker = None
        if (name := round_.asking) is not None:
            self._hanging[name] = worker
            self.failures[name] += 1


class _Round:
    def __init__(self, due: Mapping[str, Value]) -> None:
        self.due = due
        self.found: dict[str, float] = {}
        self.failed: list[str] = []
        self.asking: str | None = None
        self.given_up = False
        self.done = threading.Event()


class _Worker:
    def __init__(self) -> None:
        self._rounds: SimpleQueue[_Round | None] = SimpleQueue()
        self.thread = threading.Thread(
            target=self._run, name="metrics values", daemon=True
        )
        self.thread.start()

    def ask(self, due: Mapping[str, Value]) -> _Round:
        round_ = _Round(due)
        self._rounds.put(round_)
        return round_

    def end(self) -> None:
        self._rounds.put(None)

    def _run(self) -> None:
        while (round_ := self._rounds.get()) is not None:
            for name, function in round_.due.items():
                round_.asking = name
                try:
                    found = _numbers(name, function)
                except BaseException:  # noqa: BLE001 - counted; even SystemExit is theirs
                    found = None
                if round_.given_up:
                    return
                if found is None:
                    round_.failed.append(name)
                else:
                    round_.found.update(found)
            round_.asking = None
            round_.done.set()


def _numbers(name: str, function: Value) -> dict[str, float] | None:
    said: Any = function()
    if isinstance(said, Mapping):
        return {f"{name}.{key}": float(value) for key, value in said.items()}
    if hasattr(said, "close") and hasattr(said, "send"):
        said.close()  # a coroutine: nobody will await it
        return None
    return {name: float(said)}
