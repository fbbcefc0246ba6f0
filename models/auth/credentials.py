"""Declare how people and programs sign in: API keys and sessions."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, CIDR, INET
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models._base import (
    AuthorId,
    Base,
    CreatedAt,
    PersonId,
    RootTenantId,
    TimeOrderedId,
    sparse_index,
)

if TYPE_CHECKING:
    from models.service_platform import Quota

    from .organizations import Organization
    from .users import User


class ApiKey(Base):
    """Machine credentials: only a SHA-256 digest is stored, shown once at creation."""

    __tablename__ = "api_keys"

    id: Mapped[TimeOrderedId] = mapped_column(comment="Key id, safe to log")
    organization_id: Mapped[RootTenantId] = mapped_column(
        comment="Tenant the key acts for"
    )
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("auth.users.id", ondelete="CASCADE"),
        comment="Person the key acts as; NULL for a service key",
    )
    name: Mapped[str] = mapped_column(String(100), comment="Label chosen by the owner")
    key_prefix: Mapped[str] = mapped_column(
        String(16),
        unique=True,
        comment="First characters of the key, for lookup and display",
    )
    key_hash: Mapped[bytes] = mapped_column(
        unique=True,
        comment=(
            "SHA-256 of the whole key; high-entropy input, so no slow hash on "
            "the hot path"
        ),
    )
    scopes: Mapped[list[str]] = mapped_column(
        server_default="{}",
        comment="Upper bound on permissions, same grammar as roles.permissions",
    )
    allowed_cidrs: Mapped[list[IPv4Network | IPv6Network] | None] = mapped_column(
        ARRAY(CIDR), comment="Source networks; NULL means any"
    )
    rotated_from_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("auth.api_keys.id", ondelete="SET NULL"),
        comment=(
            "Predecessor that stays valid until its own expires_at (grace period)"
        ),
    )
    expires_at: Mapped[datetime | None] = mapped_column(comment="Hard end of validity")
    revoked_at: Mapped[datetime | None] = mapped_column(
        comment="Set once, never cleared"
    )
    revoked_by: Mapped[PersonId] = mapped_column(comment="Who revoked it")
    last_used_at: Mapped[datetime | None] = mapped_column(
        comment="Refreshed at most once a minute"
    )
    created_by: Mapped[AuthorId] = mapped_column(comment="Who created it")
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        UniqueConstraint("id", "organization_id"),
        CheckConstraint("octet_length(key_hash) = 32", name="key_hash"),
        CheckConstraint("auth.permissions_valid(scopes)", name="scopes"),
        Index("ix_api_keys_organization_id", "organization_id"),
        sparse_index("ix_api_keys_user_id", "user_id"),
        sparse_index("ix_api_keys_rotated_from_id", "rotated_from_id"),
        sparse_index("ix_api_keys_revoked_by", "revoked_by"),
        sparse_index("ix_api_keys_created_by", "created_by"),
        Index(
            "ix_api_keys_expires_at",
            "expires_at",
            postgresql_where=text("revoked_at IS NULL AND expires_at IS NOT NULL"),
        ),
        {
            "schema": "auth",
            "comment": (
                "Machine credentials: only a SHA-256 digest is stored, shown "
                "once at creation"
            ),
        },
    )

    organization: Mapped[Organization] = relationship(back_populates="api_keys")
    user: Mapped[User | None] = relationship(
        back_populates="api_keys", foreign_keys="ApiKey.user_id"
    )
    rotated_from: Mapped[ApiKey | None] = relationship(
        back_populates="replacements",
        foreign_keys="ApiKey.rotated_from_id",
        remote_side="ApiKey.id",
    )
    replacements: Mapped[list[ApiKey]] = relationship(
        back_populates="rotated_from",
        foreign_keys="ApiKey.rotated_from_id",
        passive_deletes="all",
    )
    quotas: Mapped[list[Quota]] = relationship(
        back_populates="api_key", foreign_keys="Quota.api_key_id", passive_deletes="all"
    )


class UserSession(Base):
    """Sign-in sessions.

    The refresh token rotates in place, so there is no refresh_tokens table.
    """

    __tablename__ = "sessions"

    id: Mapped[TimeOrderedId] = mapped_column(
        comment="Session id, the sid claim of access tokens"
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("auth.users.id", ondelete="CASCADE"), comment="Owner"
    )
    organization_id: Mapped[int | None] = mapped_column(
        ForeignKey("auth.organizations.id", ondelete="CASCADE"),
        comment="Organization selected in this session",
    )
    refresh_token_hash: Mapped[bytes] = mapped_column(
        unique=True, comment="SHA-256 of the current refresh token"
    )
    previous_refresh_token_hash: Mapped[bytes | None] = mapped_column(
        comment=(
            "SHA-256 of the one before: a repeat is a lost reply, anything "
            "older is theft"
        )
    )
    refresh_counter: Mapped[int] = mapped_column(
        server_default=text("0"), comment="Number of rotations"
    )
    aal: Mapped[int] = mapped_column(
        SmallInteger,
        server_default=text("1"),
        comment="Authenticator assurance level reached",
    )
    ip: Mapped[IPv4Address | IPv6Address | None] = mapped_column(
        INET, comment="Address at the last refresh"
    )
    user_agent: Mapped[str | None] = mapped_column(comment="Client at the last refresh")
    created_at: Mapped[CreatedAt] = mapped_column(comment="Sign-in time")
    refreshed_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="Last rotation"
    )
    expires_at: Mapped[datetime] = mapped_column(
        server_default=text("now() + interval '30 days'"),
        comment="Never NULL, so clean-up always finds the row",
    )
    revoked_at: Mapped[datetime | None] = mapped_column(
        comment="Sign-out or theft detection"
    )

    __table_args__ = (
        CheckConstraint(
            "octet_length(refresh_token_hash) = 32", name="refresh_token_hash"
        ),
        CheckConstraint("aal BETWEEN 1 AND 3", name="aal"),
        CheckConstraint("expires_at > created_at", name="expires_at"),
        Index(
            "uq_sessions_previous_refresh_token_hash",
            "previous_refresh_token_hash",
            unique=True,
            postgresql_where=text("previous_refresh_token_hash IS NOT NULL"),
        ),
        Index("ix_sessions_user_id", "user_id"),
        sparse_index("ix_sessions_organization_id", "organization_id"),
        Index("ix_sessions_expires_at", "expires_at"),
        {
            "schema": "auth",
            "comment": (
                "Sign-in sessions; the refresh token rotates in place, so "
                "there is no refresh_tokens table"
            ),
            "postgresql_with": {"fillfactor": 80},
        },
    )

    user: Mapped[User] = relationship(back_populates="sessions")
    organization: Mapped[Organization | None] = relationship(back_populates="sessions")
