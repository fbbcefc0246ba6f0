"""Add algorithms and experiments

Why:   runs need something to run and something to belong to.
Lock:  SHARE ROW EXCLUSIVE on auth.organizations and auth.users until commit: writers
       wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the tables. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import as_owner

revision = "849dbecf46cf"
down_revision = "2656c31927f7"
branch_labels = None
depends_on = None


def _create_algorithms() -> None:
    op.create_table(
        "algorithms",
        sa.Column("id", sa.Integer(), nullable=False, comment="Surrogate key (seed)"),
        sa.Column(
            "name",
            sa.String(length=255),
            nullable=False,
            comment="Algorithm name (seed)",
        ),
        sa.Column("description", sa.Text(), comment="What it does (seed)"),
        sa.Column("version", sa.String(length=50), comment="Version label (seed)"),
        sa.Column(
            "source_code_url",
            sa.String(length=512),
            comment="Repository or archive (seed)",
        ),
        sa.Column("created_by", sa.Integer(), comment="Author (seed)"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Creation time (seed)",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Last change, kept by trigger (seed)",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            comment="Owner; NULL for the shared catalogue",
        ),
        sa.Column(
            "framework", sa.String(length=50), comment="pytorch, sklearn, xgboost ..."
        ),
        sa.Column(
            "source_revision",
            sa.String(length=64),
            comment="Commit the version was cut from",
        ),
        sa.Column(
            "entrypoint", sa.String(length=255), comment="Module or command to run"
        ),
        sa.Column(
            "image_uri",
            sa.String(length=512),
            comment="Container image, pinned by digest",
        ),
        sa.Column(
            "hyperparameter_schema",
            postgresql.JSONB(),
            server_default='{"type": "object"}',
            nullable=False,
            comment="JSON Schema that runs.params must satisfy",
        ),
        sa.Column(
            "default_hyperparameters",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Values used when a run gives none",
        ),
        sa.Column(
            "status",
            sa.String(length=20),
            server_default="active",
            nullable=False,
            comment="draft, active or deprecated",
        ),
        sa.Column(
            "is_default",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Version chosen when only the name is given; one per name",
        ),
        sa.CheckConstraint(
            "jsonb_typeof(hyperparameter_schema) = 'object' AND jsonb_typeof(default_hyperparameters) = 'object'",
            name=op.f("ck_algorithms_schema"),
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'active', 'deprecated')",
            name=op.f("ck_algorithms_status"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["auth.users.id"], name="algorithms_created_by_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_algorithms_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="algorithms_pkey"),
        sa.UniqueConstraint("name", "version", name="algorithms_name_version_key"),
        schema="algo_platform",
        comment="One version of an algorithm (seed table); a platform-wide catalogue",
    )
    op.create_index(
        "ix_algorithms_created_by", "algorithms", ["created_by"], schema="algo_platform"
    )
    op.create_index(
        "ix_algorithms_organization_id",
        "algorithms",
        ["organization_id"],
        schema="algo_platform",
    )
    op.create_index(
        "uq_algorithms_name_default",
        "algorithms",
        ["name"],
        unique=True,
        schema="algo_platform",
        postgresql_where=sa.text("is_default"),
    )
    op.create_index(
        "uq_algorithms_name_unversioned",
        "algorithms",
        ["name"],
        unique=True,
        schema="algo_platform",
        postgresql_where=sa.text("version IS NULL"),
    )


def _create_experiments() -> None:
    op.create_table(
        "experiments",
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
        sa.Column(
            "name",
            sa.String(length=250),
            nullable=False,
            comment="Name, unique among live experiments: a deleted name can be used again",
        ),
        sa.Column("description", sa.Text(), comment="Question and conclusion"),
        sa.Column(
            "artifact_root", sa.Text(), comment="Default place for run artifacts"
        ),
        sa.Column(
            "tags",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Key-value labels",
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
        sa.Column("deleted_at", sa.DateTime(timezone=True), comment="Soft-delete mark"),
        sa.CheckConstraint(
            "jsonb_typeof(tags) = 'object'", name=op.f("ck_experiments_tags")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_experiments_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_experiments_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_experiments_id_organization_id")
        ),
        schema="algo_platform",
        comment="Groups runs that answer one question",
    )
    op.create_index(
        "ix_experiments_created_by",
        "experiments",
        ["created_by"],
        schema="algo_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_experiments_organization_id",
        "experiments",
        ["organization_id"],
        schema="algo_platform",
    )
    op.create_index(
        "uq_experiments_organization_id_name",
        "experiments",
        ["organization_id", "name"],
        unique=True,
        schema="algo_platform",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def upgrade() -> None:
    as_owner()
    _create_algorithms()
    _create_experiments()


def downgrade() -> None:
    as_owner()
    op.drop_table("experiments", schema="algo_platform")
    op.drop_table("algorithms", schema="algo_platform")
