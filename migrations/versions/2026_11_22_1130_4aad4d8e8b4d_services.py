"""Add services and their revisions

Why:   what is deployed is a fixed revision of a service, never its latest state.
Lock:  SHARE ROW EXCLUSIVE on auth.groups, auth.organizations, auth.users,
       model_platform.model_versions and service_platform.prompt_versions until commit:
       writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the tables. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "4aad4d8e8b4d"
down_revision = "caf02e74a531"
branch_labels = None
depends_on = None


def _create_services() -> None:
    op.create_table(
        "services",
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
            sa.String(length=150),
            nullable=False,
            comment="Name, unique per organization among live rows",
        ),
        sa.Column(
            "kind",
            sa.String(length=20),
            server_default="model",
            nullable=False,
            comment="model, llm, embedding, rag, agent or batch",
        ),
        sa.Column("description", sa.Text(), comment="What it offers"),
        sa.Column("owner_group_id", sa.Integer(), comment="Group responsible"),
        sa.Column(
            "latest_version",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Highest revision number handed out",
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
            "jsonb_typeof(tags) = 'object'", name=op.f("ck_services_tags")
        ),
        sa.CheckConstraint(
            "kind IN ('model', 'llm', 'embedding', 'rag', 'agent', 'batch')",
            name=op.f("ck_services_kind"),
        ),
        sa.CheckConstraint(
            "name ~ '^[a-z0-9][a-z0-9-]*$'", name=op.f("ck_services_name")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_services_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_services_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["owner_group_id"],
            ["auth.groups.id"],
            name=op.f("fk_services_owner_group_id_groups"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_services")),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_services_id_organization_id")
        ),
        schema="service_platform",
        comment="Logical service offered to callers",
    )
    op.create_index(
        "ix_services_created_by",
        "services",
        ["created_by"],
        schema="service_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_services_organization_id",
        "services",
        ["organization_id"],
        schema="service_platform",
    )
    op.create_index(
        "ix_services_owner_group_id",
        "services",
        ["owner_group_id"],
        schema="service_platform",
        postgresql_where=sa.text("owner_group_id IS NOT NULL"),
    )
    op.create_index(
        "uq_services_organization_id_name",
        "services",
        ["organization_id", "name"],
        unique=True,
        schema="service_platform",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def _create_revisions() -> None:
    op.create_table(
        "revisions",
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
        sa.Column("service_id", sa.Integer(), nullable=False, comment="Service"),
        sa.Column(
            "revision",
            sa.Integer(),
            server_default=sa.FetchedValue(),
            nullable=False,
            comment="1, 2, 3 ... per service, assigned by trigger when absent",
        ),
        sa.Column("model_version_id", sa.BigInteger(), comment="Model version served"),
        sa.Column("prompt_version_id", sa.BigInteger(), comment="Prompt version used"),
        sa.Column(
            "image_uri",
            sa.String(length=512),
            comment="Container image, pinned by digest",
        ),
        sa.Column(
            "spec",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Resources, replicas, autoscaling, environment by reference; never secrets",
        ),
        sa.Column("note", sa.Text(), comment="What changed"),
        sa.Column("created_by", sa.Integer(), comment="Author"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Creation time",
        ),
        sa.CheckConstraint(
            "jsonb_typeof(spec) = 'object' AND NOT data_platform.contains_plain_secret(spec)",
            name=op.f("ck_revisions_spec"),
        ),
        sa.CheckConstraint("revision > 0", name=op.f("ck_revisions_revision")),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_revisions_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["model_version_id", "organization_id"],
            [
                "model_platform.model_versions.id",
                "model_platform.model_versions.organization_id",
            ],
            name=op.f("fk_revisions_model_version_id_model_versions"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["prompt_version_id", "organization_id"],
            [
                "service_platform.prompt_versions.id",
                "service_platform.prompt_versions.organization_id",
            ],
            name=op.f("fk_revisions_prompt_version_id_prompt_versions"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["service_id", "organization_id"],
            [
                "service_platform.services.id",
                "service_platform.services.organization_id",
            ],
            name=op.f("fk_revisions_service_id_services"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
        sa.UniqueConstraint(
            "id", "service_id", name=op.f("uq_revisions_id_service_id")
        ),
        sa.UniqueConstraint(
            "service_id", "revision", name=op.f("uq_revisions_service_id_revision")
        ),
        schema="service_platform",
        comment="Immutable specification of a service: what exactly would run",
    )
    op.create_index(
        "ix_revisions_created_by",
        "revisions",
        ["created_by"],
        schema="service_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_revisions_model_version_id",
        "revisions",
        ["model_version_id", "organization_id"],
        schema="service_platform",
        postgresql_where=sa.text("model_version_id IS NOT NULL"),
    )
    op.create_index(
        "ix_revisions_prompt_version_id",
        "revisions",
        ["prompt_version_id", "organization_id"],
        schema="service_platform",
        postgresql_where=sa.text("prompt_version_id IS NOT NULL"),
    )


def upgrade() -> None:
    as_owner()
    _create_services()
    _create_revisions()
    apply_sql("4aad4d8e8b4d_revisions_triggers")


def downgrade() -> None:
    as_owner()
    op.drop_table("revisions", schema="service_platform")
    op.drop_table("services", schema="service_platform")
