"""A week of demo telemetry, copied into partitions made for its days."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from sqlalchemy import text

from models import Node

from ._world import business, moments, uuid7

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    import psycopg

    from ._people import Tenant
    from ._usage import Ledger
    from ._world import World

__all__ = ["add_nodes", "add_requests", "ensure_week", "refresh_stats"]

_EVERY = timedelta(minutes=5)
_NODES = (
    # node, kind, memory in MB, tasks, connections
    ("demo-api-1", "api", 900, 240, 12),
    ("demo-api-2", "api", 870, 230, 12),
    ("demo-worker-1", "worker", 1400, 60, 6),
    ("demo-gpu-1", "gpu", 9200, 40, 2),
)
_PATHS = ("/api/datasets", "/api/models", "/api/runs", "/api/search", "/healthz")
_OTHERS = 3000
"""Requests beside those to the services: people who look at pages."""
_GONE = 0.03

_PARTITIONS = text("""
    SELECT monitoring.create_partition(
               p.parent_table::regclass, s AT TIME ZONE 'UTC',
               (s + ('1 ' || p.granularity)::interval) AT TIME ZONE 'UTC',
               p.is_unlogged, p.partition_schema)
      FROM monitoring.partition_policies p
     CROSS JOIN LATERAL generate_series(
               date_trunc(p.granularity,
                          CAST(:since AS timestamptz) AT TIME ZONE 'UTC'),
               CAST(:until AS timestamptz) AT TIME ZONE 'UTC',
               ('1 ' || p.granularity)::interval) s
     WHERE p.parent_table IN ('public.request_logs', 'monitoring.metrics',
                              'service_platform.invocations')
     ORDER BY p.parent_table, s
""")


def ensure_week(world: World) -> None:
    """Make the partitions of the week that are missing, as their policies say."""
    bounds = {"since": world.since, "until": world.now}
    world.connection.execute(_PARTITIONS, bounds).all()


def add_nodes(world: World) -> None:
    """Add the machines and what they measured every five minutes."""
    for node, kind, *_ in _NODES:
        world.put(
            Node,
            node_id=node,
            kind=kind,
            hostname=f"{node}.example.com",
            version="1.4.0",
            region="eu-example-1",
            capacity={"cpu": 8, "memory_mb": 16384, "gpu": int(kind == "gpu")},
            labels={"demo": "true"},
            started_at=world.since,
            last_seen_at=world.now,
        )
    columns = "time, node_id, sys_mem_mb, go_routines, db_open_conns, db_wait_count"
    with _copying(world, "monitoring.metrics", f"{columns}, extra") as copy:
        for row in _samples(world):
            copy.write_row(row)


def _samples(world: World) -> Iterator[tuple[Any, ...]]:
    dice = world.dice("metrics")
    moment = world.since
    while moment <= world.now:
        busy = business(moment)
        for node, kind, memory, tasks, connections in _NODES:
            extra = {"cpu": round(0.05 + 0.8 * busy * dice.uniform(0.8, 1), 3)}
            if kind == "gpu":
                extra["gpu"] = round(dice.uniform(0.6, 0.98), 3)
            yield (
                _plain(moment),
                node,
                int(memory * (1 + 0.5 * busy) + dice.gauss(0, memory / 50)),
                int(tasks * (0.3 + busy) + dice.random() * 10),
                int(connections * (0.4 + 0.6 * busy)),
                int(dice.random() < busy / 5),
                json.dumps(extra),
            )
        moment += _EVERY


def add_requests(world: World, ledgers: list[tuple[Tenant, Ledger]]) -> None:
    """Log every request of the ledgers, and the rest of a platform's traffic."""
    columns = (
        "id, created, url, method, status, auth, remote_ip, user_agent, meta, "
        "organization_id, duration_ms, trace_id"
    )
    dice = world.dice("request logs")
    tenants = [tenant for tenant, _ in ledgers]
    with _copying(world, "public.request_logs", columns) as copy:
        for tenant, ledger in ledgers:
            for row in ledger:
                copy.write_row(_call(dice, tenant, row))
        for moment in sorted(moments(dice, world.since, world.now, _OTHERS)):
            copy.write_row(_visit(dice, dice.choice([*tenants, None]), moment))


def _call(dice: random.Random, tenant: Tenant, row: dict[str, Any]) -> tuple[Any, ...]:
    """Return the log line of a request that the ledger holds: the same trace."""
    number, created = uuid7(dice, row["created_at"])
    return (
        number,
        _plain(created),
        f"/v1/{tenant.plan.service}",
        "POST",
        row["status_code"],
        f"key:{tenant.key}",
        f"198.51.100.{dice.randint(1, 40)}",
        "example-client/2.1",
        json.dumps({"node": row["node_id"]}),
        tenant.id,
        row["latency_ms"],
        row["trace_id"],
    )


def _visit(
    dice: random.Random, tenant: Tenant | None, moment: datetime
) -> tuple[Any, ...]:
    number, created = uuid7(dice, moment)
    path = dice.choice(_PATHS) if tenant else "/healthz"
    is_probe = path == "/healthz"
    status = 404 if not is_probe and dice.random() < _GONE else 200
    return (
        number,
        _plain(created),
        path,
        "GET",
        status,
        f"user:{tenant.analyst}" if tenant and not is_probe else None,
        f"192.0.2.{dice.randint(1, 40)}",
        "probe/1.0" if is_probe else "Mozilla/5.0 (example)",
        None,
        tenant.id if tenant else None,
        dice.randint(1, 4) if is_probe else int(dice.lognormvariate(3.6, 0.7)),
        UUID(int=dice.getrandbits(128)),
    )


def refresh_stats(world: World) -> None:
    """Compute the daily statistics, keep the finished days, tell the planner."""
    run = world.connection.exec_driver_sql
    run("REFRESH MATERIALIZED VIEW monitoring.daily_stats")
    run("SELECT monitoring.archive_daily_stats()")
    run(
        "ANALYZE public.request_logs, monitoring.metrics, "
        "service_platform.invocations, data_platform.chunk_embeddings, "
        "data_platform.text_embeddings"
    )


@contextmanager
def _copying(world: World, table: str, columns: str) -> Iterator[psycopg.Copy]:
    """Open COPY into *table* on the connection of this transaction; count the rows."""
    driver = world.connection.connection.driver_connection
    cursor = cast("psycopg.Connection[Any]", driver).cursor()
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        yield copy
    world.rows[table] += cursor.rowcount


def _plain(moment: datetime) -> datetime:
    """Return *moment* as the founding tables hold it: UTC that does not say so."""
    return moment.astimezone(UTC).replace(tzinfo=None)
