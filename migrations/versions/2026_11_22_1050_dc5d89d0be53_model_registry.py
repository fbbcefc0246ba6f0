"""Add models and their versions

Why:   a version that is ready never changes: it can be named, compared and deployed.
Lock:  SHARE ROW EXCLUSIVE on algo_platform.algorithms, algo_platform.runs, auth.groups,
       auth.organizations and auth.users until commit: writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the tables. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "dc5d89d0be53"
down_revision = "8bdab76af3ff"
branch_labels = None
depends_on = None


def _create_models() -> None:
    op.create_table(
        "models",
        sa.Column(
            "id",
            sa.Integer(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key; renaming a model touches one row",
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
            sa.String(length=255),
            nullable=False,
            comment="Name, unique per organization among live rows",
        ),
        sa.Column(
            "task",
            sa.String(length=50),
            server_default="other",
            nullable=False,
            comment="text-generation, embedding, classification, detection ...",
        ),
        sa.Column("description", sa.Text(), comment="Purpose and limits"),
        sa.Column(
            "tags",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Key-value labels",
        ),
        sa.Column(
            "latest_version",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Highest version number handed out",
        ),
        sa.Column("owner_group_id", sa.Integer(), comment="Group responsible"),
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
            "jsonb_typeof(tags) = 'object'", name=op.f("ck_models_tags")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_models_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_models_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["owner_group_id"],
            ["auth.groups.id"],
            name=op.f("fk_models_owner_group_id_groups"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_models_id_organization_id")
        ),
        schema="model_platform",
        comment="Registered model; what can be deployed is a version of it",
    )
    op.create_index(
        "ix_models_created_by",
        "models",
        ["created_by"],
        schema="model_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_models_organization_id",
        "models",
        ["organization_id"],
        schema="model_platform",
    )
    op.create_index(
        "ix_models_owner_group_id",
        "models",
        ["owner_group_id"],
        schema="model_platform",
        postgresql_where=sa.text("owner_group_id IS NOT NULL"),
    )
    op.create_index(
        "uq_models_organization_id_name",
        "models",
        ["organization_id", "name"],
        unique=True,
        schema="model_platform",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def _create_model_versions() -> None:
    op.create_table(
        "model_versions",
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
        sa.Column("model_id", sa.Integer(), nullable=False, comment="Model"),
        sa.Column(
            "version",
            sa.Integer(),
            server_default=sa.FetchedValue(),
            nullable=False,
            comment="1, 2, 3 ... per model, assigned by trigger when absent",
        ),
        sa.Column(
            "stage",
            sa.String(length=20),
            server_default="none",
            nullable=False,
            comment="none, staging, production or archived; the history is in logs.audit_log",
        ),
        sa.Column(
            "status",
            sa.String(length=20),
            server_default="pending",
            nullable=False,
            comment="pending, ready or failed",
        ),
        sa.Column("status_message", sa.Text(), comment="Detail of the status"),
        sa.Column("run_id", sa.Uuid(), comment="Run that produced it"),
        sa.Column(
            "algorithm_id", sa.Integer(), comment="Algorithm version it implements"
        ),
        sa.Column(
            "base_version_id",
            sa.BigInteger(),
            comment="Version it was fine-tuned or quantized from",
        ),
        sa.Column(
            "framework",
            sa.String(length=50),
            comment="pytorch, onnx, gguf, safetensors, external ...",
        ),
        sa.Column(
            "artifact_uri",
            sa.Text(),
            comment="Root of the package; NULL for a hosted external model",
        ),
        sa.Column(
            "manifest",
            postgresql.JSONB(),
            server_default="[]",
            nullable=False,
            comment="Files of the package: path, sha256, size, media type",
        ),
        sa.Column(
            "artifact_sha256", sa.LargeBinary(), comment="Digest of the manifest"
        ),
        sa.Column("size_bytes", sa.BigInteger(), comment="Total size"),
        sa.Column(
            "signature",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="inputs, outputs and params with names, types and shapes",
        ),
        sa.Column(
            "hyperparameters",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Values it was trained with",
        ),
        sa.Column("license", sa.String(length=100), comment="SPDX identifier"),
        sa.Column(
            "model_card",
            sa.Text(),
            comment="Intended use, training data, evaluation, limits",
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
        sa.CheckConstraint(
            "jsonb_typeof(manifest) = 'array' AND jsonb_typeof(signature) = 'object' AND jsonb_typeof(hyperparameters) = 'object' AND jsonb_typeof(tags) = 'object'",
            name=op.f("ck_model_versions_json"),
        ),
        sa.CheckConstraint(
            "stage IN ('none', 'staging', 'production', 'archived')",
            name=op.f("ck_model_versions_stage"),
        ),
        sa.CheckConstraint(
            "stage IN ('none','archived') OR status = 'ready'",
            name=op.f("ck_model_versions_promoted"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'ready', 'failed')",
            name=op.f("ck_model_versions_status"),
        ),
        sa.CheckConstraint(
            "octet_length(artifact_sha256) = 32",
            name=op.f("ck_model_versions_artifact_sha256"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_model_versions_version")),
        sa.ForeignKeyConstraint(
            ["algorithm_id"],
            ["algo_platform.algorithms.id"],
            name=op.f("fk_model_versions_algorithm_id_algorithms"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["base_version_id", "organization_id"],
            [
                "model_platform.model_versions.id",
                "model_platform.model_versions.organization_id",
            ],
            name=op.f("fk_model_versions_base_version_id_model_versions"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_model_versions_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["model_id", "organization_id"],
            ["model_platform.models.id", "model_platform.models.organization_id"],
            name=op.f("fk_model_versions_model_id_models"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id", "organization_id"],
            ["algo_platform.runs.id", "algo_platform.runs.organization_id"],
            name=op.f("fk_model_versions_run_id_runs"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_versions")),
        sa.UniqueConstraint(
            "id", "model_id", name=op.f("uq_model_versions_id_model_id")
        ),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_model_versions_id_organization_id")
        ),
        sa.UniqueConstraint(
            "model_id", "version", name=op.f("uq_model_versions_model_id_version")
        ),
        schema="model_platform",
        comment="Immutable package of weights, signature and provenance",
    )
    op.create_index(
        "ix_model_versions_algorithm_id",
        "model_versions",
        ["algorithm_id"],
        schema="model_platform",
        postgresql_where=sa.text("algorithm_id IS NOT NULL"),
    )
    op.create_index(
        "ix_model_versions_base_version_id",
        "model_versions",
        ["base_version_id", "organization_id"],
        schema="model_platform",
        postgresql_where=sa.text("base_version_id IS NOT NULL"),
    )
    op.create_index(
        "ix_model_versions_created_by",
        "model_versions",
        ["created_by"],
        schema="model_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_model_versions_manifest",
        "model_versions",
        ["manifest"],
        schema="model_platform",
        postgresql_using="gin",
        postgresql_ops={"manifest": "jsonb_path_ops"},
    )
    op.create_index(
        "ix_model_versions_organization_id",
        "model_versions",
        ["organization_id"],
        schema="model_platform",
    )
    op.create_index(
        "ix_model_versions_run_id",
        "model_versions",
        ["run_id", "organization_id"],
        schema="model_platform",
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )
    op.create_index(
        "ix_model_versions_stage",
        "model_versions",
        ["model_id", "stage"],
        schema="model_platform",
        postgresql_where=sa.text("stage IN ('staging','production')"),
    )


def upgrade() -> None:
    as_owner()
    _create_models()
    _create_model_versions()
    apply_sql("dc5d89d0be53_model_versions_triggers")


def downgrade() -> None:
    as_owner()
    op.drop_table("model_versions", schema="model_platform")
    op.drop_table("models", schema="model_platform")
