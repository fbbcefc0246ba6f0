"""Declare quotas, the ledger of invocations and daily usage."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
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
    IntId,
    RootTenantId,
    TenantId,
    UpdatedAt,
    one_of,
    sparse_index,
    tenant_key,
)

if TYPE_CHECKING:
    from models.auth import ApiKey, Organization, User

    from .services import Endpoint, Service


class Quota(Base):
    """Budget or rate limit with its running counter."""

    __tablename__ = "quotas"

    id: Mapped[IntId] = mapped_column(
        comment="Surrogate key; counters are always taken in id order"
    )
    organization_id: Mapped[RootTenantId] = mapped_column(
        comment="Tenant; alone it is the limit of the whole organization"
    )
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("auth.users.id", ondelete="CASCADE"), comment="Limit of a user"
    )
    api_key_id: Mapped[UUID | None] = mapped_column(comment="Limit of a key")
    service_id: Mapped[int | None] = mapped_column(comment="Limit of a service")
    endpoint_id: Mapped[int | None] = mapped_column(comment="Limit of an endpoint")
    metric: Mapped[str] = mapped_column(
        String(20),
        comment="requests, input_tokens, output_tokens, total_tokens or cost",
    )
    window_kind: Mapped[str] = mapped_column(
        String(10), comment="minute, hour, day, month or total (UTC calendar windows)"
    )
    limit_value: Mapped[Decimal] = mapped_column(Numeric(20, 6), comment="Hard limit")
    soft_value: Mapped[Decimal | None] = mapped_column(
        Numeric(20, 6), comment="Alert threshold"
    )
    is_enforced: Mapped[bool] = mapped_column(
        server_default=text("true"), comment="False only alerts"
    )
    used_value: Mapped[Decimal] = mapped_column(
        Numeric(20, 10), server_default=text("0"), comment="Used in the current window"
    )
    window_started_at: Mapped[datetime] = mapped_column(
        server_default=func.now(),
        comment=("Start of the current window; rolls over lazily, without a reset job"),
    )
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt] = mapped_column(
        comment="Last change of the limit, not of the counter"
    )

    __table_args__ = (
        UniqueConstraint(
            "organization_id",
            "user_id",
            "api_key_id",
            "service_id",
            "endpoint_id",
            "metric",
            "window_kind",
            name="uq_quotas_target",
            postgresql_nulls_not_distinct=True,
        ),
        tenant_key("api_key_id", "auth.api_keys", ondelete="CASCADE"),
        tenant_key("service_id", "service_platform.services", ondelete="CASCADE"),
        tenant_key("endpoint_id", "service_platform.endpoints", ondelete="CASCADE"),
        one_of(
            "metric",
            "requests",
            "input_tokens",
            "output_tokens",
            "total_tokens",
            "cost",
        ),
        one_of("window_kind", "minute", "hour", "day", "month", "total"),
        CheckConstraint(
            "limit_value >= 0 AND used_value >= 0 AND (soft_value IS NULL OR "
            "soft_value <= limit_value)",
            name="values",
        ),
        sparse_index("ix_quotas_user_id", "user_id"),
        sparse_index("ix_quotas_api_key_id", "api_key_id", "organization_id"),
        sparse_index("ix_quotas_service_id", "service_id", "organization_id"),
        sparse_index("ix_quotas_endpoint_id", "endpoint_id", "organization_id"),
        sparse_index("ix_quotas_created_by", "created_by"),
        {
            "schema": "service_platform",
            "comment": "Budget or rate limit with its running counter",
            "postgresql_with": {"fillfactor": 50},
        },
    )

    organization: Mapped[Organization] = relationship(back_populates="quotas")
    user: Mapped[User | None] = relationship(
        back_populates="quotas", foreign_keys="Quota.user_id"
    )
    api_key: Mapped[ApiKey | None] = relationship(
        back_populates="quotas", foreign_keys="Quota.api_key_id"
    )
    service: Mapped[Service | None] = relationship(
        back_populates="quotas", foreign_keys="Quota.service_id"
    )
    endpoint: Mapped[Endpoint | None] = relationship(
        back_populates="quotas", foreign_keys="Quota.endpoint_id"
    )


class Invocation(Base):
    """Usage ledger: one row per call, the source of every bill."""

    __tablename__ = "invocations"

    id: Mapped[UUID] = mapped_column(
        primary_key=True,
        server_default=text("uuid_generate_v7()"),
        comment=(
            "Request id; a retry carries the same one and is refused as a duplicate"
        ),
    )
    created_at: Mapped[datetime] = mapped_column(
        primary_key=True,
        comment="Time inside the id (uuid_v7_timestamp), partition key",
    )
    organization_id: Mapped[TenantId]
    service_id: Mapped[int | None] = mapped_column(
        comment="Service; no foreign key: the ledger outlives what it names"
    )
    endpoint_id: Mapped[int | None] = mapped_column(comment="Endpoint")
    deployment_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Deployment that answered"
    )
    model_version_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Model version that answered"
    )
    prompt_version_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Prompt version used"
    )
    api_key_id: Mapped[UUID | None] = mapped_column(comment="Key that paid")
    user_id: Mapped[int | None] = mapped_column(comment="Platform user")
    end_user: Mapped[str | None] = mapped_column(
        String(200), comment="Caller's own user id"
    )
    operation: Mapped[str] = mapped_column(
        String(30),
        comment="chat, completion, embedding, rerank, predict, image, audio ...",
    )
    provider: Mapped[str | None] = mapped_column(
        String(50), comment="Upstream provider; NULL when self-hosted"
    )
    model_name: Mapped[str | None] = mapped_column(
        String(200), comment="Model as billed"
    )
    status_code: Mapped[int] = mapped_column(SmallInteger, comment="HTTP status")
    error_type: Mapped[str | None] = mapped_column(
        String(100), comment="Class of error"
    )
    is_cached: Mapped[bool] = mapped_column(
        server_default=text("false"), comment="Answered from cache"
    )
    input_tokens: Mapped[int] = mapped_column(
        BigInteger, server_default=text("0"), comment="Tokens in"
    )
    output_tokens: Mapped[int] = mapped_column(
        BigInteger, server_default=text("0"), comment="Tokens out"
    )
    cached_tokens: Mapped[int] = mapped_column(
        BigInteger,
        server_default=text("0"),
        comment="Input tokens billed at the cache rate",
    )
    cost: Mapped[Decimal] = mapped_column(
        Numeric(20, 10),
        server_default=text("0"),
        comment="Exact cost; never floating point",
    )
    currency: Mapped[str] = mapped_column(
        CHAR(3), server_default="USD", comment="ISO 4217"
    )
    latency_ms: Mapped[int | None] = mapped_column(comment="Total time")
    first_token_ms: Mapped[int | None] = mapped_column(comment="Time to first token")
    trace_id: Mapped[UUID | None] = mapped_column(
        comment="Correlation with traces and request_logs"
    )
    node_id: Mapped[str | None] = mapped_column(comment="Node that served it")
    tags: Mapped[dict[str, Any] | None] = mapped_column(
        comment="Caller's labels for cost allocation"
    )

    __table_args__ = (
        CheckConstraint("created_at = public.uuid_v7_timestamp(id)", name="created_at"),
        CheckConstraint(
            "input_tokens >= 0 AND output_tokens >= 0 AND cached_tokens >= 0 AND "
            "cost >= 0",
            name="counts",
        ),
        Index(
            "ix_invocations_organization_id", "organization_id", text("created_at DESC")
        ),
        Index(
            "ix_invocations_service_id",
            "service_id",
            text("created_at DESC"),
            postgresql_where=text("service_id IS NOT NULL"),
        ),
        Index(
            "ix_invocations_api_key_id",
            "api_key_id",
            text("created_at DESC"),
            postgresql_where=text("api_key_id IS NOT NULL"),
        ),
        Index(
            "ix_invocations_trace_id",
            "trace_id",
            postgresql_using="hash",
            postgresql_where=text("trace_id IS NOT NULL"),
        ),
        {
            "schema": "service_platform",
            "comment": "Usage ledger: one row per call, the source of every bill",
            "postgresql_partition_by": "RANGE (created_at)",
        },
    )


class DailyUsage(Base):
    """Ledger summed per day; stays when ledger partitions are dropped."""

    __tablename__ = "usage_daily"

    id: Mapped[BigId]
    day: Mapped[date] = mapped_column(comment="UTC day")
    organization_id: Mapped[RootTenantId]
    service_id: Mapped[int | None] = mapped_column(comment="Service")
    api_key_id: Mapped[UUID | None] = mapped_column(comment="Key")
    user_id: Mapped[int | None] = mapped_column(comment="User")
    model_name: Mapped[str | None] = mapped_column(
        String(200), comment="Model as billed"
    )
    currency: Mapped[str] = mapped_column(
        CHAR(3), server_default="USD", comment="ISO 4217"
    )
    requests: Mapped[int] = mapped_column(
        BigInteger, server_default=text("0"), comment="Calls"
    )
    errors: Mapped[int] = mapped_column(
        BigInteger, server_default=text("0"), comment="Calls with status 400 and above"
    )
    input_tokens: Mapped[Decimal] = mapped_column(
        Numeric(20), server_default=text("0"), comment="Tokens in"
    )
    output_tokens: Mapped[Decimal] = mapped_column(
        Numeric(20), server_default=text("0"), comment="Tokens out"
    )
    cached_tokens: Mapped[Decimal] = mapped_column(
        Numeric(20), server_default=text("0"), comment="Tokens at the cache rate"
    )
    cost: Mapped[Decimal] = mapped_column(
        Numeric(24, 10), server_default=text("0"), comment="Exact cost"
    )
    latency_ms_sum: Mapped[int] = mapped_column(
        BigInteger, server_default=text("0"), comment="For averages"
    )
    computed_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="When the day was last summed"
    )

    __table_args__ = (
        UniqueConstraint(
            "day",
            "organization_id",
            "service_id",
            "api_key_id",
            "user_id",
            "model_name",
            "currency",
            name="uq_usage_daily_bucket",
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_usage_daily_organization_id", "organization_id", "day"),
        {
            "schema": "service_platform",
            "comment": (
                "Ledger summed per day; stays when ledger partitions are dropped"
            ),
        },
    )

    organization: Mapped[Organization] = relationship(back_populates="daily_usage")
