"""Declare tenants, their roles and who belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models._base import (
    Base,
    CreatedAt,
    DeletedAt,
    IntId,
    PersonId,
    SharedTenantId,
    UpdatedAt,
    one_of,
    sparse_index,
)

if TYPE_CHECKING:
    from models.algo_platform import Algorithm, Experiment, Job
    from models.data_platform import Dataset, DataSource, EmbeddingModel
    from models.model_platform import Model
    from models.monitoring import Alert, AlertRule
    from models.service_platform import DailyUsage, Prompt, Quota, Service

    from .credentials import ApiKey, UserSession
    from .users import Group, User


class Organization(Base):
    """Tenant: the unit of isolation, billing and quotas."""

    __tablename__ = "organizations"

    id: Mapped[IntId] = mapped_column(comment="Surrogate key, the tenant id everywhere")
    slug: Mapped[str] = mapped_column(
        String(63), unique=True, comment="Stable short name used in URLs and the CLI"
    )
    name: Mapped[str] = mapped_column(String(200), comment="Display name")
    status: Mapped[str] = mapped_column(
        String(20),
        server_default="active",
        comment="active, suspended (read only) or deleting (purge job running)",
    )
    settings: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Tenant preferences; never secrets"
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    deleted_at: Mapped[DeletedAt] = mapped_column(
        comment="Soft-delete mark; rows are purged by a job, not by cascade"
    )

    __table_args__ = (
        CheckConstraint("slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'", name="slug"),
        one_of("status", "active", "suspended", "deleting"),
        CheckConstraint(
            "jsonb_typeof(settings) = 'object' AND NOT "
            "data_platform.contains_plain_secret(settings)",
            name="settings",
        ),
        {
            "schema": "auth",
            "comment": "Tenant: the unit of isolation, billing and quotas",
        },
    )

    home_users: Mapped[list[User]] = relationship(
        back_populates="home_organization", passive_deletes="all"
    )
    roles: Mapped[list[Role]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    groups: Mapped[list[Group]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    memberships: Mapped[list[Membership]] = relationship(
        back_populates="organization",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    api_keys: Mapped[list[ApiKey]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    sessions: Mapped[list[UserSession]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    data_sources: Mapped[list[DataSource]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    datasets: Mapped[list[Dataset]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    embedding_models: Mapped[list[EmbeddingModel]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    algorithms: Mapped[list[Algorithm]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    experiments: Mapped[list[Experiment]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    jobs: Mapped[list[Job]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    models: Mapped[list[Model]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    services: Mapped[list[Service]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    prompts: Mapped[list[Prompt]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    quotas: Mapped[list[Quota]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    daily_usage: Mapped[list[DailyUsage]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    alert_rules: Mapped[list[AlertRule]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    alerts: Mapped[list[Alert]] = relationship(
        back_populates="organization", passive_deletes="all"
    )
    # shortcut for reading; to join or leave, write memberships
    users: Mapped[list[User]] = relationship(
        secondary="auth.memberships",
        primaryjoin="Organization.id == Membership.organization_id",
        secondaryjoin="User.id == Membership.user_id",
        viewonly=True,
    )


class Membership(Base):
    """A user's seat and role in an organization."""

    __tablename__ = "memberships"

    organization_id: Mapped[int] = mapped_column(
        ForeignKey("auth.organizations.id", ondelete="CASCADE"),
        primary_key=True,
        server_default=text("auth.org_id()"),
        comment="Organization",
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("auth.users.id", ondelete="CASCADE"),
        primary_key=True,
        comment="Member",
    )
    role_id: Mapped[int] = mapped_column(
        ForeignKey("auth.roles.id", ondelete="RESTRICT"),
        comment="Role held in this organization",
    )
    status: Mapped[str] = mapped_column(
        String(20), server_default="active", comment="invited, active or suspended"
    )
    invited_by: Mapped[PersonId] = mapped_column(comment="Who sent the invitation")
    created_at: Mapped[CreatedAt] = mapped_column(comment="When the seat was created")
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        one_of("status", "invited", "active", "suspended"),
        Index("ix_memberships_user_id", "user_id"),
        Index("ix_memberships_role_id", "role_id"),
        sparse_index("ix_memberships_invited_by", "invited_by"),
        {"schema": "auth", "comment": "A user's seat and role in an organization"},
    )

    organization: Mapped[Organization] = relationship(back_populates="memberships")
    user: Mapped[User] = relationship(
        back_populates="memberships", foreign_keys="Membership.user_id"
    )
    role: Mapped[Role] = relationship(back_populates="memberships")


class Role(Base):
    """Named set of permissions; built-in (no organization) or defined by a tenant."""

    __tablename__ = "roles"

    id: Mapped[IntId]
    organization_id: Mapped[SharedTenantId] = mapped_column(
        comment="Owner; NULL for a built-in role"
    )
    name: Mapped[str] = mapped_column(
        String(64), comment="Role name, e.g. owner, admin, developer, viewer"
    )
    description: Mapped[str | None] = mapped_column(comment="What the role is for")
    permissions: Mapped[list[str]] = mapped_column(
        server_default="{}",
        comment="Grants of the form schema.object:action, * as wildcard",
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        UniqueConstraint("organization_id", "name", postgresql_nulls_not_distinct=True),
        CheckConstraint("name ~ '^[a-z][a-z0-9_-]{0,63}$'", name="name"),
        CheckConstraint("auth.permissions_valid(permissions)", name="permissions"),
        {
            "schema": "auth",
            "comment": (
                "Named set of permissions; built-in (no organization) or "
                "defined by a tenant"
            ),
        },
    )

    organization: Mapped[Organization | None] = relationship(back_populates="roles")
    groups: Mapped[list[Group]] = relationship(
        back_populates="role", passive_deletes="all"
    )
    memberships: Mapped[list[Membership]] = relationship(
        back_populates="role", passive_deletes="all"
    )
