"""Add API keys and sessions

Why:   machines and browsers sign in with credentials of which only digests are stored.
Lock:  SHARE ROW EXCLUSIVE on auth.organizations and auth.users until commit: writers
       wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the tables. The rows are lost; restore them from a backup. Everybody is
       signed out.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import as_owner

revision = "becf7e9dbc8c"
down_revision = "415c76cf8284"
branch_labels = None
depends_on = None


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column(
            "id",
            sa.Uuid(),
            server_default=sa.text("uuid_generate_v7()"),
            nullable=False,
            comment="Key id, safe to log",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            nullable=False,
            comment="Tenant the key acts for",
        ),
        sa.Column(
            "user_id",
            sa.Integer(),
            comment="Person the key acts as; NULL for a service key",
        ),
        sa.Column(
            "name",
            sa.String(length=100),
            nullable=False,
            comment="Label chosen by the owner",
        ),
        sa.Column(
            "key_prefix",
            sa.String(length=16),
            nullable=False,
            comment="First characters of the key, for lookup and display",
        ),
        sa.Column(
            "key_hash",
            sa.LargeBinary(),
            nullable=False,
            comment="SHA-256 of the whole key; high-entropy input, so no slow hash on the hot path",
        ),
        sa.Column(
            "scopes",
            postgresql.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="Upper bound on permissions, same grammar as roles.permissions",
        ),
        sa.Column(
            "allowed_cidrs",
            postgresql.ARRAY(postgresql.CIDR()),
            comment="Source networks; NULL means any",
        ),
        sa.Column(
            "rotated_from_id",
            sa.Uuid(),
            comment="Predecessor that stays valid until its own expires_at (grace period)",
        ),
        sa.Column(
            "expires_at", sa.DateTime(timezone=True), comment="Hard end of validity"
        ),
        sa.Column(
            "revoked_at", sa.DateTime(timezone=True), comment="Set once, never cleared"
        ),
        sa.Column("revoked_by", sa.Integer(), comment="Who revoked it"),
        sa.Column(
            "last_used_at",
            sa.DateTime(timezone=True),
            comment="Refreshed at most once a minute",
        ),
        sa.Column("created_by", sa.Integer(), comment="Who created it"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Creation time",
        ),
        sa.CheckConstraint(
            "auth.permissions_valid(scopes)", name=op.f("ck_api_keys_scopes")
        ),
        sa.CheckConstraint(
            "octet_length(key_hash) = 32", name=op.f("ck_api_keys_key_hash")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_api_keys_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_api_keys_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by"],
            ["auth.users.id"],
            name=op.f("fk_api_keys_revoked_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["rotated_from_id"],
            ["auth.api_keys.id"],
            name=op.f("fk_api_keys_rotated_from_id_api_keys"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["auth.users.id"],
            name=op.f("fk_api_keys_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_api_keys_id_organization_id")
        ),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
        sa.UniqueConstraint("key_prefix", name=op.f("uq_api_keys_key_prefix")),
        schema="auth",
        comment="Machine credentials: only a SHA-256 digest is stored, shown once at creation",
    )
    op.create_index(
        "ix_api_keys_created_by",
        "api_keys",
        ["created_by"],
        schema="auth",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_api_keys_expires_at",
        "api_keys",
        ["expires_at"],
        schema="auth",
        postgresql_where=sa.text("revoked_at IS NULL AND expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_api_keys_organization_id", "api_keys", ["organization_id"], schema="auth"
    )
    op.create_index(
        "ix_api_keys_revoked_by",
        "api_keys",
        ["revoked_by"],
        schema="auth",
        postgresql_where=sa.text("revoked_by IS NOT NULL"),
    )
    op.create_index(
        "ix_api_keys_rotated_from_id",
        "api_keys",
        ["rotated_from_id"],
        schema="auth",
        postgresql_where=sa.text("rotated_from_id IS NOT NULL"),
    )
    op.create_index(
        "ix_api_keys_user_id",
        "api_keys",
        ["user_id"],
        schema="auth",
        postgresql_where=sa.text("user_id IS NOT NULL"),
    )


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column(
            "id",
            sa.Uuid(),
            server_default=sa.text("uuid_generate_v7()"),
            nullable=False,
            comment="Session id, the sid claim of access tokens",
        ),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="Owner"),
        sa.Column(
            "organization_id",
            sa.Integer(),
            comment="Organization selected in this session",
        ),
        sa.Column(
            "refresh_token_hash",
            sa.LargeBinary(),
            nullable=False,
            comment="SHA-256 of the current refresh token",
        ),
        sa.Column(
            "previous_refresh_token_hash",
            sa.LargeBinary(),
            comment="SHA-256 of the one before: a repeat is a lost reply, anything older is theft",
        ),
        sa.Column(
            "refresh_counter",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Number of rotations",
        ),
        sa.Column(
            "aal",
            sa.SmallInteger(),
            server_default=sa.text("1"),
            nullable=False,
            comment="Authenticator assurance level reached",
        ),
        sa.Column("ip", postgresql.INET(), comment="Address at the last refresh"),
        sa.Column("user_agent", sa.Text(), comment="Client at the last refresh"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Sign-in time",
        ),
        sa.Column(
            "refreshed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Last rotation",
        ),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now() + interval '30 days'"),
            nullable=False,
            comment="Never NULL, so clean-up always finds the row",
        ),
        sa.Column(
            "revoked_at",
            sa.DateTime(timezone=True),
            comment="Sign-out or theft detection",
        ),
        sa.CheckConstraint("aal BETWEEN 1 AND 3", name=op.f("ck_sessions_aal")),
        sa.CheckConstraint(
            "expires_at > created_at", name=op.f("ck_sessions_expires_at")
        ),
        sa.CheckConstraint(
            "octet_length(refresh_token_hash) = 32",
            name=op.f("ck_sessions_refresh_token_hash"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_sessions_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["auth.users.id"],
            name=op.f("fk_sessions_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint(
            "refresh_token_hash", name=op.f("uq_sessions_refresh_token_hash")
        ),
        schema="auth",
        comment="Sign-in sessions; the refresh token rotates in place, so there is no refresh_tokens table",
        postgresql_with={"fillfactor": 80},
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"], schema="auth")
    op.create_index(
        "ix_sessions_organization_id",
        "sessions",
        ["organization_id"],
        schema="auth",
        postgresql_where=sa.text("organization_id IS NOT NULL"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"], schema="auth")
    op.create_index(
        "uq_sessions_previous_refresh_token_hash",
        "sessions",
        ["previous_refresh_token_hash"],
        unique=True,
        schema="auth",
        postgresql_where=sa.text("previous_refresh_token_hash IS NOT NULL"),
    )


def upgrade() -> None:
    as_owner()
    _create_api_keys()
    _create_sessions()


def downgrade() -> None:
    as_owner()
    op.drop_table("sessions", schema="auth")
    op.drop_table("api_keys", schema="auth")
