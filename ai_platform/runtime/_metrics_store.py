"""Rows of metrics and the registry of nodes, written over one connection.

Everything has a deadline, so that a server that stopped answering is noticed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter, deque
from contextlib import asynccontextmanager
from datetime import UTC
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import errors, sql

from ai_platform.names import ENSURE_PARTITION_FOR, METRICS

from ._environment import KEEPALIVES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ._interval import Row
    from ._registry import Registry

__all__ = ["LOGGER", "Store"]

LOGGER: Final = logging.getLogger("ai_platform.runtime.metrics")
_STEP_TIMEOUT_S: Final = 5.0
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 30.0
_AT_ONCE: Final = 200
_INSERT: Final = f"""
    INSERT INTO {METRICS} (time, node_id, sys_mem_mb, go_routines, db_open_conns,
                           db_wait_count, extra)
    VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb)
"""
_ENSURE: Final = f"SELECT {ENSURE_PARTITION_FOR}(%s, %s)"


class Store:
    """Keeps rows until they are written; the oldest go when there are too many.

    Runs in the event loop of the collector's own thread.
    """

    def __init__(
        self,
        conninfo: str,
        node_id: str,
        registry: Registry,
        *,
        buffer_rows: int,
        role: str | None = None,
    ) -> None:
        self._conninfo = conninfo
        self._node_id = node_id
        self._registry = registry
        self._buffer_rows = buffer_rows
        self._role = role
        self._connection: psycopg.AsyncConnection[Any] | None = None
        # an interval may end, a service may flush and close, all at once
        self._one_at_a_time = asyncio.Lock()
        self._failures = 0
        self._not_before = 0.0
        self._on_the_way = 0
        self.pending: deque[Row] = deque()
        self.written = self.connects = self.partitions_made = 0
        self.dropped: Counter[str] = Counter()
        self.write_s = 0.0
        self.last_error = ""
        self.last_row: Row | None = None

    def keep(self, row: Row) -> None:
        """Take *row* for the next write."""
        while len(self.pending) - self._on_the_way >= self._buffer_rows:
            # what is being written may be in the database already
            del self.pending[self._on_the_way]
            self.dropped["buffer_full"] += 1
        self.pending.append(row)

    async def write(self, *, now: bool = False) -> bool:
        """Write what is pending and sign in; return whether nothing is left.

        Never raises. After a failure it pauses, longer each time, unless *now*.
        """
        async with self._one_at_a_time:
            if not now and monotonic() < self._not_before:
                return False
            return await self._write()

    async def _write(self) -> bool:
        began = monotonic()
        try:
            async with asyncio.timeout(_STEP_TIMEOUT_S):
                connection = await self._connected()
            while self.pending:
                async with asyncio.timeout(_STEP_TIMEOUT_S):
                    await self._write_some(connection)
            async with asyncio.timeout(_STEP_TIMEOUT_S):
                async with self._as_role(connection):
                    await self._registry.heartbeat(connection)
                self._registry.committed()
        except Exception as error:  # noqa: BLE001 - the service must not notice
            await self._failed(error)
            return False
        finally:
            self.write_s += monotonic() - began
        if self._failures:
            LOGGER.info("metrics of %s are written again", self._node_id)
        self._failures, self.last_error = 0, ""
        return True

    async def close(self, timeout_s: float) -> None:
        """Write what is left, sign off, close; within *timeout_s* seconds."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.write(now=True)
                async with self._one_at_a_time:
                    await self._sign_off()
        except Exception as error:  # noqa: BLE001 - it ends anyway
            self.last_error = _line(error)
        finally:
            self.dropped["closed"] += len(self.pending)
            self.pending.clear()
            await self._disconnect()

    async def _sign_off(self) -> None:
        if self._connection is not None:
            async with self._as_role(self._connection):
                await self._registry.sign_off(self._connection)

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        options: dict[str, Any] = {"connect_timeout": 5, **KEEPALIVES}
        connection = await psycopg.AsyncConnection.connect(
            self._conninfo,
            autocommit=True,
            application_name=f"metrics {self._node_id}"[:63],
            client_encoding="utf8",
            prepare_threshold=None,  # a pooler may give every statement another session
            **options,
        )
        self._connection = connection
        self.connects += 1
        self._registry.connected()
        return connection

    async def _write_some(self, connection: psycopg.AsyncConnection[Any]) -> None:
        rows = [self.pending[n] for n in range(min(_AT_ONCE, len(self.pending)))]
        self._on_the_way = len(rows)
        try:
            await self._write_these(connection, rows)
        finally:
            self._on_the_way = 0

    async def _write_these(
        self, connection: psycopg.AsyncConnection[Any], rows: Sequence[Row]
    ) -> None:
        try:
            await self._insert(connection, rows)
        except (errors.DataError, errors.IntegrityError) as error:
            if not _is_about_partition(error) and len(rows) == 1:
                self._drop("refused", error)
                return
            for _ in rows:
                await self._write_one(connection)
            return
        self._done(len(rows))

    async def _write_one(self, connection: psycopg.AsyncConnection[Any]) -> None:
        row = self.pending[0]
        try:
            await self._insert(connection, [row])
        except errors.CheckViolation as error:
            if not _is_about_partition(error):
                self._drop("refused", error)
            elif await self._ensure_partition(connection, row):
                await self._insert(connection, [row])
                self._done(1)
        except (errors.DataError, errors.IntegrityError) as error:
            self._drop("refused", error)
        else:
            self._done(1)

    async def _ensure_partition(
        self, connection: psycopg.AsyncConnection[Any], row: Row
    ) -> bool:
        at = row.time.replace(tzinfo=UTC)
        try:
            async with self._as_role(connection):
                cursor = await connection.execute(_ENSURE, [METRICS, at])
                made = await cursor.fetchone()
        except errors.InvalidParameterValue as error:
            self._drop("outside_window", error)
            return False
        self.partitions_made += bool(made and made[0])
        return True

    @asynccontextmanager
    async def _as_role(
        self, connection: psycopg.AsyncConnection[Any]
    ) -> AsyncIterator[None]:
        """Begin a transaction, under the role where one is given."""
        async with connection.transaction():
            if self._role is not None:
                role = sql.Identifier(self._role)
                await connection.execute(sql.SQL("SET LOCAL ROLE {}").format(role))
            yield

    async def _insert(
        self, connection: psycopg.AsyncConnection[Any], rows: Sequence[Row]
    ) -> None:
        async with self._as_role(connection), connection.cursor() as cursor:
            await cursor.executemany(
                _INSERT,
                [
                    (
                        row.time,
                        self._node_id,
                        row.sys_mem_mb,
                        row.go_routines,
                        row.db_open_conns,
                        row.db_wait_count,
                        row.extra,
                    )
                    for row in rows
                ],
            )

    def _done(self, rows: int) -> None:
        self.written += rows
        for _ in range(rows):
            self.last_row = self._off()

    def _off(self) -> Row:
        """Take off the oldest row, which is written or dropped."""
        self._on_the_way -= 1
        return self.pending.popleft()

    def _drop(self, reason: str, error: Exception) -> None:
        self._off()
        self.dropped[reason] += 1
        self.last_error = _line(error)
        LOGGER.warning(
            "a row of metrics of %s is dropped (%s): %s",
            self._node_id,
            reason,
            _line(error),
        )

    async def _failed(self, error: Exception) -> None:
        self._failures += 1
        self.last_error = _line(error)
        if self._failures == 1:
            LOGGER.warning(
                "metrics of %s are not written, %d kept: %s",
                self._node_id,
                len(self.pending),
                self.last_error,
            )
        # full jitter: a hundred services do not come back in one moment
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._failures, 10))
        self._not_before = monotonic() + random.uniform(0, longest)  # noqa: S311
        # a refusal leaves a connection of use; what else happened may have left none
        if not isinstance(error, psycopg.Error) or error.sqlstate is None:
            await self._disconnect()

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _is_about_partition(error: Exception) -> bool:
    """Return whether it is "no partition found": 23514 without a constraint."""
    return isinstance(error, errors.CheckViolation) and not error.diag.constraint_name


def _line(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    return (str(error).strip().splitlines() or [type(error).__name__])[0].strip()
