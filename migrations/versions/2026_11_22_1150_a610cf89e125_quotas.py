"""Add quotas

Why:   use is limited per organization, user, key, service or endpoint, all or nothing
       per call.
Lock:  SHARE ROW EXCLUSIVE on auth.api_keys, auth.organizations, auth.users,
       service_platform.endpoints and service_platform.services until commit: writers
       wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the function and the table. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.ddl import apply_sql, as_owner

revision = "a610cf89e125"
down_revision = "19aa0bea777e"
branch_labels = None
depends_on = None


def _create_quotas() -> None:
    op.create_table(
        "quotas",
        sa.Column(
            "id",
            sa.Integer(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key; counters are always taken in id order",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            nullable=False,
            comment="Tenant; alone it is the limit of the whole organization",
        ),
        sa.Column("user_id", sa.Integer(), comment="Limit of a user"),
        sa.Column("api_key_id", sa.Uuid(), comment="Limit of a key"),
        sa.Column("service_id", sa.Integer(), comment="Limit of a service"),
        sa.Column("endpoint_id", sa.Integer(), comment="Limit of an endpoint"),
        sa.Column(
            "metric",
            sa.String(length=20),
            nullable=False,
            comment="requests, input_tokens, output_tokens, total_tokens or cost",
        ),
        sa.Column(
            "window_kind",
            sa.String(length=10),
            nullable=False,
            comment="minute, hour, day, month or total (UTC calendar windows)",
        ),
        sa.Column(
            "limit_value",
            sa.Numeric(precision=20, scale=6),
            nullable=False,
            comment="Hard limit",
        ),
        sa.Column(
            "soft_value", sa.Numeric(precision=20, scale=6), comment="Alert threshold"
        ),
        sa.Column(
            "is_enforced",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="False only alerts",
        ),
        sa.Column(
            "used_value",
            sa.Numeric(precision=20, scale=10),
            server_default=sa.text("0"),
            nullable=False,
            comment="Used in the current window",
        ),
        sa.Column(
            "window_started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Start of the current window; rolls over lazily, without a reset job",
        ),
        sa.Column("created_by", sa.Integer(), comment="Author"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Creation time",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Last change of the limit, not of the counter",
        ),
        sa.CheckConstraint(
            "metric IN ('requests', 'input_tokens', 'output_tokens', 'total_tokens', 'cost')",
            name=op.f("ck_quotas_metric"),
        ),
        sa.CheckConstraint(
            "window_kind IN ('minute', 'hour', 'day', 'month', 'total')",
            name=op.f("ck_quotas_window_kind"),
        ),
        sa.CheckConstraint(
            "limit_value >= 0 AND used_value >= 0 AND (soft_value IS NULL OR soft_value <= limit_value)",
            name=op.f("ck_quotas_values"),
        ),
        sa.ForeignKeyConstraint(
            ["api_key_id", "organization_id"],
            ["auth.api_keys.id", "auth.api_keys.organization_id"],
            name=op.f("fk_quotas_api_key_id_api_keys"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_quotas_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id", "organization_id"],
            [
                "service_platform.endpoints.id",
                "service_platform.endpoints.organization_id",
            ],
            name=op.f("fk_quotas_endpoint_id_endpoints"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_quotas_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["service_id", "organization_id"],
            [
                "service_platform.services.id",
                "service_platform.services.organization_id",
            ],
            name=op.f("fk_quotas_service_id_services"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["auth.users.id"],
            name=op.f("fk_quotas_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotas")),
        sa.UniqueConstraint(
            "organization_id",
            "user_id",
            "api_key_id",
            "service_id",
            "endpoint_id",
            "metric",
            "window_kind",
            name="uq_quotas_target",
            postgresql_nulls_not_distinct=True,
        ),
        schema="service_platform",
        comment="Budget or rate limit with its running counter",
        postgresql_with={"fillfactor": 50},
    )
    op.create_index(
        "ix_quotas_api_key_id",
        "quotas",
        ["api_key_id", "organization_id"],
        schema="service_platform",
        postgresql_where=sa.text("api_key_id IS NOT NULL"),
    )
    op.create_index(
        "ix_quotas_created_by",
        "quotas",
        ["created_by"],
        schema="service_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_quotas_endpoint_id",
        "quotas",
        ["endpoint_id", "organization_id"],
        schema="service_platform",
        postgresql_where=sa.text("endpoint_id IS NOT NULL"),
    )
    op.create_index(
        "ix_quotas_service_id",
        "quotas",
        ["service_id", "organization_id"],
        schema="service_platform",
        postgresql_where=sa.text("service_id IS NOT NULL"),
    )
    op.create_index(
        "ix_quotas_user_id",
        "quotas",
        ["user_id"],
        schema="service_platform",
        postgresql_where=sa.text("user_id IS NOT NULL"),
    )


def upgrade() -> None:
    as_owner()
    _create_quotas()
    apply_sql("a610cf89e125_service_platform_consume_quotas")


def downgrade() -> None:
    as_owner()
    op.execute("DROP FUNCTION service_platform.consume_quotas(integer[], numeric[])")
    op.drop_table("quotas", schema="service_platform")
