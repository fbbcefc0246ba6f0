"""Declare algorithms, experiments and the queue of work."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
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
    BigId,
    CreatedAt,
    DeletedAt,
    IntId,
    RootTenantId,
    SerialId,
    SharedTenantId,
    UpdatedAt,
    one_of,
    sparse_index,
)

if TYPE_CHECKING:
    from models.auth import Organization
    from models.model_platform import ModelVersion

    from .runs import Run


class Algorithm(Base):
    """One version of an algorithm (seed table); a platform-wide catalogue."""

    __tablename__ = "algorithms"

    id: Mapped[SerialId]
    name: Mapped[str] = mapped_column(String(255), comment="Algorithm name (seed)")
    description: Mapped[str | None] = mapped_column(comment="What it does (seed)")
    version: Mapped[str | None] = mapped_column(
        String(50), comment="Version label (seed)"
    )
    source_code_url: Mapped[str | None] = mapped_column(
        String(512), comment="Repository or archive (seed)"
    )
    created_by: Mapped[int | None] = mapped_column(
        ForeignKey("auth.users.id", name="algorithms_created_by_fkey"),
        comment="Author (seed)",
    )
    created_at: Mapped[CreatedAt] = mapped_column(comment="Creation time (seed)")
    updated_at: Mapped[UpdatedAt] = mapped_column(
        comment="Last change, kept by trigger (seed)"
    )
    organization_id: Mapped[SharedTenantId] = mapped_column(
        comment="Owner; NULL for the shared catalogue"
    )
    framework: Mapped[str | None] = mapped_column(
        String(50), comment="pytorch, sklearn, xgboost ..."
    )
    source_revision: Mapped[str | None] = mapped_column(
        String(64), comment="Commit the version was cut from"
    )
    entrypoint: Mapped[str | None] = mapped_column(
        String(255), comment="Module or command to run"
    )
    image_uri: Mapped[str | None] = mapped_column(
        String(512), comment="Container image, pinned by digest"
    )
    hyperparameter_schema: Mapped[dict[str, Any]] = mapped_column(
        server_default='{"type": "object"}',
        comment="JSON Schema that runs.params must satisfy",
    )
    default_hyperparameters: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Values used when a run gives none"
    )
    status: Mapped[str] = mapped_column(
        String(20), server_default="active", comment="draft, active or deprecated"
    )
    is_default: Mapped[bool] = mapped_column(
        server_default=text("false"),
        comment="Version chosen when only the name is given; one per name",
    )

    __table_args__ = (
        PrimaryKeyConstraint("id", name="algorithms_pkey"),
        UniqueConstraint("name", "version", name="algorithms_name_version_key"),
        CheckConstraint(
            "jsonb_typeof(hyperparameter_schema) = 'object' AND "
            "jsonb_typeof(default_hyperparameters) = 'object'",
            name="schema",
        ),
        one_of("status", "draft", "active", "deprecated"),
        Index(
            "uq_algorithms_name_unversioned",
            "name",
            unique=True,
            postgresql_where=text("version IS NULL"),
        ),
        Index(
            "uq_algorithms_name_default",
            "name",
            unique=True,
            postgresql_where=text("is_default"),
        ),
        Index("ix_algorithms_organization_id", "organization_id"),
        Index("ix_algorithms_created_by", "created_by"),
        {
            "schema": "algo_platform",
            "comment": (
                "One version of an algorithm (seed table); a platform-wide catalogue"
            ),
        },
    )

    organization: Mapped[Organization | None] = relationship(
        back_populates="algorithms"
    )
    runs: Mapped[list[Run]] = relationship(
        back_populates="algorithm", passive_deletes="all"
    )
    model_versions: Mapped[list[ModelVersion]] = relationship(
        back_populates="algorithm", passive_deletes="all"
    )


class Experiment(Base):
    """Groups runs that answer one question."""

    __tablename__ = "experiments"

    id: Mapped[IntId]
    organization_id: Mapped[RootTenantId]
    name: Mapped[str] = mapped_column(
        String(250),
        comment=(
            "Name, unique among live experiments: a deleted name can be used again"
        ),
    )
    description: Mapped[str | None] = mapped_column(comment="Question and conclusion")
    artifact_root: Mapped[str | None] = mapped_column(
        comment="Default place for run artifacts"
    )
    tags: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Key-value labels"
    )
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    deleted_at: Mapped[DeletedAt]

    __table_args__ = (
        UniqueConstraint("id", "organization_id"),
        CheckConstraint("jsonb_typeof(tags) = 'object'", name="tags"),
        Index(
            "uq_experiments_organization_id_name",
            "organization_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("ix_experiments_organization_id", "organization_id"),
        sparse_index("ix_experiments_created_by", "created_by"),
        {"schema": "algo_platform", "comment": "Groups runs that answer one question"},
    )

    organization: Mapped[Organization] = relationship(back_populates="experiments")
    runs: Mapped[list[Run]] = relationship(
        back_populates="experiment", cascade="all, delete-orphan", passive_deletes=True
    )


class Job(Base):
    """Queue for training, evaluation, checks, deployment and clean-up work."""

    __tablename__ = "jobs"

    id: Mapped[BigId]
    organization_id: Mapped[RootTenantId]
    queue: Mapped[str] = mapped_column(
        String(64), server_default="default", comment="Queue a worker subscribes to"
    )
    kind: Mapped[str] = mapped_column(
        String(64), comment="Handler, e.g. run.train, eval.run, dataset.check"
    )
    payload: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Arguments: ids, never secrets"
    )
    result: Mapped[dict[str, Any] | None] = mapped_column(comment="Outcome")
    status: Mapped[str] = mapped_column(
        String(20),
        server_default="queued",
        comment="queued, running, succeeded, failed, cancelled or dead",
    )
    priority: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("0"), comment="Higher first"
    )
    available_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="Not before (schedule, back-off)"
    )
    attempts: Mapped[int] = mapped_column(
        SmallInteger,
        server_default=text("0"),
        comment="Raised by claim_jobs() in its own transaction",
    )
    max_attempts: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("5"), comment="Then status becomes dead"
    )
    dedupe_key: Mapped[str | None] = mapped_column(
        String(200), comment="At most one queued or running job per queue and key"
    )
    leased_by: Mapped[str | None] = mapped_column(comment="Worker holding it")
    lease_expires_at: Mapped[datetime | None] = mapped_column(
        comment="After this any worker may take it over"
    )
    cancel_requested_at: Mapped[datetime | None] = mapped_column(
        comment="Ask the worker to stop"
    )
    last_error: Mapped[str | None] = mapped_column(comment="Last failure")
    created_by: Mapped[AuthorId] = mapped_column(comment="Requester")
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None] = mapped_column(comment="First start")
    finished_at: Mapped[datetime | None] = mapped_column(
        comment="End; finished rows are deleted after the retention time"
    )

    __table_args__ = (
        UniqueConstraint("id", "organization_id"),
        one_of(
            "status", "queued", "running", "succeeded", "failed", "cancelled", "dead"
        ),
        CheckConstraint(
            "(status = 'running') = (lease_expires_at IS NOT NULL)", name="lease"
        ),
        CheckConstraint(
            "attempts >= 0 AND max_attempts BETWEEN 1 AND 100", name="attempts"
        ),
        CheckConstraint(
            "jsonb_typeof(payload) = 'object' AND NOT "
            "data_platform.contains_plain_secret(payload)",
            name="payload",
        ),
        Index(
            "ix_jobs_ready",
            "queue",
            text("priority DESC"),
            "available_at",
            "id",
            postgresql_where=text("status = 'queued'"),
        ),
        Index(
            "ix_jobs_lease",
            "lease_expires_at",
            postgresql_where=text("status = 'running'"),
        ),
        Index(
            "uq_jobs_dedupe_key",
            "organization_id",
            "queue",
            "dedupe_key",
            unique=True,
            postgresql_where=text(
                "dedupe_key IS NOT NULL AND status IN ('queued','running')"
            ),
        ),
        Index("ix_jobs_organization_id", "organization_id", text("created_at DESC")),
        sparse_index("ix_jobs_created_by", "created_by"),
        sparse_index("ix_jobs_finished_at", "finished_at"),
        {
            "schema": "algo_platform",
            "comment": (
                "Queue for training, evaluation, checks, deployment and clean-up work"
            ),
            "postgresql_with": {
                "fillfactor": 70,
                "autovacuum_vacuum_scale_factor": 0.01,
                "autovacuum_vacuum_cost_delay": 0,
            },
        },
    )

    organization: Mapped[Organization] = relationship(back_populates="jobs")
    runs: Mapped[list[Run]] = relationship(
        back_populates="job", foreign_keys="Run.job_id", passive_deletes="all"
    )
