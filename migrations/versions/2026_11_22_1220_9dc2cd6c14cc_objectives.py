"""Add service level objectives

Why:   a promise to users is written down where it is measured.
Lock:  SHARE ROW EXCLUSIVE on auth.users and service_platform.services until commit:
       writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the table. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.ddl import as_owner

revision = "9dc2cd6c14cc"
down_revision = "fb447a73537b"
branch_labels = None
depends_on = None


def _create_slos() -> None:
    op.create_table(
        "slos",
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
            "service_id",
            sa.Integer(),
            nullable=False,
            comment="Service it promises for",
        ),
        sa.Column(
            "name",
            sa.String(length=150),
            nullable=False,
            comment="Name, unique per service",
        ),
        sa.Column(
            "indicator",
            sa.String(length=20),
            nullable=False,
            comment="availability, latency, first_token, freshness or quality",
        ),
        sa.Column(
            "threshold",
            sa.Numeric(precision=20, scale=6),
            comment="Good event bound, e.g. latency in ms",
        ),
        sa.Column(
            "objective",
            sa.Numeric(precision=7, scale=6),
            nullable=False,
            comment="Share of good events, e.g. 0.999",
        ),
        sa.Column(
            "window_days",
            sa.SmallInteger(),
            server_default=sa.text("30"),
            nullable=False,
            comment="Rolling window",
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
        sa.CheckConstraint(
            "indicator IN ('availability', 'latency', 'first_token', 'freshness', 'quality')",
            name=op.f("ck_slos_indicator"),
        ),
        sa.CheckConstraint(
            "objective > 0 AND objective < 1 AND window_days BETWEEN 1 AND 366",
            name=op.f("ck_slos_objective"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_slos_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["service_id", "organization_id"],
            [
                "service_platform.services.id",
                "service_platform.services.organization_id",
            ],
            name=op.f("fk_slos_service_id_services"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slos")),
        sa.UniqueConstraint("service_id", "name", name=op.f("uq_slos_service_id_name")),
        schema="monitoring",
        comment="Service level objective",
    )
    op.create_index(
        "ix_slos_created_by",
        "slos",
        ["created_by"],
        schema="monitoring",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_slos_organization_id", "slos", ["organization_id"], schema="monitoring"
    )


def upgrade() -> None:
    as_owner()
    _create_slos()


def downgrade() -> None:
    as_owner()
    op.drop_table("slos", schema="monitoring")
