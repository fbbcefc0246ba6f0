"""Add endpoints and deployments

Why:   traffic of an endpoint is divided over revisions and always adds up.
Lock:  SHARE ROW EXCLUSIVE on auth.users, service_platform.revisions and
       service_platform.services until commit: writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the function and the tables. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.ddl import apply_sql, as_owner

revision = "19aa0bea777e"
down_revision = "4aad4d8e8b4d"
branch_labels = None
depends_on = None


def _create_endpoints() -> None:
    op.create_table(
        "endpoints",
        sa.Column(
            "id",
            sa.Integer(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            nullable=False,
            comment="Tenant",
        ),
        sa.Column("service_id", sa.Integer(), nullable=False, comment="Service"),
        sa.Column(
            "environment",
            sa.String(length=20),
            server_default="production",
            nullable=False,
            comment="development, staging or production",
        ),
        sa.Column("host", sa.String(length=253), nullable=False, comment="Host name"),
        sa.Column(
            "path",
            sa.String(length=512),
            server_default="/",
            nullable=False,
            comment="Path prefix",
        ),
        sa.Column(
            "protocol",
            sa.String(length=20),
            server_default="http",
            nullable=False,
            comment="http, grpc, websocket or openai",
        ),
        sa.Column(
            "auth_mode",
            sa.String(length=20),
            server_default="api_key",
            nullable=False,
            comment="api_key, jwt, mtls or none",
        ),
        sa.Column(
            "timeout_ms",
            sa.Integer(),
            server_default=sa.text("60000"),
            nullable=False,
            comment="Upstream time limit",
        ),
        sa.Column(
            "is_active",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="False answers 404",
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
            comment="Last change, kept by trigger",
        ),
        sa.CheckConstraint(
            "auth_mode IN ('api_key', 'jwt', 'mtls', 'none')",
            name=op.f("ck_endpoints_auth_mode"),
        ),
        sa.CheckConstraint(
            "environment IN ('development', 'staging', 'production')",
            name=op.f("ck_endpoints_environment"),
        ),
        sa.CheckConstraint("path LIKE '/%'", name=op.f("ck_endpoints_path")),
        sa.CheckConstraint(
            "protocol IN ('http', 'grpc', 'websocket', 'openai')",
            name=op.f("ck_endpoints_protocol"),
        ),
        sa.CheckConstraint(
            "timeout_ms BETWEEN 1 AND 3600000", name=op.f("ck_endpoints_timeout_ms")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_endpoints_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["service_id", "organization_id"],
            [
                "service_platform.services.id",
                "service_platform.services.organization_id",
            ],
            name=op.f("fk_endpoints_service_id_services"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoints")),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_endpoints_id_organization_id")
        ),
        sa.UniqueConstraint(
            "id", "service_id", name=op.f("uq_endpoints_id_service_id")
        ),
        sa.UniqueConstraint(
            "service_id",
            "environment",
            name=op.f("uq_endpoints_service_id_environment"),
        ),
        schema="service_platform",
        comment="Stable address of a service in one environment",
    )
    op.create_index(
        "ix_endpoints_created_by",
        "endpoints",
        ["created_by"],
        schema="service_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_endpoints_organization_id",
        "endpoints",
        ["organization_id"],
        schema="service_platform",
    )
    op.create_index(
        "uq_endpoints_host_path",
        "endpoints",
        [sa.text("lower(host)"), "path"],
        unique=True,
        schema="service_platform",
        postgresql_where=sa.text("is_active"),
    )


def _create_deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key",
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
            nullable=False,
            comment="Service: ties endpoint and revision together",
        ),
        sa.Column(
            "endpoint_id",
            sa.Integer(),
            nullable=False,
            comment="Endpoint of that service",
        ),
        sa.Column(
            "revision_id",
            sa.BigInteger(),
            nullable=False,
            comment="Revision of that service",
        ),
        sa.Column(
            "role",
            sa.String(length=10),
            server_default="live",
            nullable=False,
            comment="live or shadow (mirrored, answers discarded)",
        ),
        sa.Column(
            "traffic_weight",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Percent; live deployments of an endpoint add up to 0 or 100 at commit",
        ),
        sa.Column(
            "status",
            sa.String(length=20),
            server_default="pending",
            nullable=False,
            comment="pending, rolling_out, running, degraded, failed or stopped",
        ),
        sa.Column("status_message", sa.Text(), comment="Detail of the status"),
        sa.Column("cluster", sa.String(length=100), comment="Cluster or node pool"),
        sa.Column(
            "desired_replicas",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="Wanted",
        ),
        sa.Column(
            "ready_replicas",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Observed",
        ),
        sa.Column(
            "observed_at",
            sa.DateTime(timezone=True),
            comment="When the controller last reported",
        ),
        sa.Column("created_by", sa.Integer(), comment="Who deployed"),
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
            comment="Last change, kept by trigger",
        ),
        sa.Column(
            "stopped_at",
            sa.DateTime(timezone=True),
            comment="End; the row stays as history",
        ),
        sa.CheckConstraint(
            "(status = 'stopped') = (stopped_at IS NOT NULL) AND (stopped_at IS NULL OR traffic_weight = 0)",
            name=op.f("ck_deployments_stopped"),
        ),
        sa.CheckConstraint(
            "role IN ('live', 'shadow')", name=op.f("ck_deployments_role")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'rolling_out', 'running', 'degraded', 'failed', 'stopped')",
            name=op.f("ck_deployments_status"),
        ),
        sa.CheckConstraint(
            "traffic_weight BETWEEN 0 AND 100 AND (role = 'live' OR traffic_weight = 0)",
            name=op.f("ck_deployments_traffic_weight"),
        ),
        sa.CheckConstraint(
            "desired_replicas >= 0 AND ready_replicas >= 0",
            name=op.f("ck_deployments_replicas"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_deployments_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id", "service_id"],
            ["service_platform.endpoints.id", "service_platform.endpoints.service_id"],
            name=op.f("fk_deployments_endpoint_id_endpoints"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["revision_id", "service_id"],
            ["service_platform.revisions.id", "service_platform.revisions.service_id"],
            name=op.f("fk_deployments_revision_id_revisions"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["service_id", "organization_id"],
            [
                "service_platform.services.id",
                "service_platform.services.organization_id",
            ],
            name=op.f("fk_deployments_service_id_services"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
        schema="service_platform",
        comment="A revision running behind an endpoint with a share of its traffic; any number at a time",
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "ix_deployments_created_by",
        "deployments",
        ["created_by"],
        schema="service_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_deployments_endpoint_id",
        "deployments",
        ["endpoint_id", "service_id"],
        schema="service_platform",
    )
    op.create_index(
        "ix_deployments_organization_id",
        "deployments",
        ["organization_id", sa.text("created_at DESC")],
        schema="service_platform",
    )
    op.create_index(
        "ix_deployments_revision_id",
        "deployments",
        ["revision_id", "service_id"],
        schema="service_platform",
    )
    op.create_index(
        "ix_deployments_service_id",
        "deployments",
        ["service_id", "organization_id", sa.text("created_at DESC")],
        schema="service_platform",
    )
    op.create_index(
        "uq_deployments_endpoint_id_revision_id",
        "deployments",
        ["endpoint_id", "revision_id"],
        unique=True,
        schema="service_platform",
        postgresql_where=sa.text("stopped_at IS NULL"),
    )


def upgrade() -> None:
    as_owner()
    _create_endpoints()
    _create_deployments()
    apply_sql("19aa0bea777e_service_platform_check_traffic")
    apply_sql("19aa0bea777e_deployments_triggers")


def downgrade() -> None:
    as_owner()
    op.execute("DROP TRIGGER tr_deployments_traffic ON service_platform.deployments")
    op.execute("DROP FUNCTION service_platform.check_traffic()")
    op.drop_table("deployments", schema="service_platform")
    op.drop_table("endpoints", schema="service_platform")
