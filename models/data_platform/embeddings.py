"""Declare embeddings, the models that make them and the queue that feeds them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pgvector.sqlalchemy import Vector
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models._base import (
    AuthorId,
    Base,
    CreatedAt,
    IntId,
    SerialId,
    SharedTenantId,
    TenantId,
    UpdatedAt,
    one_of,
    sparse_index,
    tenant_key,
)

if TYPE_CHECKING:
    from models.auth import Organization

    from .datasets import Dataset
    from .documents import Chunk, Document


class EmbeddingModel(Base):
    """Embedding models and their vector geometry."""

    __tablename__ = "embedding_models"

    id: Mapped[IntId] = mapped_column(
        comment="Surrogate key and partition key of chunk_embeddings"
    )
    organization_id: Mapped[SharedTenantId] = mapped_column(
        comment="Owner; NULL for a model every tenant may use"
    )
    provider: Mapped[str] = mapped_column(String(50), comment="openai, local, bge ...")
    name: Mapped[str] = mapped_column(String(200), comment="Model name at the provider")
    dimensions: Mapped[int] = mapped_column(comment="Length of its vectors")
    distance: Mapped[str] = mapped_column(
        String(10),
        server_default="cosine",
        comment="cosine, l2 or ip: fixes the operator class",
    )
    index_type: Mapped[str] = mapped_column(
        String(10),
        server_default="vector",
        comment="vector (to 2000 dimensions), halfvec (to 4000), bit or none",
    )
    max_input_tokens: Mapped[int | None] = mapped_column(
        comment="Longest input accepted"
    )
    is_default: Mapped[bool] = mapped_column(
        server_default=text("false"),
        comment="Used when a vectorizer names no model; one per owner",
    )
    status: Mapped[str] = mapped_column(
        String(20),
        server_default="active",
        comment="active, deprecated (read only) or retired (partition dropped)",
    )
    config: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Provider options; never secrets"
    )
    secret_ref: Mapped[str | None] = mapped_column(
        String(512), comment="Where the provider key lives"
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        UniqueConstraint(
            "organization_id",
            "provider",
            "name",
            "dimensions",
            name="uq_embedding_models_identity",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("dimensions BETWEEN 1 AND 16000", name="dimensions"),
        one_of("distance", "cosine", "l2", "ip"),
        CheckConstraint(
            "(index_type = 'vector' AND dimensions <= 2000) OR (index_type = "
            "'halfvec' AND dimensions <= 4000) OR index_type IN ('bit','none')",
            name="index_type",
        ),
        one_of("status", "active", "deprecated", "retired"),
        CheckConstraint(
            "jsonb_typeof(config) = 'object' AND NOT "
            "data_platform.contains_plain_secret(config)",
            name="config",
        ),
        CheckConstraint(
            "secret_ref ~ '^(env|file|vault|k8s|aws-sm|gcp-sm|azure-kv):.+$'",
            name="secret_ref",
        ),
        Index(
            "uq_embedding_models_default",
            "organization_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("is_default"),
        ),
        {
            "schema": "data_platform",
            "comment": "Embedding models and their vector geometry",
        },
    )

    organization: Mapped[Organization | None] = relationship(
        back_populates="embedding_models"
    )
    text_embeddings: Mapped[list[TextEmbedding]] = relationship(
        back_populates="embedding_model", passive_deletes="all"
    )
    chunk_embeddings: Mapped[list[ChunkEmbedding]] = relationship(
        back_populates="embedding_model", passive_deletes="all"
    )
    vectorizers: Mapped[list[Vectorizer]] = relationship(
        back_populates="embedding_model", passive_deletes="all"
    )


class TextEmbedding(Base):
    """Text snippets with a vector, keyed by dataset and record (seed table)."""

    __tablename__ = "text_embeddings"

    id: Mapped[SerialId] = mapped_column(
        comment="Surrogate key (seed); move to BIGINT before two billion rows"
    )
    dataset_id: Mapped[int | None] = mapped_column(comment="Dataset (seed)")
    record_id: Mapped[str | None] = mapped_column(
        String(100), comment="Key in the source (seed)"
    )
    text_content: Mapped[str | None] = mapped_column(
        comment="Text that was embedded (seed)"
    )
    embedding: Mapped[list[float] | None] = mapped_column(
        Vector(1536), comment="Vector of the default model, OpenAI ada (seed)"
    )
    created_at: Mapped[datetime | None] = mapped_column(
        server_default=func.now(), comment="Creation time (seed)"
    )
    organization_id: Mapped[SharedTenantId] = mapped_column(
        comment="Tenant; NULL rows are visible to administrators only"
    )
    embedding_model_id: Mapped[int] = mapped_column(
        ForeignKey("data_platform.embedding_models.id", ondelete="RESTRICT"),
        server_default=text("1"),
        comment="Model that made the vector; vectors of two models never mix",
    )
    content_sha256: Mapped[bytes | None] = mapped_column(
        comment="Digest of text_content, set by the writer: skip unchanged text"
    )
    metadata_: Mapped[dict[str, Any]] = mapped_column(
        "metadata", server_default="{}", comment="Retrieval filters"
    )
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        PrimaryKeyConstraint("id", name="text_embeddings_pkey"),
        # unchecked while the organization is NULL: a plain insert of an old client
        tenant_key("dataset_id", "data_platform.datasets", ondelete="CASCADE"),
        CheckConstraint("jsonb_typeof(metadata) = 'object'", name="metadata"),
        Index(
            "idx_text_embeddings_vector",
            "embedding",
            postgresql_using="ivfflat",
            postgresql_ops={"embedding": "vector_cosine_ops"},
            postgresql_with={"lists": 100},
        ),
        Index(
            "ix_text_embeddings_dataset_id_record_id",
            "dataset_id",
            "organization_id",
            "record_id",
        ),
        Index("ix_text_embeddings_organization_id", "organization_id"),
        Index("ix_text_embeddings_embedding_model_id", "embedding_model_id"),
        {
            "schema": "data_platform",
            "comment": (
                "Text snippets with a 1536-dimension vector, keyed by "
                "dataset and record (seed table)"
            ),
        },
    )

    dataset: Mapped[Dataset | None] = relationship(back_populates="text_embeddings")
    embedding_model: Mapped[EmbeddingModel] = relationship(
        back_populates="text_embeddings"
    )


class ChunkEmbedding(Base):
    """Vectors of chunks for any number of models, one partition per model."""

    __tablename__ = "chunk_embeddings"

    embedding_model_id: Mapped[int] = mapped_column(
        ForeignKey("data_platform.embedding_models.id", ondelete="RESTRICT"),
        primary_key=True,
        comment="Model and partition key: retiring a model is a DROP TABLE",
    )
    chunk_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("data_platform.chunks.id", ondelete="CASCADE"),
        primary_key=True,
        comment="Chunk",
    )
    organization_id: Mapped[TenantId]
    dataset_id: Mapped[int] = mapped_column(comment="Dataset, repeated for filtering")
    embedding: Mapped[list[float]] = mapped_column(
        Vector, comment="Vector; each partition checks its dimension count"
    )
    created_at: Mapped[CreatedAt] = mapped_column(comment="When it was computed")

    __table_args__ = (
        Index("ix_chunk_embeddings_chunk_id", "chunk_id"),
        Index("ix_chunk_embeddings_dataset_id", "organization_id", "dataset_id"),
        {
            "schema": "data_platform",
            "comment": (
                "Vectors of chunks for any number of models, one partition per model"
            ),
            "postgresql_partition_by": "LIST (embedding_model_id)",
        },
    )

    chunk: Mapped[Chunk] = relationship(back_populates="embeddings")
    embedding_model: Mapped[EmbeddingModel] = relationship(
        back_populates="chunk_embeddings"
    )


class Vectorizer(Base):
    """Keeps one dataset embedded with one model."""

    __tablename__ = "vectorizers"

    id: Mapped[IntId]
    organization_id: Mapped[TenantId]
    dataset_id: Mapped[int] = mapped_column(comment="Dataset to keep embedded")
    embedding_model_id: Mapped[int] = mapped_column(
        ForeignKey("data_platform.embedding_models.id", ondelete="RESTRICT"),
        comment="Target model",
    )
    name: Mapped[str] = mapped_column(
        String(100), comment="Name, unique per organization"
    )
    chunking: Mapped[dict[str, Any]] = mapped_column(
        server_default='{"method": "recursive", "size": 800, "overlap": 100}',
        comment="How documents are cut",
    )
    template: Mapped[str] = mapped_column(
        server_default="$chunk",
        comment="Text sent to the model; $chunk, $title and metadata fields",
    )
    status: Mapped[str] = mapped_column(
        String(20), server_default="active", comment="active or paused"
    )
    batch_size: Mapped[int] = mapped_column(
        server_default=text("64"), comment="Chunks per provider call"
    )
    max_attempts: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("6"), comment="Then the document is parked"
    )
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        UniqueConstraint("organization_id", "name"),
        UniqueConstraint("dataset_id", "embedding_model_id"),
        tenant_key("dataset_id", "data_platform.datasets", ondelete="CASCADE"),
        CheckConstraint(
            "jsonb_typeof(chunking) = 'object' AND chunking ? 'method'", name="chunking"
        ),
        one_of("status", "active", "paused"),
        CheckConstraint(
            "batch_size BETWEEN 1 AND 10000 AND max_attempts BETWEEN 1 AND 100",
            name="limits",
        ),
        Index("ix_vectorizers_embedding_model_id", "embedding_model_id"),
        sparse_index("ix_vectorizers_created_by", "created_by"),
        {
            "schema": "data_platform",
            "comment": "Keeps one dataset embedded with one model",
        },
    )

    dataset: Mapped[Dataset] = relationship(back_populates="vectorizers")
    embedding_model: Mapped[EmbeddingModel] = relationship(back_populates="vectorizers")
    queue: Mapped[list[VectorizerQueueEntry]] = relationship(
        back_populates="vectorizer", cascade="all, delete-orphan", passive_deletes=True
    )


class VectorizerQueueEntry(Base):
    """Document waiting to be embedded (again); it waits at most once, by the key."""

    __tablename__ = "vectorizer_queue"

    vectorizer_id: Mapped[int] = mapped_column(
        ForeignKey("data_platform.vectorizers.id", ondelete="CASCADE"),
        primary_key=True,
        comment="Vectorizer",
    )
    document_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("data_platform.documents.id", ondelete="CASCADE"),
        primary_key=True,
        comment="Document that changed",
    )
    organization_id: Mapped[TenantId]
    generation: Mapped[int] = mapped_column(
        server_default=text("1"),
        comment=(
            "Raised on every change; a worker deletes only the generation it read"
        ),
    )
    attempts: Mapped[int] = mapped_column(
        SmallInteger,
        server_default=text("0"),
        comment="Raised when claimed, in its own transaction, so a crash counts",
    )
    available_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="Not before (back-off)"
    )
    leased_by: Mapped[str | None] = mapped_column(comment="Worker holding it")
    lease_expires_at: Mapped[datetime | None] = mapped_column(
        comment="After this any worker may take it over"
    )
    failed_at: Mapped[datetime | None] = mapped_column(
        comment="Parked after max_attempts: the dead-letter mark"
    )
    last_error: Mapped[str | None] = mapped_column(comment="Last failure")
    enqueued_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="First enqueued"
    )

    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(leased_by, lease_expires_at) IN (0, 2)", name="lease"
        ),
        Index(
            "ix_vectorizer_queue_ready",
            "vectorizer_id",
            "available_at",
            postgresql_where=text("failed_at IS NULL"),
        ),
        Index("ix_vectorizer_queue_document_id", "document_id"),
        {
            "schema": "data_platform",
            "comment": (
                "Documents waiting to be (re-)embedded; the key makes a "
                "document wait at most once"
            ),
            "postgresql_with": {
                "fillfactor": 70,
                "autovacuum_vacuum_scale_factor": 0.01,
                "autovacuum_vacuum_cost_delay": 0,
            },
        },
    )

    vectorizer: Mapped[Vectorizer] = relationship(back_populates="queue")
    document: Mapped[Document] = relationship(back_populates="queue_entries")
