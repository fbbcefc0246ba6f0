"""Declare what was made from what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models._base import (
    AuthorId,
    Base,
    BigId,
    CreatedAt,
    TenantId,
    one_of,
    sparse_index,
    tenant_key,
)

if TYPE_CHECKING:
    from models.algo_platform import Run
    from models.model_platform import ModelVersion

    from .datasets import DatasetVersion, DataSource


class LineageEdge(Base):
    """What was made from what.

    One ``src_`` and one ``dst_`` column of each row are set: a source, dataset version,
    run or model version.
    """

    __tablename__ = "lineage_edges"

    id: Mapped[BigId]
    organization_id: Mapped[TenantId]
    relation: Mapped[str] = mapped_column(
        String(20), comment="ingested, derived, input, output, validated or distilled"
    )
    src_data_source_id: Mapped[int | None] = mapped_column(comment="From: a source")
    src_dataset_version_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="From: a dataset version"
    )
    src_run_id: Mapped[UUID | None] = mapped_column(comment="From: a run")
    src_model_version_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="From: a model version"
    )
    dst_dataset_version_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="To: a dataset version"
    )
    dst_run_id: Mapped[UUID | None] = mapped_column(comment="To: a run")
    dst_model_version_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="To: a model version"
    )
    column_map: Mapped[dict[str, Any] | None] = mapped_column(
        comment="Column-level lineage: target, sources, transformation"
    )
    created_by: Mapped[AuthorId] = mapped_column(comment="Who or which job declared it")
    created_at: Mapped[CreatedAt] = mapped_column(comment="Declaration time")

    __table_args__ = (
        UniqueConstraint(
            "src_data_source_id",
            "src_dataset_version_id",
            "src_run_id",
            "src_model_version_id",
            "dst_dataset_version_id",
            "dst_run_id",
            "dst_model_version_id",
            "relation",
            name="uq_lineage_edges_identity",
            postgresql_nulls_not_distinct=True,
        ),
        tenant_key(
            "src_data_source_id", "data_platform.data_sources", ondelete="RESTRICT"
        ),
        tenant_key(
            "src_dataset_version_id",
            "data_platform.dataset_versions",
            ondelete="RESTRICT",
        ),
        tenant_key("src_run_id", "algo_platform.runs", ondelete="CASCADE"),
        tenant_key(
            "src_model_version_id", "model_platform.model_versions", ondelete="RESTRICT"
        ),
        tenant_key(
            "dst_dataset_version_id",
            "data_platform.dataset_versions",
            ondelete="CASCADE",
        ),
        tenant_key("dst_run_id", "algo_platform.runs", ondelete="CASCADE"),
        tenant_key(
            "dst_model_version_id", "model_platform.model_versions", ondelete="CASCADE"
        ),
        one_of(
            "relation",
            "ingested",
            "derived",
            "input",
            "output",
            "validated",
            "distilled",
        ),
        CheckConstraint(
            "num_nonnulls(src_data_source_id, src_dataset_version_id, src_run_id, "
            "src_model_version_id) = 1",
            name="src",
        ),
        CheckConstraint(
            "num_nonnulls(dst_dataset_version_id, dst_run_id, "
            "dst_model_version_id) = 1",
            name="dst",
        ),
        CheckConstraint(
            "src_dataset_version_id <> dst_dataset_version_id AND src_run_id <> "
            "dst_run_id AND src_model_version_id <> dst_model_version_id",
            name="no_loop",
        ),
        Index("ix_lineage_edges_organization_id", "organization_id"),
        sparse_index(
            "ix_lineage_edges_src_dataset_version_id",
            "src_dataset_version_id",
            "organization_id",
        ),
        sparse_index("ix_lineage_edges_src_run_id", "src_run_id", "organization_id"),
        sparse_index(
            "ix_lineage_edges_src_model_version_id",
            "src_model_version_id",
            "organization_id",
        ),
        sparse_index(
            "ix_lineage_edges_dst_dataset_version_id",
            "dst_dataset_version_id",
            "organization_id",
        ),
        sparse_index("ix_lineage_edges_dst_run_id", "dst_run_id", "organization_id"),
        sparse_index(
            "ix_lineage_edges_dst_model_version_id",
            "dst_model_version_id",
            "organization_id",
        ),
        sparse_index("ix_lineage_edges_created_by", "created_by"),
        {
            "schema": "data_platform",
            "comment": (
                "Directed provenance between sources, dataset versions, runs "
                "and model versions"
            ),
        },
    )

    src_data_source: Mapped[DataSource | None] = relationship(
        back_populates="outgoing_edges", foreign_keys="LineageEdge.src_data_source_id"
    )
    src_dataset_version: Mapped[DatasetVersion | None] = relationship(
        back_populates="outgoing_edges",
        foreign_keys="LineageEdge.src_dataset_version_id",
    )
    src_run: Mapped[Run | None] = relationship(
        back_populates="outgoing_edges", foreign_keys="LineageEdge.src_run_id"
    )
    src_model_version: Mapped[ModelVersion | None] = relationship(
        back_populates="outgoing_edges", foreign_keys="LineageEdge.src_model_version_id"
    )
    dst_dataset_version: Mapped[DatasetVersion | None] = relationship(
        back_populates="incoming_edges",
        foreign_keys="LineageEdge.dst_dataset_version_id",
    )
    dst_run: Mapped[Run | None] = relationship(
        back_populates="incoming_edges", foreign_keys="LineageEdge.dst_run_id"
    )
    dst_model_version: Mapped[ModelVersion | None] = relationship(
        back_populates="incoming_edges", foreign_keys="LineageEdge.dst_model_version_id"
    )
