"""Add the usage ledger and its daily sums

Why:   every call is kept once with its cost; invoices are sums of that.
Lock:  SHARE ROW EXCLUSIVE on auth.organizations until commit: writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the function and the tables, with every weekly partition. The rows are
       lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "acfe33d7f24c"
down_revision = "a610cf89e125"
branch_labels = None
depends_on = None


def _create_invocations() -> None:
    op.create_table(
        "invocations",
        sa.Column(
            "id",
            sa.Uuid(),
            server_default=sa.text("uuid_generate_v7()"),
            nullable=False,
            comment="Request id; a retry carries the same one and is refused as a duplicate",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Time inside the id (uuid_v7_timestamp), partition key",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            nullable=False,
            comment="Tenant",
        ),
        sa.Column(
            "service_id",
            sa.Integer(),
            comment="Service; no foreign key: the ledger outlives what it names",
        ),
        sa.Column("endpoint_id", sa.Integer(), comment="Endpoint"),
        sa.Column("deployment_id", sa.BigInteger(), comment="Deployment that answered"),
        sa.Column(
            "model_version_id", sa.BigInteger(), comment="Model version that answered"
        ),
        sa.Column("prompt_version_id", sa.BigInteger(), comment="Prompt version used"),
        sa.Column("api_key_id", sa.Uuid(), comment="Key that paid"),
        sa.Column("user_id", sa.Integer(), comment="Platform user"),
        sa.Column("end_user", sa.String(length=200), comment="Caller's own user id"),
        sa.Column(
            "operation",
            sa.String(length=30),
            nullable=False,
            comment="chat, completion, embedding, rerank, predict, image, audio ...",
        ),
        sa.Column(
            "provider",
            sa.String(length=50),
            comment="Upstream provider; NULL when self-hosted",
        ),
        sa.Column("model_name", sa.String(length=200), comment="Model as billed"),
        sa.Column(
            "status_code", sa.SmallInteger(), nullable=False, comment="HTTP status"
        ),
        sa.Column("error_type", sa.String(length=100), comment="Class of error"),
        sa.Column(
            "is_cached",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Answered from cache",
        ),
        sa.Column(
            "input_tokens",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Tokens in",
        ),
        sa.Column(
            "output_tokens",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Tokens out",
        ),
        sa.Column(
            "cached_tokens",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Input tokens billed at the cache rate",
        ),
        sa.Column(
            "cost",
            sa.Numeric(precision=20, scale=10),
            server_default=sa.text("0"),
            nullable=False,
            comment="Exact cost; never floating point",
        ),
        sa.Column(
            "currency",
            sa.CHAR(length=3),
            server_default="USD",
            nullable=False,
            comment="ISO 4217",
        ),
        sa.Column("latency_ms", sa.Integer(), comment="Total time"),
        sa.Column("first_token_ms", sa.Integer(), comment="Time to first token"),
        sa.Column(
            "trace_id", sa.Uuid(), comment="Correlation with traces and request_logs"
        ),
        sa.Column("node_id", sa.Text(), comment="Node that served it"),
        sa.Column(
            "tags", postgresql.JSONB(), comment="Caller's labels for cost allocation"
        ),
        sa.CheckConstraint(
            "created_at = public.uuid_v7_timestamp(id)",
            name=op.f("ck_invocations_created_at"),
        ),
        sa.CheckConstraint(
            "input_tokens >= 0 AND output_tokens >= 0 AND cached_tokens >= 0 AND cost >= 0",
            name=op.f("ck_invocations_counts"),
        ),
        sa.PrimaryKeyConstraint("id", "created_at", name=op.f("pk_invocations")),
        schema="service_platform",
        comment="Usage ledger: one row per call, the source of every bill",
        postgresql_partition_by="RANGE (created_at)",
    )
    op.create_index(
        "ix_invocations_api_key_id",
        "invocations",
        ["api_key_id", sa.text("created_at DESC")],
        schema="service_platform",
        postgresql_where=sa.text("api_key_id IS NOT NULL"),
    )
    op.create_index(
        "ix_invocations_organization_id",
        "invocations",
        ["organization_id", sa.text("created_at DESC")],
        schema="service_platform",
    )
    op.create_index(
        "ix_invocations_service_id",
        "invocations",
        ["service_id", sa.text("created_at DESC")],
        schema="service_platform",
        postgresql_where=sa.text("service_id IS NOT NULL"),
    )
    op.create_index(
        "ix_invocations_trace_id",
        "invocations",
        ["trace_id"],
        schema="service_platform",
        postgresql_using="hash",
        postgresql_where=sa.text("trace_id IS NOT NULL"),
    )


def _create_usage_daily() -> None:
    op.create_table(
        "usage_daily",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key",
        ),
        sa.Column("day", sa.Date(), nullable=False, comment="UTC day"),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            nullable=False,
            comment="Tenant",
        ),
        sa.Column("service_id", sa.Integer(), comment="Service"),
        sa.Column("api_key_id", sa.Uuid(), comment="Key"),
        sa.Column("user_id", sa.Integer(), comment="User"),
        sa.Column("model_name", sa.String(length=200), comment="Model as billed"),
        sa.Column(
            "currency",
            sa.CHAR(length=3),
            server_default="USD",
            nullable=False,
            comment="ISO 4217",
        ),
        sa.Column(
            "requests",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Calls",
        ),
        sa.Column(
            "errors",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Calls with status 400 and above",
        ),
        sa.Column(
            "input_tokens",
            sa.Numeric(precision=20),
            server_default=sa.text("0"),
            nullable=False,
            comment="Tokens in",
        ),
        sa.Column(
            "output_tokens",
            sa.Numeric(precision=20),
            server_default=sa.text("0"),
            nullable=False,
            comment="Tokens out",
        ),
        sa.Column(
            "cached_tokens",
            sa.Numeric(precision=20),
            server_default=sa.text("0"),
            nullable=False,
            comment="Tokens at the cache rate",
        ),
        sa.Column(
            "cost",
            sa.Numeric(precision=24, scale=10),
            server_default=sa.text("0"),
            nullable=False,
            comment="Exact cost",
        ),
        sa.Column(
            "latency_ms_sum",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="For averages",
        ),
        sa.Column(
            "computed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the day was last summed",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_usage_daily_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_daily")),
        sa.UniqueConstraint(
            "day",
            "organization_id",
            "service_id",
            "api_key_id",
            "user_id",
            "model_name",
            "currency",
            name="uq_usage_daily_bucket",
            postgresql_nulls_not_distinct=True,
        ),
        schema="service_platform",
        comment="Ledger summed per day; stays when ledger partitions are dropped",
    )
    op.create_index(
        "ix_usage_daily_organization_id",
        "usage_daily",
        ["organization_id", "day"],
        schema="service_platform",
    )


def upgrade() -> None:
    as_owner()
    _create_invocations()
    _create_usage_daily()
    apply_sql("acfe33d7f24c_service_platform_rollup_usage")


def downgrade() -> None:
    as_owner()
    op.execute("DROP FUNCTION service_platform.rollup_usage(date)")
    op.drop_table("usage_daily", schema="service_platform")
    op.drop_table("invocations", schema="service_platform")
