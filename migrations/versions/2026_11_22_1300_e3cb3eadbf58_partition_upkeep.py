"""Add partition policies and the first partitions

Why:   there is no default partition: partitions are made ahead, and a writer who finds
       none can make the one it needs.
Lock:  SHARE UPDATE EXCLUSIVE on the four partitioned parents until commit: readers and
       writers go on.
Phase: expand - nothing existed before that could stop working.
Back:  drops all time partitions of the four parents, then functions, view and table.
       The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.ddl import apply_sql, as_owner

revision = "e3cb3eadbf58"
down_revision = "4a40ccfda27c"
branch_labels = None
depends_on = None


def _create_partition_policies() -> None:
    op.create_table(
        "partition_policies",
        sa.Column(
            "parent_table",
            sa.Text(),
            nullable=False,
            comment="schema.table of the parent",
        ),
        sa.Column(
            "partition_schema",
            sa.Text(),
            nullable=False,
            comment="Schema its partitions are put into",
        ),
        sa.Column(
            "granularity",
            sa.String(length=10),
            nullable=False,
            comment="day, week or month",
        ),
        sa.Column(
            "precreate",
            sa.SmallInteger(),
            server_default=sa.text("7"),
            nullable=False,
            comment="Partitions made ahead of the current one; there is no default partition",
        ),
        sa.Column(
            "retention",
            sa.Interval(),
            comment="Age at which a whole partition is dropped; NULL keeps everything",
        ),
        sa.Column(
            "is_unlogged",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="New partitions are UNLOGGED: no WAL, empty after a crash",
        ),
        sa.Column(
            "is_enabled",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="False leaves the table alone",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Last change, kept by trigger",
        ),
        sa.CheckConstraint(
            "granularity IN ('day', 'week', 'month')",
            name=op.f("ck_partition_policies_granularity"),
        ),
        sa.CheckConstraint(
            "retention > interval '0'", name=op.f("ck_partition_policies_retention")
        ),
        sa.CheckConstraint(
            "precreate BETWEEN 1 AND 400", name=op.f("ck_partition_policies_precreate")
        ),
        sa.PrimaryKeyConstraint("parent_table", name=op.f("pk_partition_policies")),
        schema="monitoring",
        comment="How each time-partitioned table is extended and pruned",
    )


def upgrade() -> None:
    as_owner()
    _create_partition_policies()
    apply_sql("e3cb3eadbf58_monitoring_partition_ranges")
    apply_sql("e3cb3eadbf58_monitoring_create_partition")
    apply_sql("e3cb3eadbf58_monitoring_ensure_partitions")
    apply_sql("e3cb3eadbf58_monitoring_ensure_partition_for")
    apply_sql("e3cb3eadbf58_monitoring_expired_partitions")
    apply_sql("e3cb3eadbf58_monitoring_partition_status")
    apply_sql("e3cb3eadbf58_policies")
    apply_sql("e3cb3eadbf58_first_partitions")


def downgrade() -> None:
    as_owner()
    apply_sql("e3cb3eadbf58_first_partitions_back")
    op.execute("DROP VIEW monitoring.partition_status")
    op.execute("DROP FUNCTION monitoring.expired_partitions(text, timestamptz)")
    op.execute("DROP FUNCTION monitoring.ensure_partition_for(text, timestamptz)")
    op.execute("DROP FUNCTION monitoring.ensure_partitions(text, timestamptz)")
    op.execute(
        "DROP FUNCTION monitoring.create_partition(regclass, timestamptz, timestamptz, boolean, text)"
    )
    op.execute("DROP FUNCTION monitoring.partition_ranges(regclass)")
    op.drop_table("partition_policies", schema="monitoring")
