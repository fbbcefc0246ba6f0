"""Declare runs, their metrics and the files they left."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models._base import (
    AuthorId,
    Base,
    BigId,
    CreatedAt,
    DeletedAt,
    TenantId,
    TimeOrderedId,
    UpdatedAt,
    one_of,
    sparse_index,
    tenant_key,
)

if TYPE_CHECKING:
    from models.data_platform import LineageEdge
    from models.model_platform import Evaluation, ModelVersion

    from .experiments import Algorithm, Experiment, Job


class Run(Base):
    """One execution of an algorithm: training, tuning trial, batch inference."""

    __tablename__ = "runs"

    id: Mapped[TimeOrderedId] = mapped_column(
        comment="Run id, may be made by the client"
    )
    organization_id: Mapped[TenantId]
    experiment_id: Mapped[int] = mapped_column(comment="Experiment")
    algorithm_id: Mapped[int | None] = mapped_column(
        ForeignKey("algo_platform.algorithms.id", ondelete="RESTRICT"),
        comment="Algorithm version executed",
    )
    parent_run_id: Mapped[UUID | None] = mapped_column(
        comment="Tuning sweep or pipeline this run belongs to"
    )
    job_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Queue entry that started it"
    )
    name: Mapped[str | None] = mapped_column(String(250), comment="Display name")
    status: Mapped[str] = mapped_column(
        String(20),
        server_default="scheduled",
        comment="scheduled, running, finished, failed or killed",
    )
    source_uri: Mapped[str | None] = mapped_column(comment="Script or notebook")
    source_revision: Mapped[str | None] = mapped_column(String(64), comment="Commit")
    params: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Hyper-parameters, any length and type"
    )
    tags: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Key-value labels"
    )
    summary: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}",
        comment="Last, best, minimum and maximum per metric, written at flush",
    )
    environment: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Image, packages, hardware"
    )
    error: Mapped[str | None] = mapped_column(comment="Why it failed")
    started_at: Mapped[datetime | None] = mapped_column(comment="Start")
    ended_at: Mapped[datetime | None] = mapped_column(comment="End")
    heartbeat_at: Mapped[datetime | None] = mapped_column(comment="Last sign of life")
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    deleted_at: Mapped[DeletedAt]

    __table_args__ = (
        UniqueConstraint("id", "organization_id"),
        tenant_key("experiment_id", "algo_platform.experiments", ondelete="CASCADE"),
        tenant_key("parent_run_id", "algo_platform.runs", ondelete="CASCADE"),
        tenant_key("job_id", "algo_platform.jobs", ondelete="SET NULL"),
        one_of("status", "scheduled", "running", "finished", "failed", "killed"),
        CheckConstraint("ended_at >= started_at", name="times"),
        CheckConstraint(
            "jsonb_typeof(params) = 'object' AND jsonb_typeof(tags) = 'object' AND "
            "jsonb_typeof(summary) = 'object' AND jsonb_typeof(environment) = "
            "'object'",
            name="json",
        ),
        Index(
            "ix_runs_experiment_id",
            "experiment_id",
            "organization_id",
            text("created_at DESC"),
        ),
        Index("ix_runs_organization_id", "organization_id", text("created_at DESC")),
        sparse_index("ix_runs_algorithm_id", "algorithm_id"),
        sparse_index("ix_runs_parent_run_id", "parent_run_id", "organization_id"),
        sparse_index("ix_runs_job_id", "job_id", "organization_id"),
        sparse_index("ix_runs_created_by", "created_by"),
        Index(
            "ix_runs_active",
            "heartbeat_at",
            postgresql_where=text("status IN ('scheduled','running')"),
        ),
        Index(
            "ix_runs_params",
            "params",
            postgresql_using="gin",
            postgresql_ops={"params": "jsonb_path_ops"},
        ),
        Index(
            "ix_runs_tags",
            "tags",
            postgresql_using="gin",
            postgresql_ops={"tags": "jsonb_path_ops"},
        ),
        {
            "schema": "algo_platform",
            "comment": (
                "One execution of an algorithm: training, tuning trial, batch inference"
            ),
            "postgresql_with": {"fillfactor": 80},
        },
    )

    outgoing_edges: Mapped[list[LineageEdge]] = relationship(
        back_populates="src_run",
        foreign_keys="LineageEdge.src_run_id",
        passive_deletes="all",
    )
    incoming_edges: Mapped[list[LineageEdge]] = relationship(
        back_populates="dst_run",
        foreign_keys="LineageEdge.dst_run_id",
        passive_deletes="all",
    )
    experiment: Mapped[Experiment] = relationship(back_populates="runs")
    algorithm: Mapped[Algorithm | None] = relationship(back_populates="runs")
    parent: Mapped[Run | None] = relationship(
        back_populates="children",
        foreign_keys="Run.parent_run_id",
        remote_side="Run.id",
    )
    children: Mapped[list[Run]] = relationship(
        back_populates="parent", foreign_keys="Run.parent_run_id", passive_deletes="all"
    )
    job: Mapped[Job | None] = relationship(
        back_populates="runs", foreign_keys="Run.job_id"
    )
    metrics: Mapped[list[RunMetric]] = relationship(
        back_populates="run",
        order_by="RunMetric.metric, RunMetric.step",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    artifacts: Mapped[list[RunArtifact]] = relationship(
        back_populates="run",
        order_by="RunArtifact.path",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    model_versions: Mapped[list[ModelVersion]] = relationship(
        back_populates="run", foreign_keys="ModelVersion.run_id", passive_deletes="all"
    )
    evaluations: Mapped[list[Evaluation]] = relationship(
        back_populates="run", foreign_keys="Evaluation.run_id", passive_deletes="all"
    )


class RunMetric(Base):
    """Metric history: one value per run, metric and step."""

    __tablename__ = "run_metrics"

    run_id: Mapped[UUID] = mapped_column(
        primary_key=True, comment="Run and partition key"
    )
    metric: Mapped[str] = mapped_column(
        String(250), primary_key=True, comment="Metric name, e.g. train/loss"
    )
    step: Mapped[int] = mapped_column(
        BigInteger,
        primary_key=True,
        server_default=text("0"),
        comment="Step or epoch; writing the same step again replaces the value",
    )
    value: Mapped[float] = mapped_column(
        Double, comment="Value; NaN and Infinity are stored as such"
    )
    organization_id: Mapped[TenantId]
    recorded_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When it was measured"
    )

    __table_args__ = (
        tenant_key("run_id", "algo_platform.runs", ondelete="CASCADE"),
        {
            "schema": "algo_platform",
            "comment": "Metric history: one value per run, metric and step",
            "postgresql_partition_by": "HASH (run_id)",
        },
    )

    run: Mapped[Run] = relationship(back_populates="metrics")


class RunArtifact(Base):
    """File produced by a run."""

    __tablename__ = "run_artifacts"

    id: Mapped[BigId]
    organization_id: Mapped[TenantId]
    run_id: Mapped[UUID] = mapped_column(comment="Run")
    path: Mapped[str] = mapped_column(String(1024), comment="Path inside the run")
    kind: Mapped[str] = mapped_column(
        String(20),
        server_default="other",
        comment="checkpoint, model, dataset, plot, log, report or other",
    )
    uri: Mapped[str] = mapped_column(comment="Where it is stored")
    sha256: Mapped[bytes | None] = mapped_column(comment="Digest")
    size_bytes: Mapped[int | None] = mapped_column(BigInteger, comment="Size")
    media_type: Mapped[str | None] = mapped_column(String(127), comment="Media type")
    step: Mapped[int | None] = mapped_column(BigInteger, comment="Step it belongs to")
    metadata_: Mapped[dict[str, Any]] = mapped_column(
        "metadata", server_default="{}", comment="Extra attributes"
    )
    created_at: Mapped[CreatedAt] = mapped_column(comment="Upload time")

    __table_args__ = (
        UniqueConstraint("run_id", "path"),
        tenant_key("run_id", "algo_platform.runs", ondelete="CASCADE"),
        one_of(
            "kind", "checkpoint", "model", "dataset", "plot", "log", "report", "other"
        ),
        CheckConstraint("octet_length(sha256) = 32", name="sha256"),
        CheckConstraint("size_bytes >= 0", name="size_bytes"),
        Index(
            "ix_run_artifacts_sha256",
            "sha256",
            postgresql_using="hash",
            postgresql_where=text("sha256 IS NOT NULL"),
        ),
        {"schema": "algo_platform", "comment": "File produced by a run"},
    )

    run: Mapped[Run] = relationship(back_populates="artifacts")
