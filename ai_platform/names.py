"""The few names of the schema that this package uses; a test holds them to models."""

from __future__ import annotations

from typing import Final

OWNER: Final = "platform_owner"
MIGRATOR: Final = "platform_migrator"
APP: Final = "platform_app"
WORKER: Final = "platform_worker"
READONLY: Final = "platform_readonly"
LOG_WRITER: Final = "platform_log_writer"
ROLES: Final = (OWNER, MIGRATOR, APP, WORKER, READONLY, LOG_WRITER)

SCHEMAS: Final = (
    "auth",
    "data_platform",
    "algo_platform",
    "model_platform",
    "service_platform",
    "monitoring",
    "logs",
)
VERSION_TABLE: Final = "alembic_version"
VERSION_TABLE_SCHEMA: Final = "public"
JOURNAL_SCHEMA: Final = "platform_meta"

PARTITION_POLICIES: Final = "monitoring.partition_policies"
RUNTIME_PARTITIONED: Final = (
    "data_platform.chunk_embeddings",
    "public.request_logs",
    "logs.audit_log",
    "monitoring.metrics",
    "service_platform.invocations",
)
"""Parents whose partitions come at run time: one per embedding model, or by policy."""
CREATE_PARTITION: Final = "monitoring.create_partition"
METRICS: Final = "monitoring.metrics"
ARCHIVE_DAILY_STATS: Final = "monitoring.archive_daily_stats"
NODES: Final = "monitoring.nodes"
DAILY_STATS: Final = "monitoring.daily_stats"
DAILY_STATS_ARCHIVE: Final = "monitoring.daily_stats_archive"
ENSURE_PARTITION_FOR: Final = "monitoring.ensure_partition_for"
REQUEST_LOGS: Final = "public.request_logs"
