"""Add model aliases and evaluations

Why:   services follow an alias, and an alias moves on evidence.
Lock:  SHARE ROW EXCLUSIVE on algo_platform.runs, auth.users,
       data_platform.dataset_versions, model_platform.model_versions and
       model_platform.models until commit: writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the tables. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import as_owner

revision = "566f553776db"
down_revision = "dc5d89d0be53"
branch_labels = None
depends_on = None


def _create_model_aliases() -> None:
    op.create_table(
        "model_aliases",
        sa.Column("model_id", sa.Integer(), nullable=False, comment="Model"),
        sa.Column(
            "alias",
            sa.String(length=100),
            nullable=False,
            comment='Name; "latest" and v<number> are reserved',
        ),
        sa.Column(
            "model_version_id",
            sa.BigInteger(),
            nullable=False,
            comment="Version of this very model; the alias goes when the version goes",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            nullable=False,
            comment="Tenant",
        ),
        sa.Column("updated_by", sa.Integer(), comment="Who moved it"),
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
            comment="Last move, kept by trigger",
        ),
        sa.CheckConstraint(
            "alias ~ '^[a-z0-9][a-z0-9_.-]*$' AND alias !~ '^v?[0-9]+$' AND alias <> 'latest'",
            name=op.f("ck_model_aliases_alias"),
        ),
        sa.ForeignKeyConstraint(
            ["model_id", "organization_id"],
            ["model_platform.models.id", "model_platform.models.organization_id"],
            name=op.f("fk_model_aliases_model_id_models"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["model_version_id", "model_id"],
            [
                "model_platform.model_versions.id",
                "model_platform.model_versions.model_id",
            ],
            name=op.f("fk_model_aliases_model_version_id_model_versions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["updated_by"],
            ["auth.users.id"],
            name=op.f("fk_model_aliases_updated_by_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("model_id", "alias", name=op.f("pk_model_aliases")),
        schema="model_platform",
        comment="Movable name for a version: champion, candidate, eu-prod",
    )
    op.create_index(
        "ix_model_aliases_model_version_id",
        "model_aliases",
        ["model_version_id", "model_id"],
        schema="model_platform",
    )
    op.create_index(
        "ix_model_aliases_organization_id",
        "model_aliases",
        ["organization_id"],
        schema="model_platform",
    )
    op.create_index(
        "ix_model_aliases_updated_by",
        "model_aliases",
        ["updated_by"],
        schema="model_platform",
        postgresql_where=sa.text("updated_by IS NOT NULL"),
    )


def _create_evaluations() -> None:
    op.create_table(
        "evaluations",
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
            "model_version_id",
            sa.BigInteger(),
            nullable=False,
            comment="Version judged",
        ),
        sa.Column(
            "dataset_version_id", sa.BigInteger(), nullable=False, comment="Test data"
        ),
        sa.Column("run_id", sa.Uuid(), comment="Run that computed it"),
        sa.Column(
            "baseline_id", sa.BigInteger(), comment="Evaluation it is compared with"
        ),
        sa.Column(
            "evaluator",
            sa.String(length=150),
            nullable=False,
            comment="Method and version, e.g. mmlu@3, llm-judge@7",
        ),
        sa.Column(
            "config",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Settings, judge model, prompt version",
        ),
        sa.Column(
            "status",
            sa.String(length=20),
            server_default="queued",
            nullable=False,
            comment="queued, running, succeeded or failed",
        ),
        sa.Column(
            "metrics",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Metric name to number",
        ),
        sa.Column(
            "slices",
            postgresql.JSONB(),
            server_default="[]",
            nullable=False,
            comment="The same metrics by subgroup",
        ),
        sa.Column(
            "verdict",
            sa.String(length=20),
            comment="better, worse, equal or blocked against the baseline",
        ),
        sa.Column("report_uri", sa.Text(), comment="Full report"),
        sa.Column("error", sa.Text(), comment="Why it failed"),
        sa.Column("created_by", sa.Integer(), comment="Requester"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Creation time",
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), comment="End"),
        sa.CheckConstraint(
            "jsonb_typeof(config) = 'object' AND jsonb_typeof(metrics) = 'object' AND jsonb_typeof(slices) = 'array'",
            name=op.f("ck_evaluations_json"),
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed')",
            name=op.f("ck_evaluations_status"),
        ),
        sa.CheckConstraint(
            "verdict IN ('better', 'worse', 'equal', 'blocked')",
            name=op.f("ck_evaluations_verdict"),
        ),
        sa.ForeignKeyConstraint(
            ["baseline_id", "organization_id"],
            [
                "model_platform.evaluations.id",
                "model_platform.evaluations.organization_id",
            ],
            name=op.f("fk_evaluations_baseline_id_evaluations"),
            ondelete="SET NULL (baseline_id)",
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_evaluations_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_version_id", "organization_id"],
            [
                "data_platform.dataset_versions.id",
                "data_platform.dataset_versions.organization_id",
            ],
            name=op.f("fk_evaluations_dataset_version_id_dataset_versions"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["model_version_id", "organization_id"],
            [
                "model_platform.model_versions.id",
                "model_platform.model_versions.organization_id",
            ],
            name=op.f("fk_evaluations_model_version_id_model_versions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id", "organization_id"],
            ["algo_platform.runs.id", "algo_platform.runs.organization_id"],
            name=op.f("fk_evaluations_run_id_runs"),
            ondelete="SET NULL (run_id)",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_evaluations_id_organization_id")
        ),
        schema="model_platform",
        comment="Result of judging a model version on a dataset version",
    )
    op.create_index(
        "ix_evaluations_baseline_id",
        "evaluations",
        ["baseline_id", "organization_id"],
        schema="model_platform",
        postgresql_where=sa.text("baseline_id IS NOT NULL"),
    )
    op.create_index(
        "ix_evaluations_created_by",
        "evaluations",
        ["created_by"],
        schema="model_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_evaluations_dataset_version_id",
        "evaluations",
        ["dataset_version_id", "organization_id"],
        schema="model_platform",
    )
    op.create_index(
        "ix_evaluations_model_version_id",
        "evaluations",
        ["model_version_id", "organization_id", sa.text("created_at DESC")],
        schema="model_platform",
    )
    op.create_index(
        "ix_evaluations_organization_id",
        "evaluations",
        ["organization_id"],
        schema="model_platform",
    )
    op.create_index(
        "ix_evaluations_run_id",
        "evaluations",
        ["run_id", "organization_id"],
        schema="model_platform",
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )


def upgrade() -> None:
    as_owner()
    _create_model_aliases()
    _create_evaluations()


def downgrade() -> None:
    as_owner()
    op.drop_table("evaluations", schema="model_platform")
    op.drop_table("model_aliases", schema="model_platform")
