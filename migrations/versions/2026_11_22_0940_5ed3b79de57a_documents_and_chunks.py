"""Add documents and chunks

Why:   retrieval works on pieces of documents that remember where they came from.
Lock:  SHARE ROW EXCLUSIVE on data_platform.datasets until commit: writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the tables. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import as_owner

revision = "5ed3b79de57a"
down_revision = "8746c0603fbd"
branch_labels = None
depends_on = None


def _create_documents() -> None:
    op.create_table(
        "documents",
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
        sa.Column("dataset_id", sa.Integer(), nullable=False, comment="Dataset"),
        sa.Column(
            "record_id",
            sa.String(length=100),
            nullable=False,
            comment="Key in the source, same type as text_embeddings.record_id",
        ),
        sa.Column(
            "valid_from_version",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="First dataset version that contains this content",
        ),
        sa.Column(
            "valid_to_version",
            sa.Integer(),
            comment="First version that no longer does; NULL while current",
        ),
        sa.Column("title", sa.Text(), comment="Title"),
        sa.Column("uri", sa.Text(), comment="Where it came from"),
        sa.Column("mime_type", sa.String(length=127), comment="Media type"),
        sa.Column(
            "content",
            sa.Text(),
            comment="Extracted text; NULL for binary records kept in object storage",
        ),
        sa.Column(
            "content_sha256",
            sa.LargeBinary(),
            comment="Digest of the content: an unchanged document is not embedded again",
        ),
        sa.Column(
            "token_count", sa.Integer(), comment="Tokens, by the default tokenizer"
        ),
        sa.Column(
            "metadata",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Source attributes used as retrieval filters",
        ),
        sa.Column(
            "status",
            sa.String(length=20),
            server_default="pending",
            nullable=False,
            comment="pending, chunked, skipped or failed",
        ),
        sa.Column("error", sa.Text(), comment="Why parsing failed"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Ingestion time",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Last change, kept by trigger",
        ),
        sa.CheckConstraint(
            "jsonb_typeof(metadata) = 'object'", name=op.f("ck_documents_metadata")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'chunked', 'skipped', 'failed')",
            name=op.f("ck_documents_status"),
        ),
        sa.CheckConstraint(
            "valid_from_version > 0 AND (valid_to_version IS NULL OR valid_to_version > valid_from_version)",
            name=op.f("ck_documents_validity"),
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id", "organization_id"],
            ["data_platform.datasets.id", "data_platform.datasets.organization_id"],
            name=op.f("fk_documents_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint(
            "dataset_id",
            "record_id",
            "valid_from_version",
            name="uq_documents_dataset_id_record_id_version",
        ),
        sa.UniqueConstraint(
            "id",
            "organization_id",
            "dataset_id",
            name=op.f("uq_documents_id_organization_id_dataset_id"),
        ),
        schema="data_platform",
        comment="Record or document of a dataset, valid for an interval of versions",
    )
    op.create_index(
        "ix_documents_metadata",
        "documents",
        ["metadata"],
        schema="data_platform",
        postgresql_using="gin",
        postgresql_ops={"metadata": "jsonb_path_ops"},
    )
    op.create_index(
        "ix_documents_organization_id",
        "documents",
        ["organization_id"],
        schema="data_platform",
    )
    op.create_index(
        "ix_documents_unfinished",
        "documents",
        ["dataset_id", "id"],
        schema="data_platform",
        postgresql_where=sa.text("status IN ('pending','failed')"),
    )
    op.create_index(
        "uq_documents_current",
        "documents",
        ["dataset_id", "record_id"],
        unique=True,
        schema="data_platform",
        postgresql_where=sa.text("valid_to_version IS NULL"),
    )


def _create_chunks() -> None:
    op.create_table(
        "chunks",
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
            "dataset_id",
            sa.Integer(),
            nullable=False,
            comment="Dataset, repeated for filtering without a join",
        ),
        sa.Column("document_id", sa.BigInteger(), nullable=False, comment="Document"),
        sa.Column(
            "parent_chunk_id",
            sa.BigInteger(),
            comment="Larger chunk returned as context (parent-child retrieval)",
        ),
        sa.Column(
            "seq",
            sa.Integer(),
            nullable=False,
            comment="Position in the document, from 0",
        ),
        sa.Column(
            "content",
            sa.Text(),
            nullable=False,
            comment="Text given to the embedding model",
        ),
        sa.Column(
            "search_text",
            sa.Text(),
            comment="Pre-segmented text for full-text search (Chinese); content when NULL",
        ),
        sa.Column(
            "content_tsv",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple'::regconfig, COALESCE(search_text, content))",
                persisted=True,
            ),
            comment="Keyword side of hybrid search",
        ),
        sa.Column(
            "content_sha256",
            sa.LargeBinary(),
            comment="Digest: equal text reuses its embedding",
        ),
        sa.Column("token_count", sa.Integer(), comment="Tokens"),
        sa.Column(
            "start_offset", sa.Integer(), comment="First character in the document"
        ),
        sa.Column("end_offset", sa.Integer(), comment="End, exclusive"),
        sa.Column(
            "is_enabled",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="False hides the chunk from retrieval",
        ),
        sa.Column(
            "metadata",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Page, heading, language ...",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Creation time",
        ),
        sa.CheckConstraint(
            "jsonb_typeof(metadata) = 'object'", name=op.f("ck_chunks_metadata")
        ),
        sa.CheckConstraint(
            "end_offset >= start_offset", name=op.f("ck_chunks_offsets")
        ),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_chunks_seq")),
        sa.ForeignKeyConstraint(
            ["document_id", "organization_id", "dataset_id"],
            [
                "data_platform.documents.id",
                "data_platform.documents.organization_id",
                "data_platform.documents.dataset_id",
            ],
            name=op.f("fk_chunks_document_id_documents"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["parent_chunk_id"],
            ["data_platform.chunks.id"],
            name=op.f("fk_chunks_parent_chunk_id_chunks"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chunks")),
        sa.UniqueConstraint(
            "document_id", "seq", name=op.f("uq_chunks_document_id_seq")
        ),
        schema="data_platform",
        comment="Retrieval unit cut from a document",
    )
    op.create_index(
        "ix_chunks_content_tsv",
        "chunks",
        ["content_tsv"],
        schema="data_platform",
        postgresql_using="gin",
    )
    op.create_index(
        "ix_chunks_dataset_id",
        "chunks",
        ["organization_id", "dataset_id"],
        schema="data_platform",
    )
    op.create_index(
        "ix_chunks_parent_chunk_id",
        "chunks",
        ["parent_chunk_id"],
        schema="data_platform",
        postgresql_where=sa.text("parent_chunk_id IS NOT NULL"),
    )


def upgrade() -> None:
    as_owner()
    _create_documents()
    _create_chunks()


def downgrade() -> None:
    as_owner()
    op.drop_table("chunks", schema="data_platform")
    op.drop_table("documents", schema="data_platform")
