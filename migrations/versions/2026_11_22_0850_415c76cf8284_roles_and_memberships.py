"""Add roles, groups and memberships

Why:   a user works in an organization through a seat with a role, or through a group.
       Who loses the seat loses the home there, which would open the rows as well.
Lock:  SHARE ROW EXCLUSIVE on auth.organizations and auth.users until commit: writers
       wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the tables. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "415c76cf8284"
down_revision = "117d5ee54c1c"
branch_labels = None
depends_on = None


def _create_roles() -> None:
    op.create_table(
        "roles",
        sa.Column(
            "id",
            sa.Integer(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            comment="Owner; NULL for a built-in role",
        ),
        sa.Column(
            "name",
            sa.String(length=64),
            nullable=False,
            comment="Role name, e.g. owner, admin, developer, viewer",
        ),
        sa.Column("description", sa.Text(), comment="What the role is for"),
        sa.Column(
            "permissions",
            postgresql.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="Grants of the form schema.object:action, * as wildcard",
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
        sa.CheckConstraint(
            "name ~ '^[a-z][a-z0-9_-]{0,63}$'", name=op.f("ck_roles_name")
        ),
        sa.CheckConstraint(
            "auth.permissions_valid(permissions)", name=op.f("ck_roles_permissions")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_roles_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint(
            "organization_id",
            "name",
            name=op.f("uq_roles_organization_id_name"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="auth",
        comment="Named set of permissions; built-in (no organization) or defined by a tenant",
    )


def _create_groups() -> None:
    op.create_table(
        "groups",
        sa.Column("id", sa.Integer(), nullable=False, comment="Surrogate key (seed)"),
        sa.Column(
            "name",
            sa.String(length=150),
            nullable=False,
            comment="Group name, unique on the platform (seed)",
        ),
        sa.Column("description", sa.Text(), comment="Purpose (seed)"),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            comment="Owner; NULL for a platform-wide group",
        ),
        sa.Column(
            "role_id",
            sa.Integer(),
            comment="Role that every member of the group gets in the organization",
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
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_groups_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["role_id"],
            ["auth.roles.id"],
            name=op.f("fk_groups_role_id_roles"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name="groups_pkey"),
        sa.UniqueConstraint("name", name="groups_name_key"),
        schema="auth",
        comment="Named group of users (seed table), optionally of one organization",
    )
    op.create_index(
        "ix_groups_organization_id", "groups", ["organization_id"], schema="auth"
    )
    op.create_index(
        "ix_groups_role_id",
        "groups",
        ["role_id"],
        schema="auth",
        postgresql_where=sa.text("role_id IS NOT NULL"),
    )


def _create_group_members() -> None:
    op.create_table(
        "group_members",
        sa.Column("group_id", sa.Integer(), nullable=False, comment="Group"),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="Member"),
        sa.Column("added_by", sa.Integer(), comment="Who added the member"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Since when",
        ),
        sa.ForeignKeyConstraint(
            ["added_by"],
            ["auth.users.id"],
            name=op.f("fk_group_members_added_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["auth.groups.id"],
            name=op.f("fk_group_members_group_id_groups"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["auth.users.id"],
            name=op.f("fk_group_members_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_group_members")),
        schema="auth",
        comment="Who belongs to which group",
    )
    op.create_index(
        "ix_group_members_added_by",
        "group_members",
        ["added_by"],
        schema="auth",
        postgresql_where=sa.text("added_by IS NOT NULL"),
    )
    op.create_index(
        "ix_group_members_user_id", "group_members", ["user_id"], schema="auth"
    )


def _create_memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            nullable=False,
            comment="Organization",
        ),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="Member"),
        sa.Column(
            "role_id",
            sa.Integer(),
            nullable=False,
            comment="Role held in this organization",
        ),
        sa.Column(
            "status",
            sa.String(length=20),
            server_default="active",
            nullable=False,
            comment="invited, active or suspended",
        ),
        sa.Column("invited_by", sa.Integer(), comment="Who sent the invitation"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the seat was created",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Last change, kept by trigger",
        ),
        sa.CheckConstraint(
            "status IN ('invited', 'active', 'suspended')",
            name=op.f("ck_memberships_status"),
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"],
            ["auth.users.id"],
            name=op.f("fk_memberships_invited_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_memberships_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["role_id"],
            ["auth.roles.id"],
            name=op.f("fk_memberships_role_id_roles"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["auth.users.id"],
            name=op.f("fk_memberships_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "organization_id", "user_id", name=op.f("pk_memberships")
        ),
        schema="auth",
        comment="A user's seat and role in an organization",
    )
    op.create_index(
        "ix_memberships_invited_by",
        "memberships",
        ["invited_by"],
        schema="auth",
        postgresql_where=sa.text("invited_by IS NOT NULL"),
    )
    op.create_index("ix_memberships_role_id", "memberships", ["role_id"], schema="auth")
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"], schema="auth")


def upgrade() -> None:
    as_owner()
    _create_roles()
    _create_groups()
    _create_group_members()
    _create_memberships()
    apply_sql("415c76cf8284_auth_leave_home")
    apply_sql("415c76cf8284_memberships_triggers")


def downgrade() -> None:
    as_owner()
    op.drop_table("memberships", schema="auth")
    op.execute("DROP FUNCTION auth.leave_home()")
    op.drop_table("group_members", schema="auth")
    op.drop_table("groups", schema="auth")
    op.drop_table("roles", schema="auth")
