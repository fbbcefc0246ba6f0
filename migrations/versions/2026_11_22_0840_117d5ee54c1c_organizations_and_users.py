"""Add organizations and users

Why:   the tenant and the people are what every other table refers to.
Lock:  none on existing tables; a new object is seen by nobody before commit.
Phase: expand - nothing existed before that could stop working.
Back:  drops the tables. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import as_owner

revision = "117d5ee54c1c"
down_revision = "7392e08ec190"
branch_labels = None
depends_on = None


def _create_organizations() -> None:
    op.create_table(
        "organizations",
        sa.Column(
            "id",
            sa.Integer(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key, the tenant id everywhere",
        ),
        sa.Column(
            "slug",
            sa.String(length=63),
            nullable=False,
            comment="Stable short name used in URLs and the CLI",
        ),
        sa.Column(
            "name", sa.String(length=200), nullable=False, comment="Display name"
        ),
        sa.Column(
            "status",
            sa.String(length=20),
            server_default="active",
            nullable=False,
            comment="active, suspended (read only) or deleting (purge job running)",
        ),
        sa.Column(
            "settings",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Tenant preferences; never secrets",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Creation time",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Last change, kept by trigger",
        ),
        sa.Column(
            "deleted_at",
            sa.DateTime(timezone=True),
            comment="Soft-delete mark; rows are purged by a job, not by cascade",
        ),
        sa.CheckConstraint(
            "jsonb_typeof(settings) = 'object' AND NOT data_platform.contains_plain_secret(settings)",
            name=op.f("ck_organizations_settings"),
        ),
        sa.CheckConstraint(
            "slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'",
            name=op.f("ck_organizations_slug"),
        ),
        sa.CheckConstraint(
            "status IN ('active', 'suspended', 'deleting')",
            name=op.f("ck_organizations_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("slug", name=op.f("uq_organizations_slug")),
        schema="auth",
        comment="Tenant: the unit of isolation, billing and quotas",
    )


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False, comment="Surrogate key (seed)"),
        sa.Column(
            "username",
            sa.String(length=150),
            nullable=False,
            comment="Login name (seed); unique ignoring case by uq_users_username_lower",
        ),
        sa.Column(
            "email",
            sa.String(length=254),
            nullable=False,
            comment="Mail address (seed); unique ignoring case by uq_users_email_lower",
        ),
        sa.Column(
            "password_hash",
            sa.String(length=255),
            nullable=False,
            comment='Modular-crypt hash (bcrypt, argon2) or "!" for no password; not readable by platform_app',
        ),
        sa.Column("first_name", sa.String(length=150), comment="Given name (seed)"),
        sa.Column("last_name", sa.String(length=150), comment="Family name (seed)"),
        sa.Column(
            "is_active",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="False blocks sign-in (seed)",
        ),
        sa.Column(
            "is_superuser",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Platform administrator across organizations (seed)",
        ),
        sa.Column(
            "date_joined",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Registration time (seed)",
        ),
        sa.Column(
            "last_login",
            sa.DateTime(timezone=True),
            comment="Last successful sign-in (seed)",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            comment="Home organization (seed); other ones through auth.memberships",
        ),
        sa.Column(
            "sso_provider",
            sa.String(length=50),
            comment="Identity provider of a federated account",
        ),
        sa.Column(
            "sso_subject",
            sa.String(length=255),
            comment="Subject of the account at that provider",
        ),
        sa.Column(
            "email_verified_at",
            sa.DateTime(timezone=True),
            comment="When the address was confirmed",
        ),
        sa.Column(
            "failed_login_count",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Consecutive failures, reset on success",
        ),
        sa.Column(
            "locked_until",
            sa.DateTime(timezone=True),
            comment="Temporary lock after repeated failures",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Last change, kept by trigger",
        ),
        sa.Column(
            "deleted_at",
            sa.DateTime(timezone=True),
            comment="Soft-delete mark; the row stays for the audit trail",
        ),
        sa.CheckConstraint(
            "password_hash = '!' OR password_hash LIKE '$%'",
            name=op.f("ck_users_password_hash"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(sso_provider, sso_subject) IN (0, 2)",
            name=op.f("ck_users_sso"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_users_organization_id_organizations"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name="users_pkey"),
        sa.UniqueConstraint("email", name="users_email_key"),
        sa.UniqueConstraint("username", name="users_username_key"),
        schema="auth",
        comment="People and service accounts that can sign in (seed table)",
    )
    op.create_index("idx_users_email", "users", ["email"], schema="auth")
    op.create_index("idx_users_org_id", "users", ["organization_id"], schema="auth")
    op.create_index("idx_users_username", "users", ["username"], schema="auth")
    op.create_index(
        "uq_users_email_lower",
        "users",
        [sa.text("lower(email)")],
        unique=True,
        schema="auth",
    )
    op.create_index(
        "uq_users_sso",
        "users",
        ["sso_provider", "sso_subject"],
        unique=True,
        schema="auth",
        postgresql_where=sa.text("sso_subject IS NOT NULL"),
    )
    op.create_index(
        "uq_users_username_lower",
        "users",
        [sa.text("lower(username)")],
        unique=True,
        schema="auth",
    )


def upgrade() -> None:
    as_owner()
    _create_organizations()
    _create_users()


def downgrade() -> None:
    as_owner()
    op.drop_table("users", schema="auth")
    op.drop_table("organizations", schema="auth")
