"""Declare data sources, datasets and their versions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    FetchedValue,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models._base import (
    AuthorId,
    Base,
    BigId,
    CreatedAt,
    DeletedAt,
    IntId,
    RootTenantId,
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
    from models.model_platform import Evaluation

    from .documents import Document
    from .embeddings import TextEmbedding, Vectorizer
    from .lineage import LineageEdge
    from .quality import QualityCheck, QualityResult


class DataSource(Base):
    """External system data comes from (seed table)."""

    __tablename__ = "data_sources"

    id: Mapped[SerialId]
    name: Mapped[str] = mapped_column(
        String(200), comment="Name (seed); unique per organization among live rows"
    )
    description: Mapped[str | None] = mapped_column(comment="Purpose (seed)")
    source_type: Mapped[str] = mapped_column(
        String(50), comment="postgresql, mysql, s3, http, kafka, file ... (seed)"
    )
    connection_info: Mapped[dict[str, Any]] = mapped_column(
        comment=(
            "Host, port, bucket ...; a CHECK refuses passwords, tokens and keys (seed)"
        )
    )
    created_by: Mapped[int | None] = mapped_column(
        ForeignKey("auth.users.id", name="data_sources_created_by_fkey"),
        comment="Author (seed)",
    )
    created_at: Mapped[CreatedAt] = mapped_column(comment="Creation time (seed)")
    updated_at: Mapped[UpdatedAt] = mapped_column(
        comment="Last change, kept by trigger (seed)"
    )
    is_active: Mapped[bool] = mapped_column(
        server_default=text("true"), comment="False pauses every reader (seed)"
    )
    organization_id: Mapped[SharedTenantId] = mapped_column(
        comment="Owner; NULL rows are visible to administrators only"
    )
    secret_ref: Mapped[str | None] = mapped_column(
        String(512),
        comment=(
            "Where the credential lives: env:NAME, file:/path, vault:path#key, "
            "k8s:ns/name#key"
        ),
    )
    last_checked_at: Mapped[datetime | None] = mapped_column(
        comment="Last connection test"
    )
    last_check_error: Mapped[str | None] = mapped_column(
        comment="Message of the last failed test; NULL when it passed"
    )
    deleted_at: Mapped[DeletedAt]

    __table_args__ = (
        PrimaryKeyConstraint("id", name="data_sources_pkey"),
        UniqueConstraint("id", "organization_id"),
        CheckConstraint("source_type ~ '^[a-z][a-z0-9_+-]*$'", name="source_type"),
        CheckConstraint(
            "jsonb_typeof(connection_info) = 'object' AND NOT "
            "data_platform.contains_plain_secret(connection_info)",
            name="connection_info",
        ),
        CheckConstraint(
            "secret_ref ~ '^(env|file|vault|k8s|aws-sm|gcp-sm|azure-kv):.+$'",
            name="secret_ref",
        ),
        Index(
            "uq_data_sources_organization_id_name",
            "organization_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("ix_data_sources_organization_id", "organization_id"),
        Index("ix_data_sources_created_by", "created_by"),
        {
            "schema": "data_platform",
            "comment": "External system data comes from (seed table)",
        },
    )

    organization: Mapped[Organization | None] = relationship(
        back_populates="data_sources"
    )
    datasets: Mapped[list[Dataset]] = relationship(
        back_populates="data_source",
        foreign_keys="Dataset.data_source_id",
        passive_deletes="all",
    )
    outgoing_edges: Mapped[list[LineageEdge]] = relationship(
        back_populates="src_data_source",
        foreign_keys="LineageEdge.src_data_source_id",
        passive_deletes="all",
    )


class Dataset(Base):
    """Logical dataset; content lives in its versions."""

    __tablename__ = "datasets"

    id: Mapped[IntId] = mapped_column(
        comment="Surrogate key; integer because text_embeddings.dataset_id is"
    )
    organization_id: Mapped[RootTenantId]
    data_source_id: Mapped[int | None] = mapped_column(
        comment="Main source, when there is one"
    )
    name: Mapped[str] = mapped_column(
        String(200), comment="Name, unique per organization among live rows"
    )
    kind: Mapped[str] = mapped_column(
        String(20),
        server_default="text",
        comment="tabular, text, image, audio, video, mixed or stream",
    )
    description: Mapped[str | None] = mapped_column(
        comment="Purpose, provenance, caveats"
    )
    tags: Mapped[list[str]] = mapped_column(
        server_default="{}", comment="Free labels for search"
    )
    retention_days: Mapped[int | None] = mapped_column(
        comment="Content older than this may be purged; NULL keeps it"
    )
    latest_version: Mapped[int] = mapped_column(
        server_default=text("0"), comment="Highest version number handed out"
    )
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    deleted_at: Mapped[DeletedAt]

    __table_args__ = (
        UniqueConstraint("id", "organization_id"),
        tenant_key("data_source_id", "data_platform.data_sources", ondelete="SET NULL"),
        one_of("kind", "tabular", "text", "image", "audio", "video", "mixed", "stream"),
        CheckConstraint("retention_days > 0", name="retention_days"),
        Index(
            "uq_datasets_organization_id_name",
            "organization_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        sparse_index("ix_datasets_data_source_id", "data_source_id", "organization_id"),
        Index("ix_datasets_organization_id", "organization_id"),
        sparse_index("ix_datasets_created_by", "created_by"),
        Index("ix_datasets_tags", "tags", postgresql_using="gin"),
        {
            "schema": "data_platform",
            "comment": "Logical dataset; content lives in its versions",
        },
    )

    organization: Mapped[Organization] = relationship(back_populates="datasets")
    data_source: Mapped[DataSource | None] = relationship(
        back_populates="datasets", foreign_keys="Dataset.data_source_id"
    )
    versions: Mapped[list[DatasetVersion]] = relationship(
        back_populates="dataset",
        order_by="DatasetVersion.version",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    documents: Mapped[list[Document]] = relationship(
        back_populates="dataset", cascade="all, delete-orphan", passive_deletes=True
    )
    text_embeddings: Mapped[list[TextEmbedding]] = relationship(
        back_populates="dataset", cascade="all, delete-orphan", passive_deletes=True
    )
    vectorizers: Mapped[list[Vectorizer]] = relationship(
        back_populates="dataset", cascade="all, delete-orphan", passive_deletes=True
    )
    quality_checks: Mapped[list[QualityCheck]] = relationship(
        back_populates="dataset", cascade="all, delete-orphan", passive_deletes=True
    )


class DatasetVersion(Base):
    """Immutable snapshot of a dataset once published."""

    __tablename__ = "dataset_versions"

    id: Mapped[BigId] = mapped_column(comment="Surrogate key, the anchor of lineage")
    organization_id: Mapped[TenantId]
    dataset_id: Mapped[int] = mapped_column(comment="Dataset")
    version: Mapped[int] = mapped_column(
        server_default=FetchedValue(),
        comment="1, 2, 3 ... per dataset, assigned by trigger when absent",
    )
    status: Mapped[str] = mapped_column(
        String(20),
        server_default="draft",
        comment="draft, building, published, deprecated or failed",
    )
    storage_uri: Mapped[str | None] = mapped_column(
        comment="Where the files are; NULL when content is in documents"
    )
    format: Mapped[str | None] = mapped_column(
        String(30), comment="parquet, csv, jsonl, documents ..."
    )
    columns: Mapped[list[dict[str, Any]] | None] = mapped_column(
        JSONB(none_as_null=True),
        comment="Field list: name, type, nullable, description",
    )
    row_count: Mapped[int | None] = mapped_column(
        BigInteger, comment="Rows or documents"
    )
    size_bytes: Mapped[int | None] = mapped_column(
        BigInteger, comment="Bytes in storage"
    )
    content_sha256: Mapped[bytes | None] = mapped_column(
        comment="Digest of the manifest: equal digest means equal content"
    )
    statistics: Mapped[dict[str, Any] | None] = mapped_column(
        comment="Profile computed at publication"
    )
    note: Mapped[str | None] = mapped_column(comment="What changed")
    published_at: Mapped[datetime | None] = mapped_column(
        comment="When it became immutable"
    )
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        UniqueConstraint("dataset_id", "version"),
        UniqueConstraint("id", "organization_id"),
        tenant_key("dataset_id", "data_platform.datasets", ondelete="CASCADE"),
        CheckConstraint("version > 0", name="version"),
        one_of("status", "draft", "building", "published", "deprecated", "failed"),
        CheckConstraint(
            "status NOT IN ('published','deprecated') OR published_at IS NOT NULL",
            name="published",
        ),
        CheckConstraint("jsonb_typeof(columns) = 'array'", name="columns"),
        CheckConstraint("row_count >= 0 AND size_bytes >= 0", name="counts"),
        CheckConstraint("octet_length(content_sha256) = 32", name="content_sha256"),
        Index("ix_dataset_versions_organization_id", "organization_id"),
        Index(
            "ix_dataset_versions_published",
            "dataset_id",
            text("version DESC"),
            postgresql_where=text("status = 'published'"),
        ),
        sparse_index("ix_dataset_versions_created_by", "created_by"),
        {
            "schema": "data_platform",
            "comment": "Immutable snapshot of a dataset once published",
        },
    )

    dataset: Mapped[Dataset] = relationship(back_populates="versions")
    quality_results: Mapped[list[QualityResult]] = relationship(
        back_populates="dataset_version",
        foreign_keys="QualityResult.dataset_version_id",
        passive_deletes="all",
    )
    outgoing_edges: Mapped[list[LineageEdge]] = relationship(
        back_populates="src_dataset_version",
        foreign_keys="LineageEdge.src_dataset_version_id",
        passive_deletes="all",
    )
    incoming_edges: Mapped[list[LineageEdge]] = relationship(
        back_populates="dst_dataset_version",
        foreign_keys="LineageEdge.dst_dataset_version_id",
        passive_deletes="all",
    )
    evaluations: Mapped[list[Evaluation]] = relationship(
        back_populates="dataset_version",
        foreign_keys="Evaluation.dataset_version_id",
        passive_deletes="all",
    )
    # documents are kept as intervals of versions, not copied into each one
    documents: Mapped[list[Document]] = relationship(
        primaryjoin="""and_(
            DatasetVersion.dataset_id == foreign(Document.dataset_id),
            DatasetVersion.version >= Document.valid_from_version,
            or_(
                Document.valid_to_version.is_(None),
                DatasetVersion.version < Document.valid_to_version,
            ),
        )""",
        viewonly=True,
    )
