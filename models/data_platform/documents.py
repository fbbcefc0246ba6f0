"""Declare the documents of a dataset and the chunks cut from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models._base import (
    Base,
    BigId,
    CreatedAt,
    TenantId,
    UpdatedAt,
    one_of,
    sparse_index,
    tenant_key,
)

if TYPE_CHECKING:
    from .datasets import Dataset
    from .embeddings import ChunkEmbedding, VectorizerQueueEntry


class Document(Base):
    """Record or document of a dataset, valid for an interval of versions."""

    __tablename__ = "documents"

    id: Mapped[BigId]
    organization_id: Mapped[TenantId]
    dataset_id: Mapped[int] = mapped_column(comment="Dataset")
    record_id: Mapped[str] = mapped_column(
        String(100), comment="Key in the source, same type as text_embeddings.record_id"
    )
    valid_from_version: Mapped[int] = mapped_column(
        server_default=text("1"),
        comment="First dataset version that contains this content",
    )
    valid_to_version: Mapped[int | None] = mapped_column(
        comment="First version that no longer does; NULL while current"
    )
    title: Mapped[str | None] = mapped_column(comment="Title")
    uri: Mapped[str | None] = mapped_column(comment="Where it came from")
    mime_type: Mapped[str | None] = mapped_column(String(127), comment="Media type")
    content: Mapped[str | None] = mapped_column(
        comment="Extracted text; NULL for binary records kept in object storage"
    )
    content_sha256: Mapped[bytes | None] = mapped_column(
        comment="Digest of the content: an unchanged document is not embedded again"
    )
    token_count: Mapped[int | None] = mapped_column(
        comment="Tokens, by the default tokenizer"
    )
    metadata_: Mapped[dict[str, Any]] = mapped_column(
        "metadata",
        server_default="{}",
        comment="Source attributes used as retrieval filters",
    )
    status: Mapped[str] = mapped_column(
        String(20),
        server_default="pending",
        comment="pending, chunked, skipped or failed",
    )
    error: Mapped[str | None] = mapped_column(comment="Why parsing failed")
    created_at: Mapped[CreatedAt] = mapped_column(comment="Ingestion time")
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        UniqueConstraint(
            "dataset_id",
            "record_id",
            "valid_from_version",
            name="uq_documents_dataset_id_record_id_version",
        ),
        UniqueConstraint("id", "organization_id", "dataset_id"),
        tenant_key("dataset_id", "data_platform.datasets", ondelete="CASCADE"),
        CheckConstraint(
            "valid_from_version > 0 AND (valid_to_version IS NULL OR "
            "valid_to_version > valid_from_version)",
            name="validity",
        ),
        one_of("status", "pending", "chunked", "skipped", "failed"),
        CheckConstraint("jsonb_typeof(metadata) = 'object'", name="metadata"),
        Index(
            "uq_documents_current",
            "dataset_id",
            "record_id",
            unique=True,
            postgresql_where=text("valid_to_version IS NULL"),
        ),
        Index("ix_documents_organization_id", "organization_id"),
        Index(
            "ix_documents_metadata",
            "metadata",
            postgresql_using="gin",
            postgresql_ops={"metadata": "jsonb_path_ops"},
        ),
        Index(
            "ix_documents_unfinished",
            "dataset_id",
            "id",
            postgresql_where=text("status IN ('pending','failed')"),
        ),
        {
            "schema": "data_platform",
            "comment": (
                "Record or document of a dataset, valid for an interval of versions"
            ),
        },
    )

    dataset: Mapped[Dataset] = relationship(back_populates="documents")
    chunks: Mapped[list[Chunk]] = relationship(
        back_populates="document",
        order_by="Chunk.seq",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    queue_entries: Mapped[list[VectorizerQueueEntry]] = relationship(
        back_populates="document", cascade="all, delete-orphan", passive_deletes=True
    )


class Chunk(Base):
    """Retrieval unit cut from a document."""

    __tablename__ = "chunks"

    id: Mapped[BigId]
    organization_id: Mapped[TenantId]
    dataset_id: Mapped[int] = mapped_column(
        comment="Dataset, repeated for filtering without a join"
    )
    document_id: Mapped[int] = mapped_column(BigInteger, comment="Document")
    parent_chunk_id: Mapped[int | None] = mapped_column(
        BigInteger,
        ForeignKey("data_platform.chunks.id", ondelete="CASCADE"),
        comment="Larger chunk returned as context (parent-child retrieval)",
    )
    seq: Mapped[int] = mapped_column(comment="Position in the document, from 0")
    content: Mapped[str] = mapped_column(comment="Text given to the embedding model")
    search_text: Mapped[str | None] = mapped_column(
        comment=("Pre-segmented text for full-text search (Chinese); content when NULL")
    )
    content_tsv: Mapped[str | None] = mapped_column(
        TSVECTOR,
        Computed(
            "to_tsvector('simple'::regconfig, COALESCE(search_text, content))",
            persisted=True,
        ),
        comment="Keyword side of hybrid search",
    )
    content_sha256: Mapped[bytes | None] = mapped_column(
        comment="Digest: equal text reuses its embedding"
    )
    token_count: Mapped[int | None] = mapped_column(comment="Tokens")
    start_offset: Mapped[int | None] = mapped_column(
        comment="First character in the document"
    )
    end_offset: Mapped[int | None] = mapped_column(comment="End, exclusive")
    is_enabled: Mapped[bool] = mapped_column(
        server_default=text("true"), comment="False hides the chunk from retrieval"
    )
    metadata_: Mapped[dict[str, Any]] = mapped_column(
        "metadata", server_default="{}", comment="Page, heading, language ..."
    )
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        UniqueConstraint("document_id", "seq"),
        ForeignKeyConstraint(
            ["document_id", "organization_id", "dataset_id"],
            [
                "data_platform.documents.id",
                "data_platform.documents.organization_id",
                "data_platform.documents.dataset_id",
            ],
            ondelete="CASCADE",
        ),
        CheckConstraint("seq >= 0", name="seq"),
        CheckConstraint("end_offset >= start_offset", name="offsets"),
        CheckConstraint("jsonb_typeof(metadata) = 'object'", name="metadata"),
        Index("ix_chunks_dataset_id", "organization_id", "dataset_id"),
        sparse_index("ix_chunks_parent_chunk_id", "parent_chunk_id"),
        Index("ix_chunks_content_tsv", "content_tsv", postgresql_using="gin"),
        {"schema": "data_platform", "comment": "Retrieval unit cut from a document"},
    )

    document: Mapped[Document] = relationship(back_populates="chunks")
    parent: Mapped[Chunk | None] = relationship(
        back_populates="children",
        foreign_keys="Chunk.parent_chunk_id",
        remote_side="Chunk.id",
    )
    children: Mapped[list[Chunk]] = relationship(
        back_populates="parent",
        foreign_keys="Chunk.parent_chunk_id",
        order_by="Chunk.seq",
        passive_deletes="all",
    )
    embeddings: Mapped[list[ChunkEmbedding]] = relationship(
        back_populates="chunk", cascade="all, delete-orphan", passive_deletes=True
    )
