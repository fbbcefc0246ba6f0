"""Declare services, their revisions and where they are deployed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    FetchedValue,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
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
    TenantId,
    UpdatedAt,
    one_of,
    sparse_index,
    tenant_key,
)

if TYPE_CHECKING:
    from models.auth import Group, Organization
    from models.model_platform import ModelVersion
    from models.monitoring import Slo

    from .prompts import PromptVersion
    from .usage import Quota


class Service(Base):
    """Logical service offered to callers."""

    __tablename__ = "services"

    id: Mapped[IntId]
    organization_id: Mapped[RootTenantId]
    name: Mapped[str] = mapped_column(
        String(150), comment="Name, unique per organization among live rows"
    )
    kind: Mapped[str] = mapped_column(
        String(20),
        server_default="model",
        comment="model, llm, embedding, rag, agent or batch",
    )
    description: Mapped[str | None] = mapped_column(comment="What it offers")
    owner_group_id: Mapped[int | None] = mapped_column(
        ForeignKey("auth.groups.id", ondelete="SET NULL"), comment="Group responsible"
    )
    latest_version: Mapped[int] = mapped_column(
        server_default=text("0"), comment="Highest revision number handed out"
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
        CheckConstraint("name ~ '^[a-z0-9][a-z0-9-]*$'", name="name"),
        one_of("kind", "model", "llm", "embedding", "rag", "agent", "batch"),
        CheckConstraint("jsonb_typeof(tags) = 'object'", name="tags"),
        Index(
            "uq_services_organization_id_name",
            "organization_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        sparse_index("ix_services_owner_group_id", "owner_group_id"),
        Index("ix_services_organization_id", "organization_id"),
        sparse_index("ix_services_created_by", "created_by"),
        {"schema": "service_platform", "comment": "Logical service offered to callers"},
    )

    organization: Mapped[Organization] = relationship(back_populates="services")
    owner_group: Mapped[Group | None] = relationship(back_populates="services")
    revisions: Mapped[list[Revision]] = relationship(
        back_populates="service",
        order_by="Revision.revision",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    endpoints: Mapped[list[Endpoint]] = relationship(
        back_populates="service", cascade="all, delete-orphan", passive_deletes=True
    )
    deployments: Mapped[list[Deployment]] = relationship(
        back_populates="service", cascade="all, delete-orphan", passive_deletes=True
    )
    quotas: Mapped[list[Quota]] = relationship(
        back_populates="service", foreign_keys="Quota.service_id", passive_deletes="all"
    )
    slos: Mapped[list[Slo]] = relationship(
        back_populates="service", cascade="all, delete-orphan", passive_deletes=True
    )


class Revision(Base):
    """Immutable specification of a service: what exactly would run."""

    __tablename__ = "revisions"

    id: Mapped[BigId]
    organization_id: Mapped[TenantId]
    service_id: Mapped[int] = mapped_column(comment="Service")
    revision: Mapped[int] = mapped_column(
        server_default=FetchedValue(),
        comment="1, 2, 3 ... per service, assigned by trigger when absent",
    )
    model_version_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Model version served"
    )
    prompt_version_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Prompt version used"
    )
    image_uri: Mapped[str | None] = mapped_column(
        String(512), comment="Container image, pinned by digest"
    )
    spec: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}",
        comment=(
            "Resources, replicas, autoscaling, environment by reference; never secrets"
        ),
    )
    note: Mapped[str | None] = mapped_column(comment="What changed")
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        UniqueConstraint("service_id", "revision"),
        UniqueConstraint("id", "service_id"),
        tenant_key("service_id", "service_platform.services", ondelete="CASCADE"),
        tenant_key(
            "model_version_id", "model_platform.model_versions", ondelete="RESTRICT"
        ),
        tenant_key(
            "prompt_version_id", "service_platform.prompt_versions", ondelete="RESTRICT"
        ),
        CheckConstraint("revision > 0", name="revision"),
        CheckConstraint(
            "jsonb_typeof(spec) = 'object' AND NOT "
            "data_platform.contains_plain_secret(spec)",
            name="spec",
        ),
        sparse_index(
            "ix_revisions_model_version_id", "model_version_id", "organization_id"
        ),
        sparse_index(
            "ix_revisions_prompt_version_id", "prompt_version_id", "organization_id"
        ),
        sparse_index("ix_revisions_created_by", "created_by"),
        {
            "schema": "service_platform",
            "comment": "Immutable specification of a service: what exactly would run",
        },
    )

    service: Mapped[Service] = relationship(back_populates="revisions")
    model_version: Mapped[ModelVersion | None] = relationship(
        back_populates="revisions", foreign_keys="Revision.model_version_id"
    )
    prompt_version: Mapped[PromptVersion | None] = relationship(
        back_populates="revisions", foreign_keys="Revision.prompt_version_id"
    )
    deployments: Mapped[list[Deployment]] = relationship(
        back_populates="revision",
        foreign_keys="Deployment.revision_id",
        passive_deletes="all",
    )


class Endpoint(Base):
    """Stable address of a service in one environment."""

    __tablename__ = "endpoints"

    id: Mapped[IntId]
    organization_id: Mapped[TenantId]
    service_id: Mapped[int] = mapped_column(comment="Service")
    environment: Mapped[str] = mapped_column(
        String(20),
        server_default="production",
        comment="development, staging or production",
    )
    host: Mapped[str] = mapped_column(String(253), comment="Host name")
    path: Mapped[str] = mapped_column(
        String(512), server_default="/", comment="Path prefix"
    )
    protocol: Mapped[str] = mapped_column(
        String(20), server_default="http", comment="http, grpc, websocket or openai"
    )
    auth_mode: Mapped[str] = mapped_column(
        String(20), server_default="api_key", comment="api_key, jwt, mtls or none"
    )
    timeout_ms: Mapped[int] = mapped_column(
        server_default=text("60000"), comment="Upstream time limit"
    )
    is_active: Mapped[bool] = mapped_column(
        server_default=text("true"), comment="False answers 404"
    )
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        UniqueConstraint("id", "service_id"),
        UniqueConstraint("id", "organization_id"),
        UniqueConstraint("service_id", "environment"),
        tenant_key("service_id", "service_platform.services", ondelete="CASCADE"),
        one_of("environment", "development", "staging", "production"),
        CheckConstraint("path LIKE '/%'", name="path"),
        one_of("protocol", "http", "grpc", "websocket", "openai"),
        one_of("auth_mode", "api_key", "jwt", "mtls", "none"),
        CheckConstraint("timeout_ms BETWEEN 1 AND 3600000", name="timeout_ms"),
        Index(
            "uq_endpoints_host_path",
            text("lower(host)"),
            "path",
            unique=True,
            postgresql_where=text("is_active"),
        ),
        Index("ix_endpoints_organization_id", "organization_id"),
        sparse_index("ix_endpoints_created_by", "created_by"),
        {
            "schema": "service_platform",
            "comment": "Stable address of a service in one environment",
        },
    )

    service: Mapped[Service] = relationship(back_populates="endpoints")
    deployments: Mapped[list[Deployment]] = relationship(
        back_populates="endpoint",
        foreign_keys="Deployment.endpoint_id",
        passive_deletes="all",
    )
    quotas: Mapped[list[Quota]] = relationship(
        back_populates="endpoint",
        foreign_keys="Quota.endpoint_id",
        passive_deletes="all",
    )


class Deployment(Base):
    """A revision running behind an endpoint with a share of its traffic."""

    __tablename__ = "deployments"

    id: Mapped[BigId]
    organization_id: Mapped[TenantId]
    service_id: Mapped[int] = mapped_column(
        comment="Service: ties endpoint and revision together"
    )
    endpoint_id: Mapped[int] = mapped_column(comment="Endpoint of that service")
    revision_id: Mapped[int] = mapped_column(
        BigInteger, comment="Revision of that service"
    )
    role: Mapped[str] = mapped_column(
        String(10),
        server_default="live",
        comment="live or shadow (mirrored, answers discarded)",
    )
    traffic_weight: Mapped[int] = mapped_column(
        SmallInteger,
        server_default=text("0"),
        comment=(
            "Percent; live deployments of an endpoint add up to 0 or 100 at commit"
        ),
    )
    status: Mapped[str] = mapped_column(
        String(20),
        server_default="pending",
        comment="pending, rolling_out, running, degraded, failed or stopped",
    )
    status_message: Mapped[str | None] = mapped_column(comment="Detail of the status")
    cluster: Mapped[str | None] = mapped_column(
        String(100), comment="Cluster or node pool"
    )
    desired_replicas: Mapped[int] = mapped_column(
        server_default=text("1"), comment="Wanted"
    )
    ready_replicas: Mapped[int] = mapped_column(
        server_default=text("0"), comment="Observed"
    )
    observed_at: Mapped[datetime | None] = mapped_column(
        comment="When the controller last reported"
    )
    created_by: Mapped[AuthorId] = mapped_column(comment="Who deployed")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    stopped_at: Mapped[datetime | None] = mapped_column(
        comment="End; the row stays as history"
    )

    __table_args__ = (
        tenant_key("service_id", "service_platform.services", ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["endpoint_id", "service_id"],
            ["service_platform.endpoints.id", "service_platform.endpoints.service_id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["revision_id", "service_id"],
            ["service_platform.revisions.id", "service_platform.revisions.service_id"],
            ondelete="RESTRICT",
        ),
        one_of("role", "live", "shadow"),
        CheckConstraint(
            "traffic_weight BETWEEN 0 AND 100 AND (role = 'live' OR traffic_weight "
            "= 0)",
            name="traffic_weight",
        ),
        one_of(
            "status",
            "pending",
            "rolling_out",
            "running",
            "degraded",
            "failed",
            "stopped",
        ),
        CheckConstraint(
            "(status = 'stopped') = (stopped_at IS NOT NULL) AND (stopped_at IS "
            "NULL OR traffic_weight = 0)",
            name="stopped",
        ),
        CheckConstraint(
            "desired_replicas >= 0 AND ready_replicas >= 0", name="replicas"
        ),
        Index(
            "uq_deployments_endpoint_id_revision_id",
            "endpoint_id",
            "revision_id",
            unique=True,
            postgresql_where=text("stopped_at IS NULL"),
        ),
        Index(
            "ix_deployments_service_id",
            "service_id",
            "organization_id",
            text("created_at DESC"),
        ),
        Index(
            "ix_deployments_organization_id", "organization_id", text("created_at DESC")
        ),
        Index("ix_deployments_endpoint_id", "endpoint_id", "service_id"),
        Index("ix_deployments_revision_id", "revision_id", "service_id"),
        sparse_index("ix_deployments_created_by", "created_by"),
        {
            "schema": "service_platform",
            "comment": (
                "A revision running behind an endpoint with a share of its "
                "traffic; any number at a time"
            ),
            "postgresql_with": {"fillfactor": 80},
        },
    )

    service: Mapped[Service] = relationship(back_populates="deployments")
    endpoint: Mapped[Endpoint] = relationship(
        back_populates="deployments", foreign_keys="Deployment.endpoint_id"
    )
    revision: Mapped[Revision] = relationship(
        back_populates="deployments", foreign_keys="Deployment.revision_id"
    )
