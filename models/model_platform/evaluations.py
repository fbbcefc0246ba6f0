"""Declare how model versions did on dataset versions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
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
    TenantId,
    one_of,
    sparse_index,
    tenant_key,
)

if TYPE_CHECKING:
    from models.algo_platform import Run
    from models.data_platform import DatasetVersion

    from .registry import ModelVersion


class Evaluation(Base):
    """Result of judging a model version on a dataset version."""

    __tablename__ = "evaluations"

    id: Mapped[BigId]
    organization_id: Mapped[TenantId]
    model_version_id: Mapped[int] = mapped_column(BigInteger, comment="Version judged")
    dataset_version_id: Mapped[int] = mapped_column(BigInteger, comment="Test data")
    run_id: Mapped[UUID | None] = mapped_column(comment="Run that computed it")
    baseline_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Evaluation it is compared with"
    )
    evaluator: Mapped[str] = mapped_column(
        String(150), comment="Method and version, e.g. mmlu@3, llm-judge@7"
    )
    config: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Settings, judge model, prompt version"
    )
    status: Mapped[str] = mapped_column(
        String(20),
        server_default="queued",
        comment="queued, running, succeeded or failed",
    )
    metrics: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Metric name to number"
    )
    slices: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB(none_as_null=True),
        server_default="[]",
        comment="The same metrics by subgroup",
    )
    verdict: Mapped[str | None] = mapped_column(
        String(20), comment="better, worse, equal or blocked against the baseline"
    )
    report_uri: Mapped[str | None] = mapped_column(comment="Full report")
    error: Mapped[str | None] = mapped_column(comment="Why it failed")
    created_by: Mapped[AuthorId] = mapped_column(comment="Requester")
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None] = mapped_column(comment="End")

    __table_args__ = (
        UniqueConstraint("id", "organization_id"),
        tenant_key(
            "model_version_id", "model_platform.model_versions", ondelete="CASCADE"
        ),
        tenant_key(
            "dataset_version_id", "data_platform.dataset_versions", ondelete="RESTRICT"
        ),
        tenant_key("run_id", "algo_platform.runs", ondelete="SET NULL"),
        tenant_key("baseline_id", "model_platform.evaluations", ondelete="SET NULL"),
        one_of("status", "queued", "running", "succeeded", "failed"),
        one_of("verdict", "better", "worse", "equal", "blocked"),
        CheckConstraint(
            "jsonb_typeof(config) = 'object' AND jsonb_typeof(metrics) = 'object' "
            "AND jsonb_typeof(slices) = 'array'",
            name="json",
        ),
        Index(
            "ix_evaluations_model_version_id",
            "model_version_id",
            "organization_id",
            text("created_at DESC"),
        ),
        Index(
            "ix_evaluations_dataset_version_id", "dataset_version_id", "organization_id"
        ),
        sparse_index("ix_evaluations_run_id", "run_id", "organization_id"),
        sparse_index("ix_evaluations_baseline_id", "baseline_id", "organization_id"),
        sparse_index("ix_evaluations_created_by", "created_by"),
        Index("ix_evaluations_organization_id", "organization_id"),
        {
            "schema": "model_platform",
            "comment": "Result of judging a model version on a dataset version",
        },
    )

    model_version: Mapped[ModelVersion] = relationship(back_populates="evaluations")
    dataset_version: Mapped[DatasetVersion] = relationship(
        back_populates="evaluations", foreign_keys="Evaluation.dataset_version_id"
    )
    run: Mapped[Run | None] = relationship(
        back_populates="evaluations", foreign_keys="Evaluation.run_id"
    )
    baseline: Mapped[Evaluation | None] = relationship(
        back_populates="comparisons",
        foreign_keys="Evaluation.baseline_id",
        remote_side="Evaluation.id",
    )
    comparisons: Mapped[list[Evaluation]] = relationship(
        back_populates="baseline",
        foreign_keys="Evaluation.baseline_id",
        passive_deletes="all",
    )
