"""Add node metrics and their daily statistics

Why:   processes report every ten seconds; the days outlive the samples.
Lock:  none on existing tables; a new object is seen by nobody before commit.
Phase: expand - nothing existed before that could stop working.
Back:  drops the view, the function and the tables, with every daily partition. The rows
       are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "fb447a73537b"
down_revision = "acfe33d7f24c"
branch_labels = None
depends_on = None


def _create_nodes() -> None:
    op.create_table(
        "nodes",
        sa.Column(
            "node_id",
            sa.Text(),
            nullable=False,
            comment="Same value as metrics.node_id (PB_NODE_ID)",
        ),
        sa.Column(
            "kind",
            sa.String(length=20),
            server_default="api",
            nullable=False,
            comment="api, worker, gateway, gpu or database",
        ),
        sa.Column("hostname", sa.Text(), comment="Host name"),
        sa.Column("version", sa.String(length=50), comment="Software version"),
        sa.Column("region", sa.String(length=50), comment="Site"),
        sa.Column(
            "capacity",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="CPU, memory, GPU",
        ),
        sa.Column(
            "labels",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Scheduling labels",
        ),
        sa.Column(
            "status",
            sa.String(length=20),
            server_default="up",
            nullable=False,
            comment="up, draining or down",
        ),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Start of the process",
        ),
        sa.Column(
            "last_seen_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Last heartbeat",
        ),
        sa.CheckConstraint(
            "kind IN ('api', 'worker', 'gateway', 'gpu', 'database')",
            name=op.f("ck_nodes_kind"),
        ),
        sa.CheckConstraint(
            "status IN ('up', 'draining', 'down')", name=op.f("ck_nodes_status")
        ),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_nodes")),
        schema="monitoring",
        comment="Registry of platform processes and machines",
        postgresql_with={"fillfactor": 50},
    )


def _create_metrics() -> None:
    op.create_table(
        "metrics",
        sa.Column(
            "time",
            sa.DateTime(),
            nullable=False,
            comment="Sample time in UTC, partition key (seed)",
        ),
        sa.Column("node_id", sa.Text(), nullable=False, comment="Node (seed)"),
        sa.Column(
            "sys_mem_mb", sa.Integer(), comment="Memory of the process in MB (seed)"
        ),
        sa.Column(
            "go_routines",
            sa.Integer(),
            comment="Concurrent tasks: goroutines, threads or asyncio tasks (seed)",
        ),
        sa.Column(
            "db_open_conns", sa.Integer(), comment="Open database connections (seed)"
        ),
        sa.Column(
            "db_wait_count", sa.Integer(), comment="Waits for a connection (seed)"
        ),
        sa.Column(
            "extra",
            postgresql.JSONB(),
            comment="Anything else, e.g. cpu, gpu, queue depth (seed)",
        ),
        schema="monitoring",
        comment="Node samples, one row per node and interval (seed table)",
        info={"partition_persistence": "unlogged"},
        postgresql_partition_by="RANGE (time)",
    )
    op.create_index(
        "idx_monitor_time",
        "metrics",
        ["time"],
        schema="monitoring",
        postgresql_using="brin",
    )
    op.create_index(
        "ix_metrics_node_id_time",
        "metrics",
        ["node_id", sa.text("time DESC")],
        schema="monitoring",
    )


def _create_daily_stats_archive() -> None:
    op.create_table(
        "daily_stats_archive",
        sa.Column(
            "day",
            sa.DateTime(),
            nullable=False,
            comment="UTC day, same type as daily_stats.day",
        ),
        sa.Column("node_id", sa.Text(), nullable=False, comment="Node"),
        sa.Column("avg_mem", sa.Numeric(), comment="Mean memory"),
        sa.Column("max_mem", sa.Integer(), comment="Peak memory"),
        sa.Column("avg_goroutines", sa.Numeric(), comment="Mean concurrent tasks"),
        sa.Column("max_conns", sa.Integer(), comment="Peak connections"),
        sa.Column(
            "archived_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was copied",
        ),
        sa.PrimaryKeyConstraint("day", "node_id", name=op.f("pk_daily_stats_archive")),
        schema="monitoring",
        comment="Daily statistics that survive a crash and the pruning of raw samples",
    )


def upgrade() -> None:
    as_owner()
    _create_nodes()
    _create_metrics()
    apply_sql("fb447a73537b_monitoring_daily_stats")
    _create_daily_stats_archive()
    apply_sql("fb447a73537b_monitoring_archive_daily_stats")


def downgrade() -> None:
    as_owner()
    op.execute("DROP FUNCTION monitoring.archive_daily_stats()")
    op.drop_table("daily_stats_archive", schema="monitoring")
    op.execute("DROP MATERIALIZED VIEW monitoring.daily_stats")
    op.drop_table("metrics", schema="monitoring")
    op.drop_table("nodes", schema="monitoring")
