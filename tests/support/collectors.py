"""Collectors of metrics on the database of a test, ended with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ai_platform.runtime import MetricsCollector, _metrics_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .database import Database

__all__ = ["Patient", "Service"]


class Patient(MetricsCollector):
    """Gives the server of a test a minute, not five seconds."""

    def flush(self, timeout: float = 60) -> bool:
        """Write a row of now."""
        return super().flush(timeout)

    def close(self, timeout: float = 60) -> bool:
        """Write the last row, sign off, end."""
        return super().close(timeout)


class Service:
    """Makes collectors on one database, each ended with the test."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.made: list[MetricsCollector] = []
        self._watch = database.connect()

    def __call__(self, login: str = "app", **options: Any) -> MetricsCollector:
        """Return a started collector that writes when it is told to."""
        options = {"node_id": "n1", "interval": 60, **options}
        url = self.database.login(login).url
        self.made.append(Patient(url, **options).start())
        return self.made[-1]

    def rows(self) -> list[tuple[Any, ...]]:
        """Return time, node and extra of every row."""
        query = "SELECT time, node_id, extra FROM monitoring.metrics ORDER BY time"
        return self._watch.execute(query).fetchall()

    def node(self, name: str = "n1") -> tuple[Any, ...] | None:
        """Return kind, status and version of a node."""
        query = "SELECT kind, status, version FROM monitoring.nodes WHERE node_id = %s"
        return self._watch.execute(query, [name]).fetchone()


@pytest.fixture
def service(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Give a maker of collectors on a database without any partition made ahead."""
    monkeypatch.setattr(_metrics_store, "_STEP_TIMEOUT_S", 60.0)
    made = Service(database)
    yield made
    for collector in made.made:
        collector.close(1)
