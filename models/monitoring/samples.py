"""Declare nodes, what they measure of themselves and how long it is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    Interval,
    Numeric,
    SmallInteger,
    String,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models._base import Base, UpdatedAt, one_of


class Node(Base):
    """Registry of platform processes and machines."""

    __tablename__ = "nodes"

    node_id: Mapped[str] = mapped_column(
        primary_key=True, comment="Same value as metrics.node_id (PB_NODE_ID)"
    )
    kind: Mapped[str] = mapped_column(
        String(20),
        server_default="api",
        comment="api, worker, gateway, gpu or database",
    )
    hostname: Mapped[str | None] = mapped_column(comment="Host name")
    version: Mapped[str | None] = mapped_column(String(50), comment="Software version")
    region: Mapped[str | None] = mapped_column(String(50), comment="Site")
    capacity: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="CPU, memory, GPU"
    )
    labels: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Scheduling labels"
    )
    status: Mapped[str] = mapped_column(
        String(20), server_default="up", comment="up, draining or down"
    )
    started_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="Start of the process"
    )
    last_seen_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="Last heartbeat"
    )

    __table_args__ = (
        one_of("kind", "api", "worker", "gateway", "gpu", "database"),
        one_of("status", "up", "draining", "down"),
        {
            "schema": "monitoring",
            "comment": "Registry of platform processes and machines",
            "postgresql_with": {"fillfactor": 50},
        },
    )


class Metric(Base):
    """Node samples, one row per node and interval (seed table)."""

    __tablename__ = "metrics"

    time: Mapped[datetime] = mapped_column(
        DateTime(timezone=False), comment="Sample time in UTC, partition key (seed)"
    )
    node_id: Mapped[str] = mapped_column(comment="Node (seed)")
    sys_mem_mb: Mapped[int | None] = mapped_column(
        comment="Memory of the process in MB (seed)"
    )
    go_routines: Mapped[int | None] = mapped_column(
        comment="Concurrent tasks: goroutines, threads or asyncio tasks (seed)"
    )
    db_open_conns: Mapped[int | None] = mapped_column(
        comment="Open database connections (seed)"
    )
    db_wait_count: Mapped[int | None] = mapped_column(
        comment="Waits for a connection (seed)"
    )
    extra: Mapped[dict[str, Any] | None] = mapped_column(
        comment="Anything else, e.g. cpu, gpu, queue depth (seed)"
    )

    __table_args__ = (
        Index("idx_monitor_time", "time", postgresql_using="brin"),
        Index("ix_metrics_node_id_time", "node_id", text("time DESC")),
        {
            "schema": "monitoring",
            "comment": "Node samples, one row per node and interval (seed table)",
            "postgresql_partition_by": "RANGE (time)",
            "info": {"partition_persistence": "unlogged"},
        },
    )
    # no primary key in the database, so that appending stays cheap: these columns
    # tell rows apart for the mapper alone, nothing keeps them unique
    __mapper_args__ = {"primary_key": ["node_id", "time"], "eager_defaults": True}


class ArchivedDailyStats(Base):
    """Daily statistics that survive a crash and the pruning of raw samples."""

    __tablename__ = "daily_stats_archive"

    day: Mapped[datetime] = mapped_column(
        DateTime(timezone=False),
        primary_key=True,
        comment="UTC day, same type as daily_stats.day",
    )
    node_id: Mapped[str] = mapped_column(primary_key=True, comment="Node")
    avg_mem: Mapped[Decimal | None] = mapped_column(Numeric, comment="Mean memory")
    max_mem: Mapped[int | None] = mapped_column(comment="Peak memory")
    avg_goroutines: Mapped[Decimal | None] = mapped_column(
        Numeric, comment="Mean concurrent tasks"
    )
    max_conns: Mapped[int | None] = mapped_column(comment="Peak connections")
    archived_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When it was copied"
    )
    samples: Mapped[int | None] = mapped_column(
        BigInteger,
        comment=(
            "Rows of metrics it was computed from; NULL when unknown, and then kept as "
            "it is"
        ),
    )

    __table_args__ = (
        {
            "schema": "monitoring",
            "comment": (
                "Daily statistics that survive a crash and the pruning of raw samples"
            ),
        },
    )


class PartitionPolicy(Base):
    """How each time-partitioned table is extended and pruned."""

    __tablename__ = "partition_policies"

    parent_table: Mapped[str] = mapped_column(
        primary_key=True, comment="schema.table of the parent"
    )
    partition_schema: Mapped[str] = mapped_column(
        comment="Schema its partitions are put into"
    )
    granularity: Mapped[str] = mapped_column(String(10), comment="day, week or month")
    precreate: Mapped[int] = mapped_column(
        SmallInteger,
        server_default=text("7"),
        comment=(
            "Partitions made ahead of the current one; there is no default partition"
        ),
    )
    retention: Mapped[timedelta | None] = mapped_column(
        Interval,
        comment="Age at which a whole partition is dropped; NULL keeps everything",
    )
    is_unlogged: Mapped[bool] = mapped_column(
        server_default=text("false"),
        comment="New partitions are UNLOGGED: no WAL, empty after a crash",
    )
    is_enabled: Mapped[bool] = mapped_column(
        server_default=text("true"), comment="False leaves the table alone"
    )
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        one_of("granularity", "day", "week", "month"),
        CheckConstraint("precreate BETWEEN 1 AND 400", name="precreate"),
        CheckConstraint("retention > interval '0'", name="retention"),
        {
            "schema": "monitoring",
            "comment": "How each time-partitioned table is extended and pruned",
        },
    )
