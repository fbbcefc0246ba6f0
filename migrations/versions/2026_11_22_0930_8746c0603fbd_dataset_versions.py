"""Add versions of datasets

Why:   training and retrieval name a fixed version of their data; a published one never
       changes.
Lock:  SHARE ROW EXCLUSIVE on auth.users and data_platform.datasets until commit:
       writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the table. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "8746c0603fbd"
down_revision = "17b41bf28231"
branch_labels = None
depends_on = None


def _create_dataset_versions() -> None:
    op.create_table(
        "dataset_versions",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key, the anchor of lineage",
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
            "version",
            sa.Integer(),
            server_default=sa.FetchedValue(),
            nullable=False,
            comment="1, 2, 3 ... per dataset, assigned by trigger when absent",
        ),
        sa.Column(
            "status",
            sa.String(length=20),
            server_default="draft",
            nullable=False,
            comment="draft, building, published, deprecated or failed",
        ),
        sa.Column(
            "storage_uri",
            sa.Text(),
            comment="Where the files are; NULL when content is in documents",
        ),
        sa.Column(
            "format", sa.String(length=30), comment="parquet, csv, jsonl, documents ..."
        ),
        sa.Column(
            "columns",
            postgresql.JSONB(),
            comment="Field list: name, type, nullable, description",
        ),
        sa.Column("row_count", sa.BigInteger(), comment="Rows or documents"),
        sa.Column("size_bytes", sa.BigInteger(), comment="Bytes in storage"),
        sa.Column(
            "content_sha256",
            sa.LargeBinary(),
            comment="Digest of the manifest: equal digest means equal content",
        ),
        sa.Column(
            "statistics", postgresql.JSONB(), comment="Profile computed at publication"
        ),
        sa.Column("note", sa.Text(), comment="What changed"),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            comment="When it became immutable",
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
            "jsonb_typeof(columns) = 'array'", name=op.f("ck_dataset_versions_columns")
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'building', 'published', 'deprecated', 'failed')",
            name=op.f("ck_dataset_versions_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('published','deprecated') OR published_at IS NOT NULL",
            name=op.f("ck_dataset_versions_published"),
        ),
        sa.CheckConstraint(
            "octet_length(content_sha256) = 32",
            name=op.f("ck_dataset_versions_content_sha256"),
        ),
        sa.CheckConstraint(
            "row_count >= 0 AND size_bytes >= 0",
            name=op.f("ck_dataset_versions_counts"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_dataset_versions_version")),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_dataset_versions_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id", "organization_id"],
            ["data_platform.datasets.id", "data_platform.datasets.organization_id"],
            name=op.f("fk_dataset_versions_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_versions")),
        sa.UniqueConstraint(
            "dataset_id", "version", name=op.f("uq_dataset_versions_dataset_id_version")
        ),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_dataset_versions_id_organization_id")
        ),
        schema="data_platform",
        comment="Immutable snapshot of a dataset once published",
    )
    op.create_index(
        "ix_dataset_versions_created_by",
        "dataset_versions",
        ["created_by"],
        schema="data_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_dataset_versions_organization_id",
        "dataset_versions",
        ["organization_id"],
        schema="data_platform",
    )
    op.create_index(
        "ix_dataset_versions_published",
        "dataset_versions",
        ["dataset_id", sa.text("version DESC")],
        schema="data_platform",
        postgresql_where=sa.text("status = 'published'"),
    )


def upgrade() -> None:
    as_owner()
    _create_dataset_versions()
    apply_sql("8746c0603fbd_dataset_versions_triggers")


def downgrade() -> None:
    as_owner()
    op.drop_table("dataset_versions", schema="data_platform")
