"""Add the job queue

Why:   work is claimed with leases, and a worker that died loses its job to another.
Lock:  SHARE ROW EXCLUSIVE on auth.organizations and auth.users until commit: writers
       wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the function and the table. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "8cfa609d83ea"
down_revision = "849dbecf46cf"
branch_labels = None
depends_on = None


def _create_jobs() -> None:
    op.create_table(
        "jobs",
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
        sa.Column(
            "queue",
            sa.String(length=64),
            server_default="default",
            nullable=False,
            comment="Queue a worker subscribes to",
        ),
        sa.Column(
            "kind",
            sa.String(length=64),
            nullable=False,
            comment="Handler, e.g. run.train, eval.run, dataset.check",
        ),
        sa.Column(
            "payload",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Arguments: ids, never secrets",
        ),
        sa.Column("result", postgresql.JSONB(), comment="Outcome"),
        sa.Column(
            "status",
            sa.String(length=20),
            server_default="queued",
            nullable=False,
            comment="queued, running, succeeded, failed, cancelled or dead",
        ),
        sa.Column(
            "priority",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Higher first",
        ),
        sa.Column(
            "available_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Not before (schedule, back-off)",
        ),
        sa.Column(
            "attempts",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Raised by claim_jobs() in its own transaction",
        ),
        sa.Column(
            "max_attempts",
            sa.SmallInteger(),
            server_default=sa.text("5"),
            nullable=False,
            comment="Then status becomes dead",
        ),
        sa.Column(
            "dedupe_key",
            sa.String(length=200),
            comment="At most one queued or running job per queue and key",
        ),
        sa.Column("leased_by", sa.Text(), comment="Worker holding it"),
        sa.Column(
            "lease_expires_at",
            sa.DateTime(timezone=True),
            comment="After this any worker may take it over",
        ),
        sa.Column(
            "cancel_requested_at",
            sa.DateTime(timezone=True),
            comment="Ask the worker to stop",
        ),
        sa.Column("last_error", sa.Text(), comment="Last failure"),
        sa.Column("created_by", sa.Integer(), comment="Requester"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Creation time",
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), comment="First start"),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            comment="End; finished rows are deleted after the retention time",
        ),
        sa.CheckConstraint(
            "(status = 'running') = (lease_expires_at IS NOT NULL)",
            name=op.f("ck_jobs_lease"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(payload) = 'object' AND NOT data_platform.contains_plain_secret(payload)",
            name=op.f("ck_jobs_payload"),
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'dead')",
            name=op.f("ck_jobs_status"),
        ),
        sa.CheckConstraint(
            "attempts >= 0 AND max_attempts BETWEEN 1 AND 100",
            name=op.f("ck_jobs_attempts"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_jobs_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_jobs_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_jobs_id_organization_id")
        ),
        schema="algo_platform",
        comment="Queue for training, evaluation, checks, deployment and clean-up work",
        postgresql_with={
            "fillfactor": 70,
            "autovacuum_vacuum_scale_factor": 0.01,
            "autovacuum_vacuum_cost_delay": 0,
        },
    )
    op.create_index(
        "ix_jobs_created_by",
        "jobs",
        ["created_by"],
        schema="algo_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_finished_at",
        "jobs",
        ["finished_at"],
        schema="algo_platform",
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_lease",
        "jobs",
        ["lease_expires_at"],
        schema="algo_platform",
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index(
        "ix_jobs_organization_id",
        "jobs",
        ["organization_id", sa.text("created_at DESC")],
        schema="algo_platform",
    )
    op.create_index(
        "ix_jobs_ready",
        "jobs",
        ["queue", sa.text("priority DESC"), "available_at", "id"],
        schema="algo_platform",
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "uq_jobs_dedupe_key",
        "jobs",
        ["organization_id", "queue", "dedupe_key"],
        unique=True,
        schema="algo_platform",
        postgresql_where=sa.text(
            "dedupe_key IS NOT NULL AND status IN ('queued','running')"
        ),
    )


def upgrade() -> None:
    as_owner()
    _create_jobs()
    apply_sql("8cfa609d83ea_algo_platform_claim_jobs")


def downgrade() -> None:
    as_owner()
    op.execute("DROP FUNCTION algo_platform.claim_jobs(text, text, integer, interval)")
    op.drop_table("jobs", schema="algo_platform")
