"""Numbers of the database and its server, for a collector that looks at both."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import psycopg

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ServerNumbers", "machine"]

_MEMINFO: Final = Path("/proc/meminfo")
# without pg_monitor a login sees its own sessions' transactions only
_NUMBERS: Final = """
    SELECT count(*) FILTER (WHERE a.datname = current_database()) AS connections,
           count(*) FILTER (WHERE a.datname = current_database()
                              AND a.state = 'active') AS active,
           count(*) FILTER (WHERE a.state LIKE 'idle in transaction%%')
               AS idle_in_transaction,
           coalesce(max(extract(epoch FROM now() - a.xact_start))
                    FILTER (WHERE a.pid <> pg_backend_pid()), 0)::float8
               AS oldest_transaction_s,
           (SELECT count(*) FROM pg_catalog.pg_locks l WHERE NOT l.granted)
               AS waiting_locks,
           (pg_database_size(current_database()) / 1048576.0)::float8 AS size_mb
      FROM pg_catalog.pg_stat_activity a
     WHERE a.backend_type = 'client backend'
"""
_STATEMENT_TIMEOUT: Final = "2s"


class ServerNumbers:
    """Asks the database, at most once in *every_s* seconds; a callback of values."""

    def __init__(self, url: str, *, every_s: float) -> None:
        self._url = url
        self._every_s = every_s
        self._connection: psycopg.Connection[Any] | None = None
        self._asked_at = -every_s
        self._latest: dict[str, float] = {}
        self._lock = threading.Lock()

    def __call__(self) -> Mapping[str, float]:
        """Return the numbers by name. Raises psycopg.Error."""
        with self._lock:
            if monotonic() - self._asked_at >= self._every_s:
                self._latest = self._ask()
                self._asked_at = monotonic()
            return self._latest

    def pool(self) -> Mapping[str, int]:
        """Return the connections of the database as numbers of a pool."""
        latest = self._latest
        return {
            "size": int(latest["connections"]),
            "in_use": int(latest["active"]),
            "waiting": int(latest["waiting_locks"]),
        }

    def close(self) -> None:
        """Close the connection."""
        with suppress(psycopg.Error):
            if self._connection is not None:
                self._connection.close()

    def _ask(self) -> dict[str, float]:
        connection = self._connection
        if connection is None or connection.closed:
            connection = self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=5,
                application_name="platform metrics",
                prepare_threshold=None,
            )
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true)", [_STATEMENT_TIMEOUT]
            )
            cursor.execute(_NUMBERS, [])
            row = cursor.fetchone() or ()
            names = [column.name for column in cursor.description or ()]
            return {name: float(v) for name, v in zip(names, row, strict=True)}


def machine() -> dict[str, float]:
    """Return load and memory (MB) of this machine, as far as the system tells."""
    found: dict[str, float] = {}
    with suppress(OSError, AttributeError):
        found["load_1m"] = os.getloadavg()[0]
    with suppress(OSError, ValueError):
        lines = dict(
            line.split(":", 1)
            for line in _MEMINFO.read_text(encoding="ascii").splitlines()
        )
        total, free = (
            int(lines[name].split()[0]) // 1024 for name in ("MemTotal", "MemAvailable")
        )
        found |= {"memory_mb": total, "memory_used_mb": total - free}
    return found
