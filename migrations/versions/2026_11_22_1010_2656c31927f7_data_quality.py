"""Add quality checks and their results

Why:   a dataset version is published on evidence.
Lock:  SHARE ROW EXCLUSIVE on auth.users, data_platform.dataset_versions and
       data_platform.datasets until commit: writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the tables. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import as_owner

revision = "2656c31927f7"
down_revision = "2b35e4d6bdc1"
branch_labels = None
depends_on = None


def _create_quality_checks() -> None:
    op.create_table(
        "quality_checks",
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
        sa.Column("dataset_id", sa.Integer(), nullable=False, comment="Dataset"),
        sa.Column(
            "name",
            sa.String(length=150),
            nullable=False,
            comment="Name, unique per dataset",
        ),
        sa.Column(
            "check_type",
            sa.String(length=30),
            nullable=False,
            comment="not_null, unique, range, pattern, allowed_values, row_count, freshness, drift, duplicate_text, pii or sql",
        ),
        sa.Column(
            "target",
            sa.String(length=200),
            comment="Column or field; NULL for the whole dataset",
        ),
        sa.Column(
            "params",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Bounds, pattern, expression ...",
        ),
        sa.Column(
            "severity",
            sa.String(length=10),
            server_default="warning",
            nullable=False,
            comment="info, warning or error",
        ),
        sa.Column(
            "is_active",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="False skips it",
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
            "check_type IN ('not_null', 'unique', 'range', 'pattern', 'allowed_values', 'row_count', 'freshness', 'drift', 'duplicate_text', 'pii', 'sql')",
            name=op.f("ck_quality_checks_check_type"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(params) = 'object'", name=op.f("ck_quality_checks_params")
        ),
        sa.CheckConstraint(
            "severity IN ('info', 'warning', 'error')",
            name=op.f("ck_quality_checks_severity"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_quality_checks_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id", "organization_id"],
            ["data_platform.datasets.id", "data_platform.datasets.organization_id"],
            name=op.f("fk_quality_checks_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_checks")),
        sa.UniqueConstraint(
            "dataset_id", "name", name=op.f("uq_quality_checks_dataset_id_name")
        ),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_quality_checks_id_organization_id")
        ),
        schema="data_platform",
        comment="Rule a dataset must meet; severity error blocks publication",
    )
    op.create_index(
        "ix_quality_checks_created_by",
        "quality_checks",
        ["created_by"],
        schema="data_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_quality_checks_organization_id",
        "quality_checks",
        ["organization_id"],
        schema="data_platform",
    )


def _create_quality_results() -> None:
    op.create_table(
        "quality_results",
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
        sa.Column("check_id", sa.Integer(), nullable=False, comment="Check"),
        sa.Column(
            "dataset_version_id",
            sa.BigInteger(),
            nullable=False,
            comment="Version examined",
        ),
        sa.Column(
            "status",
            sa.String(length=10),
            nullable=False,
            comment="pass, fail, error or skipped",
        ),
        sa.Column("checked_rows", sa.BigInteger(), comment="Rows looked at"),
        sa.Column("failed_rows", sa.BigInteger(), comment="Rows that broke the rule"),
        sa.Column(
            "observed", postgresql.JSONB(), comment="Measured values and a few examples"
        ),
        sa.Column("duration_ms", sa.Integer(), comment="Time taken"),
        sa.Column(
            "executed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it ran",
        ),
        sa.CheckConstraint(
            "status IN ('pass', 'fail', 'error', 'skipped')",
            name=op.f("ck_quality_results_status"),
        ),
        sa.CheckConstraint(
            "failed_rows >= 0 AND failed_rows <= checked_rows",
            name=op.f("ck_quality_results_rows"),
        ),
        sa.ForeignKeyConstraint(
            ["check_id", "organization_id"],
            [
                "data_platform.quality_checks.id",
                "data_platform.quality_checks.organization_id",
            ],
            name=op.f("fk_quality_results_check_id_quality_checks"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_version_id", "organization_id"],
            [
                "data_platform.dataset_versions.id",
                "data_platform.dataset_versions.organization_id",
            ],
            name=op.f("fk_quality_results_dataset_version_id_dataset_versions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_results")),
        schema="data_platform",
        comment="Outcome of a check on one dataset version",
    )
    op.create_index(
        "ix_quality_results_check_id",
        "quality_results",
        ["check_id", "organization_id", sa.text("executed_at DESC")],
        schema="data_platform",
    )
    op.create_index(
        "ix_quality_results_dataset_version_id",
        "quality_results",
        [
            "dataset_version_id",
            "organization_id",
            "check_id",
            sa.text("executed_at DESC"),
        ],
        schema="data_platform",
    )


def upgrade() -> None:
    as_owner()
    _create_quality_checks()
    _create_quality_results()


def downgrade() -> None:
    as_owner()
    op.drop_table("quality_results", schema="data_platform")
    op.drop_table("quality_checks", schema="data_platform")
