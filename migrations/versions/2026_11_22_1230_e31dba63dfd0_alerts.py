"""Add alert rules and alerts

Why:   somebody has to hear when a promise is about to be broken, once per subject.
Lock:  SHARE ROW EXCLUSIVE on auth.organizations, auth.users and monitoring.slos until
       commit: writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the function and the tables. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "e31dba63dfd0"
down_revision = "9dc2cd6c14cc"
branch_labels = None
depends_on = None


def _create_alert_rules() -> None:
    op.create_table(
        "alert_rules",
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
            comment="Owner; NULL for a platform rule",
        ),
        sa.Column(
            "slo_id", sa.Integer(), comment="Objective whose error budget it watches"
        ),
        sa.Column(
            "name",
            sa.String(length=150),
            nullable=False,
            comment="Name, unique per owner",
        ),
        sa.Column(
            "source",
            sa.String(length=20),
            nullable=False,
            comment="metrics, usage, quota, quality, vector, job or slo",
        ),
        sa.Column(
            "expression",
            postgresql.JSONB(),
            nullable=False,
            comment="metric, aggregate, window, operator, threshold",
        ),
        sa.Column(
            "severity",
            sa.String(length=10),
            server_default="warning",
            nullable=False,
            comment="info, warning or critical",
        ),
        sa.Column(
            "for_seconds",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Must hold this long before firing",
        ),
        sa.Column(
            "every_seconds",
            sa.Integer(),
            server_default=sa.text("60"),
            nullable=False,
            comment="Evaluation interval",
        ),
        sa.Column(
            "notify",
            postgresql.JSONB(),
            server_default="[]",
            nullable=False,
            comment="Channels by reference; never secrets",
        ),
        sa.Column(
            "is_enabled",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="False skips it",
        ),
        sa.Column(
            "next_run_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it is due",
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
            "jsonb_typeof(expression) = 'object' AND jsonb_typeof(notify) = 'array' AND NOT data_platform.contains_plain_secret(notify)",
            name=op.f("ck_alert_rules_json"),
        ),
        sa.CheckConstraint(
            "severity IN ('info', 'warning', 'critical')",
            name=op.f("ck_alert_rules_severity"),
        ),
        sa.CheckConstraint(
            "source IN ('metrics', 'usage', 'quota', 'quality', 'vector', 'job', 'slo')",
            name=op.f("ck_alert_rules_source"),
        ),
        sa.CheckConstraint(
            "for_seconds >= 0 AND every_seconds >= 5",
            name=op.f("ck_alert_rules_timing"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_alert_rules_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_alert_rules_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["slo_id"],
            ["monitoring.slos.id"],
            name=op.f("fk_alert_rules_slo_id_slos"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rules")),
        sa.UniqueConstraint(
            "organization_id",
            "name",
            name=op.f("uq_alert_rules_organization_id_name"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="monitoring",
        comment="Condition that is evaluated on a schedule",
    )
    op.create_index(
        "ix_alert_rules_created_by",
        "alert_rules",
        ["created_by"],
        schema="monitoring",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_alert_rules_next_run_at",
        "alert_rules",
        ["next_run_at"],
        schema="monitoring",
        postgresql_where=sa.text("is_enabled"),
    )
    op.create_index(
        "ix_alert_rules_slo_id",
        "alert_rules",
        ["slo_id"],
        schema="monitoring",
        postgresql_where=sa.text("slo_id IS NOT NULL"),
    )


def _create_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key",
        ),
        sa.Column("rule_id", sa.Integer(), nullable=False, comment="Rule"),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            comment="Owner, as in the rule",
        ),
        sa.Column(
            "fingerprint",
            sa.String(length=64),
            nullable=False,
            comment="Identity of the subject: the same open alert is updated, not repeated",
        ),
        sa.Column(
            "status",
            sa.String(length=15),
            server_default="pending",
            nullable=False,
            comment="pending, firing, acknowledged or resolved",
        ),
        sa.Column(
            "severity",
            sa.String(length=10),
            nullable=False,
            comment="As in the rule when it fired",
        ),
        sa.Column("summary", sa.Text(), nullable=False, comment="One line for people"),
        sa.Column("value", sa.Double(), comment="Last observed value"),
        sa.Column(
            "labels",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Subject: node, service, quota ...",
        ),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="First seen",
        ),
        sa.Column(
            "last_seen_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Last seen",
        ),
        sa.Column("acknowledged_by", sa.Integer(), comment="Who took it"),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), comment="When"),
        sa.Column("resolved_at", sa.DateTime(timezone=True), comment="End"),
        sa.CheckConstraint(
            "(status = 'resolved') = (resolved_at IS NOT NULL)",
            name=op.f("ck_alerts_resolved"),
        ),
        sa.CheckConstraint(
            "severity IN ('info', 'warning', 'critical')",
            name=op.f("ck_alerts_severity"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'firing', 'acknowledged', 'resolved')",
            name=op.f("ck_alerts_status"),
        ),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"],
            ["auth.users.id"],
            name=op.f("fk_alerts_acknowledged_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_alerts_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["monitoring.alert_rules.id"],
            name=op.f("fk_alerts_rule_id_alert_rules"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        schema="monitoring",
        comment="An occurrence of a rule for one subject",
    )
    op.create_index(
        "ix_alerts_acknowledged_by",
        "alerts",
        ["acknowledged_by"],
        schema="monitoring",
        postgresql_where=sa.text("acknowledged_by IS NOT NULL"),
    )
    op.create_index(
        "ix_alerts_organization_id",
        "alerts",
        ["organization_id", sa.text("started_at DESC")],
        schema="monitoring",
    )
    op.create_index(
        "ix_alerts_rule_id",
        "alerts",
        ["rule_id", sa.text("started_at DESC")],
        schema="monitoring",
    )
    op.create_index(
        "uq_alerts_open",
        "alerts",
        ["rule_id", "fingerprint"],
        unique=True,
        schema="monitoring",
        postgresql_where=sa.text("resolved_at IS NULL"),
    )


def upgrade() -> None:
    as_owner()
    _create_alert_rules()
    _create_alerts()
    apply_sql("e31dba63dfd0_monitoring_raise_alert")


def downgrade() -> None:
    as_owner()
    op.execute(
        "DROP FUNCTION monitoring.raise_alert(integer, text, text, double precision, jsonb, boolean)"
    )
    op.drop_table("alerts", schema="monitoring")
    op.drop_table("alert_rules", schema="monitoring")
