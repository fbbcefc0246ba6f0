"""Add data sources and datasets

Why:   what a model learns from has an owner and a place of origin.
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

revision = "17b41bf28231"
down_revision = "9686897fe439"
branch_labels = None
depends_on = None


def _create_data_sources() -> None:
    op.create_table(
        "data_sources",
        sa.Column("id", sa.Integer(), nullable=False, comment="Surrogate key (seed)"),
        sa.Column(
            "name",
            sa.String(length=200),
            nullable=False,
            comment="Name (seed); unique per organization among live rows",
        ),
        sa.Column("description", sa.Text(), comment="Purpose (seed)"),
        sa.Column(
            "source_type",
            sa.String(length=50),
            nullable=False,
            comment="postgresql, mysql, s3, http, kafka, file ... (seed)",
        ),
        sa.Column(
            "connection_info",
            postgresql.JSONB(),
            nullable=False,
            comment="Host, port, bucket ...; a CHECK refuses passwords, tokens and keys (seed)",
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
            "is_active",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="False pauses every reader (seed)",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            comment="Owner; NULL rows are visible to administrators only",
        ),
        sa.Column(
            "secret_ref",
            sa.String(length=512),
            comment="Where the credential lives: env:NAME, file:/path, vault:path#key, k8s:ns/name#key",
        ),
        sa.Column(
            "last_checked_at",
            sa.DateTime(timezone=True),
            comment="Last connection test",
        ),
        sa.Column(
            "last_check_error",
            sa.Text(),
            comment="Message of the last failed test; NULL when it passed",
        ),
        sa.Column("deleted_at", sa.DateTime(timezone=True), comment="Soft-delete mark"),
        sa.CheckConstraint(
            "jsonb_typeof(connection_info) = 'object' AND NOT data_platform.contains_plain_secret(connection_info)",
            name=op.f("ck_data_sources_connection_info"),
        ),
        sa.CheckConstraint(
            "secret_ref ~ '^(env|file|vault|k8s|aws-sm|gcp-sm|azure-kv):.+$'",
            name=op.f("ck_data_sources_secret_ref"),
        ),
        sa.CheckConstraint(
            "source_type ~ '^[a-z][a-z0-9_+-]*$'",
            name=op.f("ck_data_sources_source_type"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["auth.users.id"], name="data_sources_created_by_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_data_sources_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="data_sources_pkey"),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_data_sources_id_organization_id")
        ),
        schema="data_platform",
        comment="External system data comes from (seed table)",
    )
    op.create_index(
        "ix_data_sources_created_by",
        "data_sources",
        ["created_by"],
        schema="data_platform",
    )
    op.create_index(
        "ix_data_sources_organization_id",
        "data_sources",
        ["organization_id"],
        schema="data_platform",
    )
    op.create_index(
        "uq_data_sources_organization_id_name",
        "data_sources",
        ["organization_id", "name"],
        unique=True,
        schema="data_platform",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def _create_datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column(
            "id",
            sa.Integer(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key; integer because text_embeddings.dataset_id is",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            nullable=False,
            comment="Tenant",
        ),
        sa.Column(
            "data_source_id", sa.Integer(), comment="Main source, when there is one"
        ),
        sa.Column(
            "name",
            sa.String(length=200),
            nullable=False,
            comment="Name, unique per organization among live rows",
        ),
        sa.Column(
            "kind",
            sa.String(length=20),
            server_default="text",
            nullable=False,
            comment="tabular, text, image, audio, video, mixed or stream",
        ),
        sa.Column("description", sa.Text(), comment="Purpose, provenance, caveats"),
        sa.Column(
            "tags",
            postgresql.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="Free labels for search",
        ),
        sa.Column(
            "retention_days",
            sa.Integer(),
            comment="Content older than this may be purged; NULL keeps it",
        ),
        sa.Column(
            "latest_version",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Highest version number handed out",
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
            "kind IN ('tabular', 'text', 'image', 'audio', 'video', 'mixed', 'stream')",
            name=op.f("ck_datasets_kind"),
        ),
        sa.CheckConstraint(
            "retention_days > 0", name=op.f("ck_datasets_retention_days")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_datasets_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["data_source_id", "organization_id"],
            [
                "data_platform.data_sources.id",
                "data_platform.data_sources.organization_id",
            ],
            name=op.f("fk_datasets_data_source_id_data_sources"),
            ondelete="SET NULL (data_source_id)",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_datasets_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_datasets_id_organization_id")
        ),
        schema="data_platform",
        comment="Logical dataset; content lives in its versions",
    )
    op.create_index(
        "ix_datasets_created_by",
        "datasets",
        ["created_by"],
        schema="data_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_datasets_data_source_id",
        "datasets",
        ["data_source_id", "organization_id"],
        schema="data_platform",
        postgresql_where=sa.text("data_source_id IS NOT NULL"),
    )
    op.create_index(
        "ix_datasets_organization_id",
        "datasets",
        ["organization_id"],
        schema="data_platform",
    )
    op.create_index(
        "ix_datasets_tags",
        "datasets",
        ["tags"],
        schema="data_platform",
        postgresql_using="gin",
    )
    op.create_index(
        "uq_datasets_organization_id_name",
        "datasets",
        ["organization_id", "name"],
        unique=True,
        schema="data_platform",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def upgrade() -> None:
    as_owner()
    _create_data_sources()
    _create_datasets()


def downgrade() -> None:
    as_owner()
    op.drop_table("datasets", schema="data_platform")
    op.drop_table("data_sources", schema="data_platform")
