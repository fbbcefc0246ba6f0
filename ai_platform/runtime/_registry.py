"""The row of this process in `monitoring.nodes`, kept alive."""

from __future__ import annotations

import logging
import os
import socket
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from psycopg import errors
from psycopg.types.json import Jsonb

from ai_platform.errors import BadValue
from ai_platform.names import NODES

from ._process import machine_memory_mb

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

__all__ = ["KINDS", "Registry"]

_LOGGER: Final = logging.getLogger("ai_platform.runtime.metrics")

KINDS: Final = ("api", "worker", "gateway", "gpu", "database")

# the status stays: draining is an operator's word
_HEARTBEAT: Final = f"""
    UPDATE {NODES} SET last_seen_at = greatest(last_seen_at, now())
     WHERE node_id = %s RETURNING started_at, hostname, status
"""
_SIGN_IN: Final = f"""
    INSERT INTO {NODES} AS n (node_id, kind, hostname, version, capacity, status,
                              started_at, last_seen_at)
    VALUES (%(node_id)s, %(kind)s, %(hostname)s, %(version)s, %(capacity)s, 'up',
            now() - make_interval(secs => %(age_s)s), now())
    ON CONFLICT (node_id) DO UPDATE
       SET kind = excluded.kind, hostname = excluded.hostname,
           version = excluded.version, status = 'up',
           started_at = excluded.started_at, last_seen_at = now()
    RETURNING started_at
"""
_SIGN_OFF: Final = f"""
    UPDATE {NODES} SET status = 'down', last_seen_at = greatest(last_seen_at, now())
     WHERE node_id = %s AND started_at = %s
"""
_VERSION_LENGTH: Final = 50


class Registry:
    """Signs in, once per process, and says it is alive at every write.

    Whoever calls `heartbeat` in a transaction calls `committed` after it.
    """

    def __init__(self, node_id: str, kind: str, version: str | None) -> None:
        if kind not in KINDS:
            raise BadValue(
                f"kind of a node: got {kind!r}", hint=f"one of {', '.join(KINDS)}"
            )
        self._node_id = node_id
        self._values = {
            "node_id": node_id,
            "kind": kind,
            "hostname": socket.gethostname(),
            "version": version[:_VERSION_LENGTH] if version else None,
        }
        self._began = monotonic()
        self._started_at: datetime | None = None
        self._is_known = False
        self._may = True
        self.problem = ""

    @property
    def is_kept(self) -> bool:
        """Whether the row of this process is there for others to see."""
        return self._may and self._is_known

    def connected(self) -> None:
        """Try again what the connection before was not allowed."""
        self._may = True

    async def heartbeat(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Say that this process is alive; without the right, say so once."""
        if not self._may:
            return
        try:
            async with connection.transaction():  # a refusal ends this one alone
                await self._beat(connection)
        except (errors.InsufficientPrivilege, errors.UndefinedTable) as error:
            self._may = False
            self._say(
                f"the registry of nodes is not kept: {error.diag.message_primary}"
            )

    def committed(self) -> None:
        """Take note that others can see what the last heartbeat wrote."""
        self._is_known = self._started_at is not None

    async def _beat(self, connection: psycopg.AsyncConnection[Any]) -> None:
        row = None
        if self._started_at is not None:
            cursor = await connection.execute(_HEARTBEAT, [self._node_id])
            row = await cursor.fetchone()
        if row is None or row[2] == "down":
            await self._sign_in(connection)
            self.problem = ""
        else:
            self._compare(row[0], row[1])

    async def sign_off(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Say that this process is down, unless another took its name."""
        if self.is_kept:
            await connection.execute(_SIGN_OFF, [self._node_id, self._started_at])

    async def _sign_in(self, connection: psycopg.AsyncConnection[Any]) -> None:
        capacity = {"cpus": os.cpu_count(), "memory_mb": machine_memory_mb()}
        values = {
            **self._values,
            "capacity": Jsonb({k: v for k, v in capacity.items() if v is not None}),
            "age_s": monotonic() - self._began,
        }
        row = await (await connection.execute(_SIGN_IN, values)).fetchone()
        self._started_at = row[0] if row else None

    def _compare(self, started_at: datetime, hostname: str | None) -> None:
        """Notice that another process signed in under the same name."""
        if started_at != self._started_at:
            self._say(
                f"node id {self._node_id!r} is that of another process too, "
                f"on {hostname}: give each a PB_NODE_ID of its own"
            )

    def _say(self, problem: str) -> None:
        if problem != self.problem:
            _LOGGER.warning("%s", problem)
        self.problem = problem
