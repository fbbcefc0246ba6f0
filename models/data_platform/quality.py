"""Declare quality rules and what they found."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
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
    IntId,
    TenantId,
    UpdatedAt,
    one_of,
    sparse_index,
    tenant_key,
)

if TYPE_CHECKING:
    from .datasets import Dataset, DatasetVersion


class QualityCheck(Base):
    """Rule a dataset must meet; severity error blocks publication."""

    __tablename__ = "quality_checks"

    id: Mapped[IntId]
    organization_id: Mapped[TenantId]
    dataset_id: Mapped[int] = mapped_column(comment="Dataset")
    name: Mapped[str] = mapped_column(String(150), comment="Name, unique per dataset")
    check_type: Mapped[str] = mapped_column(
        String(30),
        comment=(
            "not_null, unique, range, pattern, allowed_values, row_count, "
            "freshness, drift, duplicate_text, pii or sql"
        ),
    )
    target: Mapped[str | None] = mapped_column(
        String(200), comment="Column or field; NULL for the whole dataset"
    )
    params: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Bounds, pattern, expression ..."
    )
    severity: Mapped[str] = mapped_column(
        String(10), server_default="warning", comment="info, warning or error"
    )
    is_active: Mapped[bool] = mapped_column(
        server_default=text("true"), comment="False skips it"
    )
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        UniqueConstraint("dataset_id", "name"),
        UniqueConstraint("id", "organization_id"),
        tenant_key("dataset_id", "data_platform.datasets", ondelete="CASCADE"),
        one_of(
            "check_type",
            "not_null",
            "unique",
            "range",
            "pattern",
            "allowed_values",
            "row_count",
            "freshness",
            "drift",
            "duplicate_text",
            "pii",
            "sql",
        ),
        one_of("severity", "info", "warning", "error"),
        CheckConstraint("jsonb_typeof(params) = 'object'", name="params"),
        Index("ix_quality_checks_organization_id", "organization_id"),
        sparse_index("ix_quality_checks_created_by", "created_by"),
        {
            "schema": "data_platform",
            "comment": "Rule a dataset must meet; severity error blocks publication",
        },
    )

    dataset: Mapped[Dataset] = relationship(back_populates="quality_checks")
    results: Mapped[list[QualityResult]] = relationship(
        back_populates="check",
        order_by="QualityResult.executed_at",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )


class QualityResult(Base):
    """Outcome of a check on one dataset version."""

    __tablename__ = "quality_results"

    id: Mapped[BigId]
    organization_id: Mapped[TenantId]
    check_id: Mapped[int] = mapped_column(comment="Check")
    dataset_version_id: Mapped[int] = mapped_column(
        BigInteger, comment="Version examined"
    )
    status: Mapped[str] = mapped_column(
        String(10), comment="pass, fail, error or skipped"
    )
    checked_rows: Mapped[int | None] = mapped_column(
        BigInteger, comment="Rows looked at"
    )
    failed_rows: Mapped[int | None] = mapped_column(
        BigInteger, comment="Rows that broke the rule"
    )
    observed: Mapped[dict[str, Any] | None] = mapped_column(
        comment="Measured values and a few examples"
    )
    duration_ms: Mapped[int | None] = mapped_column(comment="Time taken")
    executed_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When it ran"
    )

    __table_args__ = (
        tenant_key("check_id", "data_platform.quality_checks", ondelete="CASCADE"),
        tenant_key(
            "dataset_version_id", "data_platform.dataset_versions", ondelete="CASCADE"
        ),
        one_of("status", "pass", "fail", "error", "skipped"),
        CheckConstraint(
            "failed_rows >= 0 AND failed_rows <= checked_rows", name="rows"
        ),
        Index(
            "ix_quality_results_dataset_version_id",
            "dataset_version_id",
            "organization_id",
            "check_id",
            text("executed_at DESC"),
        ),
        Index(
            "ix_quality_results_check_id",
            "check_id",
            "organization_id",
            text("executed_at DESC"),
        ),
        {
            "schema": "data_platform",
            "comment": "Outcome of a check on one dataset version",
        },
    )

    check: Mapped[QualityCheck] = relationship(back_populates="results")
    dataset_version: Mapped[DatasetVersion] = relationship(
        back_populates="quality_results",
        foreign_keys="QualityResult.dataset_version_id",
    )
