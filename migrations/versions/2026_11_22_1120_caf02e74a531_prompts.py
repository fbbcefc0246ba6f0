"""Add prompts, their versions and labels

Why:   a prompt is versioned like code; a label says which version is live.
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

revision = "caf02e74a531"
down_revision = "49e9681a3337"
branch_labels = None
depends_on = None


def _create_prompts() -> None:
    op.create_table(
        "prompts",
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
            nullable=False,
            comment="Tenant",
        ),
        sa.Column(
            "name",
            sa.String(length=200),
            nullable=False,
            comment="Name, may hold folders with /, unique among live rows",
        ),
        sa.Column(
            "kind",
            sa.String(length=10),
            server_default="text",
            nullable=False,
            comment="text or chat",
        ),
        sa.Column("description", sa.Text(), comment="Purpose"),
        sa.Column(
            "tags",
            postgresql.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="Free labels for search",
        ),
        sa.Column(
            "latest_version",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Highest version number handed out",
        ),
        sa.Column("created_by", sa.Integer(), comment="Author"),
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
        sa.Column("deleted_at", sa.DateTime(timezone=True), comment="Soft-delete mark"),
        sa.CheckConstraint("kind IN ('text', 'chat')", name=op.f("ck_prompts_kind")),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_prompts_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_prompts_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompts")),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_prompts_id_organization_id")
        ),
        schema="service_platform",
        comment="Named prompt; the text lives in its versions",
    )
    op.create_index(
        "ix_prompts_created_by",
        "prompts",
        ["created_by"],
        schema="service_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_prompts_organization_id",
        "prompts",
        ["organization_id"],
        schema="service_platform",
    )
    op.create_index(
        "ix_prompts_tags",
        "prompts",
        ["tags"],
        schema="service_platform",
        postgresql_using="gin",
    )
    op.create_index(
        "uq_prompts_organization_id_name",
        "prompts",
        ["organization_id", "name"],
        unique=True,
        schema="service_platform",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def _create_prompt_versions() -> None:
    op.create_table(
        "prompt_versions",
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            nullable=False,
            comment="Tenant",
        ),
        sa.Column("prompt_id", sa.Integer(), nullable=False, comment="Prompt"),
        sa.Column(
            "version",
            sa.Integer(),
            server_default=sa.FetchedValue(),
            nullable=False,
            comment="1, 2, 3 ... per prompt, assigned by trigger when absent",
        ),
        sa.Column(
            "content",
            postgresql.JSONB(),
            nullable=False,
            comment="A string (text) or an array of role and content (chat)",
        ),
        sa.Column(
            "variables",
            postgresql.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="Placeholders that must be filled",
        ),
        sa.Column(
            "model_params",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Suggested model and sampling settings",
        ),
        sa.Column(
            "content_sha256",
            sa.LargeBinary(),
            comment="Digest: the same text is not stored twice by the client",
        ),
        sa.Column("commit_message", sa.Text(), comment="What changed and why"),
        sa.Column("created_by", sa.Integer(), comment="Author"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Creation time",
        ),
        sa.CheckConstraint(
            "jsonb_typeof(content) IN ('string','array')",
            name=op.f("ck_prompt_versions_content"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(model_params) = 'object'",
            name=op.f("ck_prompt_versions_model_params"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_prompt_versions_version")),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_prompt_versions_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["prompt_id", "organization_id"],
            ["service_platform.prompts.id", "service_platform.prompts.organization_id"],
            name=op.f("fk_prompt_versions_prompt_id_prompts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompt_versions")),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_prompt_versions_id_organization_id")
        ),
        sa.UniqueConstraint(
            "id", "prompt_id", name=op.f("uq_prompt_versions_id_prompt_id")
        ),
        sa.UniqueConstraint(
            "prompt_id", "version", name=op.f("uq_prompt_versions_prompt_id_version")
        ),
        schema="service_platform",
        comment="Immutable text of a prompt",
    )
    op.create_index(
        "ix_prompt_versions_created_by",
        "prompt_versions",
        ["created_by"],
        schema="service_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )


def _create_prompt_labels() -> None:
    op.create_table(
        "prompt_labels",
        sa.Column("prompt_id", sa.Integer(), nullable=False, comment="Prompt"),
        sa.Column(
            "label",
            sa.String(length=60),
            nullable=False,
            comment='Label; "latest" is reserved',
        ),
        sa.Column(
            "prompt_version_id",
            sa.BigInteger(),
            nullable=False,
            comment="Version of this very prompt",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            nullable=False,
            comment="Tenant",
        ),
        sa.Column(
            "is_protected",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Only holders of service_platform.prompt_labels:protect may move it",
        ),
        sa.Column("updated_by", sa.Integer(), comment="Who moved it"),
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
            comment="Last move, kept by trigger",
        ),
        sa.CheckConstraint(
            "label ~ '^[a-z0-9][a-z0-9_.-]*$' AND label <> 'latest'",
            name=op.f("ck_prompt_labels_label"),
        ),
        sa.ForeignKeyConstraint(
            ["prompt_id", "organization_id"],
            ["service_platform.prompts.id", "service_platform.prompts.organization_id"],
            name=op.f("fk_prompt_labels_prompt_id_prompts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["prompt_version_id", "prompt_id"],
            [
                "service_platform.prompt_versions.id",
                "service_platform.prompt_versions.prompt_id",
            ],
            name=op.f("fk_prompt_labels_prompt_version_id_prompt_versions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["updated_by"],
            ["auth.users.id"],
            name=op.f("fk_prompt_labels_updated_by_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("prompt_id", "label", name=op.f("pk_prompt_labels")),
        schema="service_platform",
        comment="Movable label of a prompt version: production, staging; one version per label by primary key",
    )
    op.create_index(
        "ix_prompt_labels_organization_id",
        "prompt_labels",
        ["organization_id"],
        schema="service_platform",
    )
    op.create_index(
        "ix_prompt_labels_prompt_version_id",
        "prompt_labels",
        ["prompt_version_id", "prompt_id"],
        schema="service_platform",
    )
    op.create_index(
        "ix_prompt_labels_updated_by",
        "prompt_labels",
        ["updated_by"],
        schema="service_platform",
        postgresql_where=sa.text("updated_by IS NOT NULL"),
    )


def upgrade() -> None:
    as_owner()
    _create_prompts()
    _create_prompt_versions()
    apply_sql("caf02e74a531_prompt_versions_triggers")
    _create_prompt_labels()


def downgrade() -> None:
    as_owner()
    op.drop_table("prompt_labels", schema="service_platform")
    op.drop_table("prompt_versions", schema="service_platform")
    op.drop_table("prompts", schema="service_platform")
