"""Add the audit log

Why:   who changed what, written by trigger and never changed afterwards.
Lock:  none on existing tables; a new object is seen by nobody before commit.
Phase: expand - nothing existed before that could stop working.
Back:  drops the functions and the table, with every monthly partition. The rows are
       lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "4a40ccfda27c"
down_revision = "f7582b911e32"
branch_labels = None
depends_on = None


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column(
            "id",
            sa.Uuid(),
            server_default=sa.text("uuid_generate_v7()"),
            nullable=False,
            comment="Event id",
        ),
        sa.Column(
            "occurred_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Transaction time, partition key",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            comment="Tenant; no foreign keys here, so history survives deletion",
        ),
        sa.Column("actor_user_id", sa.Integer(), comment="auth.uid() at the time"),
        sa.Column("actor_role", sa.Text(), comment="auth.role() at the time"),
        sa.Column(
            "db_user",
            sa.Text(),
            server_default=sa.text("session_user"),
            nullable=False,
            comment="Database login",
        ),
        sa.Column(
            "action",
            sa.String(length=30),
            nullable=False,
            comment="insert, update, delete, or an application event such as login.failed",
        ),
        sa.Column("object_table", sa.Text(), nullable=False, comment="schema.table"),
        sa.Column("object_id", sa.Text(), comment="Primary key of the row"),
        sa.Column(
            "changed", postgresql.ARRAY(sa.Text()), comment="Columns that changed"
        ),
        sa.Column(
            "old_values",
            postgresql.JSONB(),
            comment="Changed columns before; secret columns never",
        ),
        sa.Column(
            "new_values",
            postgresql.JSONB(),
            comment="Changed columns after; secret columns never",
        ),
        sa.Column(
            "transaction_id",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text::bigint)"),
            nullable=False,
            comment="Groups the rows of one transaction",
        ),
        sa.Column(
            "request_id", sa.Text(), comment="app.request_id of the session, when set"
        ),
        sa.PrimaryKeyConstraint("id", "occurred_at", name=op.f("pk_audit_log")),
        schema="logs",
        comment="Who changed what: append-only, written by trigger",
        postgresql_partition_by="RANGE (occurred_at)",
    )
    op.create_index(
        "ix_audit_log_actor_user_id",
        "audit_log",
        ["actor_user_id", sa.text("occurred_at DESC")],
        schema="logs",
        postgresql_where=sa.text("actor_user_id IS NOT NULL"),
    )
    op.create_index(
        "ix_audit_log_object",
        "audit_log",
        ["object_table", "object_id", sa.text("occurred_at DESC")],
        schema="logs",
    )
    op.create_index(
        "ix_audit_log_organization_id",
        "audit_log",
        ["organization_id", sa.text("occurred_at DESC")],
        schema="logs",
    )


def upgrade() -> None:
    as_owner()
    _create_audit_log()
    apply_sql("4a40ccfda27c_logs_audit_row_change")
    apply_sql("4a40ccfda27c_logs_refuse_change")
    apply_sql("4a40ccfda27c_audit_log_triggers")


def downgrade() -> None:
    as_owner()
    op.execute("DROP TRIGGER tr_audit_log_append_only ON logs.audit_log")
    op.execute("DROP FUNCTION logs.refuse_change()")
    op.execute("DROP FUNCTION logs.audit_row_change()")
    op.drop_table("audit_log", schema="logs")
