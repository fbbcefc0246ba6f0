"""Declare the request log and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from ._base import Base, sparse_index


class RequestLog(Base):
    """HTTP request log, written in batches with COPY (seed table)."""

    __tablename__ = "request_logs"

    id: Mapped[UUID] = mapped_column(comment="UUID v7 made by the writer (seed)")
    created: Mapped[datetime] = mapped_column(
        DateTime(timezone=False),
        server_default=text("(now() AT TIME ZONE 'UTC')"),
        comment=(
            "Request time in UTC, partition key (seed; the seed default NOW() "
            "follows the session time zone)"
        ),
    )
    url: Mapped[str | None] = mapped_column(
        comment="Path and query, secrets stripped by the writer (seed)"
    )
    method: Mapped[str | None] = mapped_column(comment="HTTP method (seed)")
    status: Mapped[int | None] = mapped_column(comment="HTTP status (seed)")
    auth: Mapped[str | None] = mapped_column(comment="Caller id (seed)")
    remote_ip: Mapped[str | None] = mapped_column(comment="Client address (seed)")
    user_agent: Mapped[str | None] = mapped_column(comment="Client software (seed)")
    meta: Mapped[dict[str, Any] | None] = mapped_column(comment="Extra fields (seed)")
    referer: Mapped[str | None] = mapped_column(comment="Referrer (seed)")
    organization_id: Mapped[int | None] = mapped_column(comment="Tenant, when known")
    duration_ms: Mapped[int | None] = mapped_column(comment="Time taken")
    trace_id: Mapped[UUID | None] = mapped_column(
        comment="Correlation with service_platform.invocations"
    )

    __table_args__ = (
        Index("idx_logs_created", "created"),
        sparse_index("idx_logs_auth", "auth"),
        Index("idx_logs_status", "status", postgresql_where=text("status >= 400")),
        {
            "comment": "HTTP request log, written in batches with COPY (seed table)",
            "postgresql_partition_by": "RANGE (created)",
            "info": {"partition_persistence": "unlogged"},
        },
    )
    # no primary key in the database, so that appending stays cheap: these columns
    # tell rows apart for the mapper alone, nothing keeps them unique
    __mapper_args__ = {"primary_key": ["id", "created"], "eager_defaults": True}


class AuditLog(Base):
    """Who changed what: append-only, written by trigger."""

    __tablename__ = "audit_log"

    id: Mapped[UUID] = mapped_column(
        primary_key=True,
        server_default=text("uuid_generate_v7()"),
        comment="Event id",
    )
    occurred_at: Mapped[datetime] = mapped_column(
        primary_key=True,
        server_default=func.now(),
        comment="Transaction time, partition key",
    )
    organization_id: Mapped[int | None] = mapped_column(
        comment="Tenant; no foreign keys here, so history survives deletion"
    )
    actor_user_id: Mapped[int | None] = mapped_column(comment="auth.uid() at the time")
    actor_role: Mapped[str | None] = mapped_column(comment="auth.role() at the time")
    db_user: Mapped[str] = mapped_column(
        server_default=text("session_user"), comment="Database login"
    )
    action: Mapped[str] = mapped_column(
        String(30),
        comment=(
            "insert, update, delete, or an application event such as login.failed"
        ),
    )
    object_table: Mapped[str] = mapped_column(comment="schema.table")
    object_id: Mapped[str | None] = mapped_column(comment="Primary key of the row")
    changed: Mapped[list[str] | None] = mapped_column(comment="Columns that changed")
    old_values: Mapped[dict[str, Any] | None] = mapped_column(
        comment="Changed columns before; secret columns never"
    )
    new_values: Mapped[dict[str, Any] | None] = mapped_column(
        comment="Changed columns after; secret columns never"
    )
    transaction_id: Mapped[int] = mapped_column(
        BigInteger,
        server_default=text("(pg_current_xact_id()::text::bigint)"),
        comment="Groups the rows of one transaction",
    )
    request_id: Mapped[str | None] = mapped_column(
        comment="app.request_id of the session, when set"
    )

    __table_args__ = (
        Index(
            "ix_audit_log_organization_id", "organization_id", text("occurred_at DESC")
        ),
        Index(
            "ix_audit_log_object", "object_table", "object_id", text("occurred_at DESC")
        ),
        Index(
            "ix_audit_log_actor_user_id",
            "actor_user_id",
            text("occurred_at DESC"),
            postgresql_where=text("actor_user_id IS NOT NULL"),
        ),
        {
            "schema": "logs",
            "comment": "Who changed what: append-only, written by trigger",
            "postgresql_partition_by": "RANGE (occurred_at)",
        },
    )
