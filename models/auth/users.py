"""Declare people and the groups they form."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

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
    Base,
    CreatedAt,
    DeletedAt,
    PersonId,
    SerialId,
    SharedTenantId,
    UpdatedAt,
    sparse_index,
)

if TYPE_CHECKING:
    from models.model_platform import Model
    from models.service_platform import Quota, Service

    from .credentials import ApiKey, UserSession
    from .organizations import Membership, Organization, Role


class User(Base):
    """People and service accounts that can sign in (seed table)."""

    __tablename__ = "users"

    id: Mapped[SerialId]
    username: Mapped[str] = mapped_column(
        String(150),
        comment="Login name (seed); unique ignoring case by uq_users_username_lower",
    )
    email: Mapped[str] = mapped_column(
        String(254),
        comment="Mail address (seed); unique ignoring case by uq_users_email_lower",
    )
    # left out of plain loads: services may write it, not read it
    password_hash: Mapped[str] = mapped_column(
        String(255),
        deferred=True,
        comment=(
            'Modular-crypt hash (bcrypt, argon2) or "!" for no password; not '
            "readable by platform_app"
        ),
    )
    first_name: Mapped[str | None] = mapped_column(
        String(150), comment="Given name (seed)"
    )
    last_name: Mapped[str | None] = mapped_column(
        String(150), comment="Family name (seed)"
    )
    is_active: Mapped[bool] = mapped_column(
        server_default=text("true"), comment="False blocks sign-in (seed)"
    )
    is_superuser: Mapped[bool] = mapped_column(
        server_default=text("false"),
        comment="Platform administrator across organizations (seed)",
    )
    date_joined: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="Registration time (seed)"
    )
    last_login: Mapped[datetime | None] = mapped_column(
        comment="Last successful sign-in (seed)"
    )
    organization_id: Mapped[int | None] = mapped_column(
        ForeignKey("auth.organizations.id", ondelete="SET NULL"),
        comment="Home organization (seed); other ones through auth.memberships",
    )
    sso_provider: Mapped[str | None] = mapped_column(
        String(50), comment="Identity provider of a federated account"
    )
    sso_subject: Mapped[str | None] = mapped_column(
        String(255), comment="Subject of the account at that provider"
    )
    email_verified_at: Mapped[datetime | None] = mapped_column(
        comment="When the address was confirmed"
    )
    failed_login_count: Mapped[int] = mapped_column(
        SmallInteger,
        server_default=text("0"),
        comment="Consecutive failures, reset on success",
    )
    locked_until: Mapped[datetime | None] = mapped_column(
        comment="Temporary lock after repeated failures"
    )
    updated_at: Mapped[UpdatedAt]
    deleted_at: Mapped[DeletedAt] = mapped_column(
        comment="Soft-delete mark; the row stays for the audit trail"
    )

    __table_args__ = (
        PrimaryKeyConstraint("id", name="users_pkey"),
        UniqueConstraint("username", name="users_username_key"),
        UniqueConstraint("email", name="users_email_key"),
        CheckConstraint(
            "password_hash = '!' OR password_hash LIKE '$%'", name="password_hash"
        ),
        CheckConstraint(
            "num_nonnulls(sso_provider, sso_subject) IN (0, 2)", name="sso"
        ),
        Index("idx_users_username", "username"),
        Index("idx_users_email", "email"),
        Index("idx_users_org_id", "organization_id"),
        Index("uq_users_username_lower", text("lower(username)"), unique=True),
        Index("uq_users_email_lower", text("lower(email)"), unique=True),
        Index(
            "uq_users_sso",
            "sso_provider",
            "sso_subject",
            unique=True,
            postgresql_where=text("sso_subject IS NOT NULL"),
        ),
        {
            "schema": "auth",
            "comment": "People and service accounts that can sign in (seed table)",
        },
    )

    home_organization: Mapped[Organization | None] = relationship(
        back_populates="home_users"
    )
    group_memberships: Mapped[list[GroupMember]] = relationship(
        back_populates="user",
        foreign_keys="GroupMember.user_id",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    memberships: Mapped[list[Membership]] = relationship(
        back_populates="user",
        foreign_keys="Membership.user_id",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    api_keys: Mapped[list[ApiKey]] = relationship(
        back_populates="user", foreign_keys="ApiKey.user_id", passive_deletes="all"
    )
    sessions: Mapped[list[UserSession]] = relationship(
        back_populates="user", cascade="all, delete-orphan", passive_deletes=True
    )
    quotas: Mapped[list[Quota]] = relationship(
        back_populates="user", foreign_keys="Quota.user_id", passive_deletes="all"
    )
    # shortcut for reading; to join or leave, write memberships
    organizations: Mapped[list[Organization]] = relationship(
        secondary="auth.memberships",
        primaryjoin="User.id == Membership.user_id",
        secondaryjoin="Organization.id == Membership.organization_id",
        viewonly=True,
    )
    groups: Mapped[list[Group]] = relationship(
        secondary="auth.group_members",
        primaryjoin="User.id == GroupMember.user_id",
        secondaryjoin="Group.id == GroupMember.group_id",
        viewonly=True,
    )


class Group(Base):
    """Named group of users (seed table), optionally of one organization."""

    __tablename__ = "groups"

    id: Mapped[SerialId]
    name: Mapped[str] = mapped_column(
        String(150), comment="Group name, unique on the platform (seed)"
    )
    description: Mapped[str | None] = mapped_column(comment="Purpose (seed)")
    organization_id: Mapped[SharedTenantId] = mapped_column(
        comment="Owner; NULL for a platform-wide group"
    )
    role_id: Mapped[int | None] = mapped_column(
        ForeignKey("auth.roles.id", ondelete="SET NULL"),
        comment="Role that every member of the group gets in the organization",
    )
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        PrimaryKeyConstraint("id", name="groups_pkey"),
        UniqueConstraint("name", name="groups_name_key"),
        Index("ix_groups_organization_id", "organization_id"),
        sparse_index("ix_groups_role_id", "role_id"),
        {
            "schema": "auth",
            "comment": (
                "Named group of users (seed table), optionally of one organization"
            ),
        },
    )

    organization: Mapped[Organization | None] = relationship(back_populates="groups")
    role: Mapped[Role | None] = relationship(back_populates="groups")
    members: Mapped[list[GroupMember]] = relationship(
        back_populates="group", cascade="all, delete-orphan", passive_deletes=True
    )
    models: Mapped[list[Model]] = relationship(
        back_populates="owner_group", passive_deletes="all"
    )
    services: Mapped[list[Service]] = relationship(
        back_populates="owner_group", passive_deletes="all"
    )
    # shortcut for reading; to add or remove people, write members
    users: Mapped[list[User]] = relationship(
        secondary="auth.group_members",
        primaryjoin="Group.id == GroupMember.group_id",
        secondaryjoin="User.id == GroupMember.user_id",
        viewonly=True,
    )


class GroupMember(Base):
    """Who belongs to which group."""

    __tablename__ = "group_members"

    group_id: Mapped[int] = mapped_column(
        ForeignKey("auth.groups.id", ondelete="CASCADE"),
        primary_key=True,
        comment="Group",
    )
    user_id: Mapped[int] = mapped_column(
        ForeignKey("auth.users.id", ondelete="CASCADE"),
        primary_key=True,
        comment="Member",
    )
    added_by: Mapped[PersonId] = mapped_column(comment="Who added the member")
    created_at: Mapped[CreatedAt] = mapped_column(comment="Since when")

    __table_args__ = (
        Index("ix_group_members_user_id", "user_id"),
        sparse_index("ix_group_members_added_by", "added_by"),
        {"schema": "auth", "comment": "Who belongs to which group"},
    )

    group: Mapped[Group] = relationship(back_populates="members")
    user: Mapped[User] = relationship(
        back_populates="group_memberships", foreign_keys="GroupMember.user_id"
    )
