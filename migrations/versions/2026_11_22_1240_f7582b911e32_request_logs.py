"""Add the request log

Why:   clients of the seeds COPY into public.request_logs; a tenant reads its own rows
       through a view.
Lock:  none on existing tables; a new object is seen by nobody before commit.
Phase: expand - nothing existed before that could stop working.
Back:  drops the view and the table, with every daily partition. The rows are lost;
       restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "f7582b911e32"
down_revision = "e31dba63dfd0"
branch_labels = None
depends_on = None


def _create_request_logs() -> None:
    op.create_table(
        "request_logs",
        sa.Column(
            "id", sa.Uuid(), nullable=False, comment="UUID v7 made by the writer (seed)"
        ),
        sa.Column(
            "created",
            sa.DateTime(),
            server_default=sa.text("(now() AT TIME ZONE 'UTC')"),
            nullable=False,
            comment="Request time in UTC, partition key (seed; the seed default NOW() follows the session time zone)",
        ),
        sa.Column(
            "url",
            sa.Text(),
            comment="Path and query, secrets stripped by the writer (seed)",
        ),
        sa.Column("method", sa.Text(), comment="HTTP method (seed)"),
        sa.Column("status", sa.Integer(), comment="HTTP status (seed)"),
        sa.Column("auth", sa.Text(), comment="Caller id (seed)"),
        sa.Column("remote_ip", sa.Text(), comment="Client address (seed)"),
        sa.Column("user_agent", sa.Text(), comment="Client software (seed)"),
        sa.Column("meta", postgresql.JSONB(), comment="Extra fields (seed)"),
        sa.Column("referer", sa.Text(), comment="Referrer (seed)"),
        sa.Column("organization_id", sa.Integer(), comment="Tenant, when known"),
        sa.Column("duration_ms", sa.Integer(), comment="Time taken"),
        sa.Column(
            "trace_id",
            sa.Uuid(),
            comment="Correlation with service_platform.invocations",
        ),
        comment="HTTP request log, written in batches with COPY (seed table)",
        info={"partition_persistence": "unlogged"},
        postgresql_partition_by="RANGE (created)",
    )
    op.create_index(
        "idx_logs_auth",
        "request_logs",
        ["auth"],
        postgresql_where=sa.text("auth IS NOT NULL"),
    )
    op.create_index("idx_logs_created", "request_logs", ["created"])
    op.create_index(
        "idx_logs_status",
        "request_logs",
        ["status"],
        postgresql_where=sa.text("status >= 400"),
    )


def upgrade() -> None:
    as_owner()
    _create_request_logs()
    apply_sql("f7582b911e32_logs_tenant_request_logs")


def downgrade() -> None:
    as_owner()
    op.execute("DROP VIEW logs.tenant_request_logs")
    op.drop_table("request_logs")
