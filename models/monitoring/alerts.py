"""Declare objectives, rules that watch over them, and the alerts they raise."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Numeric,
    SmallInteger,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models._base import (
    AuthorId,
    Base,
    BigId,
    CreatedAt,
    IntId,
    PersonId,
    SharedTenantId,
    TenantId,
    UpdatedAt,
    one_of,
    sparse_index,
    tenant_key,
)

if TYPE_CHECKING:
    from models.auth import Organization
    from models.service_platform import Service


class Slo(Base):
    """Service level objective."""

    __tablename__ = "slos"

    id: Mapped[IntId]
    organization_id: Mapped[TenantId]
    service_id: Mapped[int] = mapped_column(comment="Service it promises for")
    name: Mapped[str] = mapped_column(String(150), comment="Name, unique per service")
    indicator: Mapped[str] = mapped_column(
        String(20), comment="availability, latency, first_token, freshness or quality"
    )
    threshold: Mapped[Decimal | None] = mapped_column(
        Numeric(20, 6), comment="Good event bound, e.g. latency in ms"
    )
    objective: Mapped[Decimal] = mapped_column(
        Numeric(7, 6), comment="Share of good events, e.g. 0.999"
    )
    window_days: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("30"), comment="Rolling window"
    )
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        UniqueConstraint("service_id", "name"),
        tenant_key("service_id", "service_platform.services", ondelete="CASCADE"),
        one_of(
            "indicator",
            "availability",
            "latency",
            "first_token",
            "freshness",
            "quality",
        ),
        CheckConstraint(
            "objective > 0 AND objective < 1 AND window_days BETWEEN 1 AND 366",
            name="objective",
        ),
        Index("ix_slos_organization_id", "organization_id"),
        sparse_index("ix_slos_created_by", "created_by"),
        {"schema": "monitoring", "comment": "Service level objective"},
    )

    service: Mapped[Service] = relationship(back_populates="slos")
    alert_rules: Mapped[list[AlertRule]] = relationship(
        back_populates="slo", passive_deletes="all"
    )


class AlertRule(Base):
    """Condition that is evaluated on a schedule."""

    __tablename__ = "alert_rules"

    id: Mapped[IntId]
    organization_id: Mapped[SharedTenantId] = mapped_column(
        comment="Owner; NULL for a platform rule"
    )
    slo_id: Mapped[int | None] = mapped_column(
        ForeignKey("monitoring.slos.id", ondelete="CASCADE"),
        comment="Objective whose error budget it watches",
    )
    name: Mapped[str] = mapped_column(String(150), comment="Name, unique per owner")
    source: Mapped[str] = mapped_column(
        String(20), comment="metrics, usage, quota, quality, vector, job or slo"
    )
    expression: Mapped[dict[str, Any]] = mapped_column(
        comment="metric, aggregate, window, operator, threshold"
    )
    severity: Mapped[str] = mapped_column(
        String(10), server_default="warning", comment="info, warning or critical"
    )
    for_seconds: Mapped[int] = mapped_column(
        server_default=text("0"), comment="Must hold this long before firing"
    )
    every_seconds: Mapped[int] = mapped_column(
        server_default=text("60"), comment="Evaluation interval"
    )
    notify: Mapped[list[Any]] = mapped_column(
        JSONB(none_as_null=True),
        server_default="[]",
        comment="Channels by reference; never secrets",
    )
    is_enabled: Mapped[bool] = mapped_column(
        server_default=text("true"), comment="False skips it"
    )
    next_run_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When it is due"
    )
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        UniqueConstraint("organization_id", "name", postgresql_nulls_not_distinct=True),
        one_of(
            "source", "metrics", "usage", "quota", "quality", "vector", "job", "slo"
        ),
        one_of("severity", "info", "warning", "critical"),
        CheckConstraint(
            "jsonb_typeof(expression) = 'object' AND jsonb_typeof(notify) = "
            "'array' AND NOT data_platform.contains_plain_secret(notify)",
            name="json",
        ),
        CheckConstraint("for_seconds >= 0 AND every_seconds >= 5", name="timing"),
        sparse_index("ix_alert_rules_slo_id", "slo_id"),
        Index(
            "ix_alert_rules_next_run_at",
            "next_run_at",
            postgresql_where=text("is_enabled"),
        ),
        sparse_index("ix_alert_rules_created_by", "created_by"),
        {
            "schema": "monitoring",
            "comment": "Condition that is evaluated on a schedule",
        },
    )

    organization: Mapped[Organization | None] = relationship(
        back_populates="alert_rules"
    )
    slo: Mapped[Slo | None] = relationship(back_populates="alert_rules")
    alerts: Mapped[list[Alert]] = relationship(
        back_populates="rule",
        order_by="Alert.started_at",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )


class Alert(Base):
    """An occurrence of a rule for one subject."""

    __tablename__ = "alerts"

    id: Mapped[BigId]
    rule_id: Mapped[int] = mapped_column(
        ForeignKey("monitoring.alert_rules.id", ondelete="CASCADE"), comment="Rule"
    )
    organization_id: Mapped[SharedTenantId] = mapped_column(
        comment="Owner, as in the rule"
    )
    fingerprint: Mapped[str] = mapped_column(
        String(64),
        comment=(
            "Identity of the subject: the same open alert is updated, not repeated"
        ),
    )
    status: Mapped[str] = mapped_column(
        String(15),
        server_default="pending",
        comment="pending, firing, acknowledged or resolved",
    )
    severity: Mapped[str] = mapped_column(
        String(10), comment="As in the rule when it fired"
    )
    summary: Mapped[str] = mapped_column(comment="One line for people")
    value: Mapped[float | None] = mapped_column(Double, comment="Last observed value")
    labels: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Subject: node, service, quota ..."
    )
    started_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="First seen"
    )
    last_seen_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="Last seen"
    )
    acknowledged_by: Mapped[PersonId] = mapped_column(comment="Who took it")
    acknowledged_at: Mapped[datetime | None] = mapped_column(comment="When")
    resolved_at: Mapped[datetime | None] = mapped_column(comment="End")

    __table_args__ = (
        one_of("status", "pending", "firing", "acknowledged", "resolved"),
        one_of("severity", "info", "warning", "critical"),
        CheckConstraint(
            "(status = 'resolved') = (resolved_at IS NOT NULL)", name="resolved"
        ),
        Index(
            "uq_alerts_open",
            "rule_id",
            "fingerprint",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index("ix_alerts_rule_id", "rule_id", text("started_at DESC")),
        Index("ix_alerts_organization_id", "organization_id", text("started_at DESC")),
        sparse_index("ix_alerts_acknowledged_by", "acknowledged_by"),
        {"schema": "monitoring", "comment": "An occurrence of a rule for one subject"},
    )

    rule: Mapped[AlertRule] = relationship(back_populates="alerts")
    organization: Mapped[Organization | None] = relationship(back_populates="alerts")
