"""Add runs with their metrics and artifacts

Why:   each run keeps what went in, what it measured and what it made.
Lock:  SHARE ROW EXCLUSIVE on algo_platform.algorithms, algo_platform.experiments,
       algo_platform.jobs and auth.users until commit: writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the tables. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "8bdab76af3ff"
down_revision = "8cfa609d83ea"
branch_labels = None
depends_on = None


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column(
            "id",
            sa.Uuid(),
            server_default=sa.text("uuid_generate_v7()"),
            nullable=False,
            comment="Run id, may be made by the client",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            nullable=False,
            comment="Tenant",
        ),
        sa.Column("experiment_id", sa.Integer(), nullable=False, comment="Experiment"),
        sa.Column("algorithm_id", sa.Integer(), comment="Algorithm version executed"),
        sa.Column(
            "parent_run_id",
            sa.Uuid(),
            comment="Tuning sweep or pipeline this run belongs to",
        ),
        sa.Column("job_id", sa.BigInteger(), comment="Queue entry that started it"),
        sa.Column("name", sa.String(length=250), comment="Display name"),
        sa.Column(
            "status",
            sa.String(length=20),
            server_default="scheduled",
            nullable=False,
            comment="scheduled, running, finished, failed or killed",
        ),
        sa.Column("source_uri", sa.Text(), comment="Script or notebook"),
        sa.Column("source_revision", sa.String(length=64), comment="Commit"),
        sa.Column(
            "params",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Hyper-parameters, any length and type",
        ),
        sa.Column(
            "tags",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Key-value labels",
        ),
        sa.Column(
            "summary",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Last, best, minimum and maximum per metric, written at flush",
        ),
        sa.Column(
            "environment",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Image, packages, hardware",
        ),
        sa.Column("error", sa.Text(), comment="Why it failed"),
        sa.Column("started_at", sa.DateTime(timezone=True), comment="Start"),
        sa.Column("ended_at", sa.DateTime(timezone=True), comment="End"),
        sa.Column(
            "heartbeat_at", sa.DateTime(timezone=True), comment="Last sign of life"
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
        sa.CheckConstraint(
            "jsonb_typeof(params) = 'object' AND jsonb_typeof(tags) = 'object' AND jsonb_typeof(summary) = 'object' AND jsonb_typeof(environment) = 'object'",
            name=op.f("ck_runs_json"),
        ),
        sa.CheckConstraint(
            "status IN ('scheduled', 'running', 'finished', 'failed', 'killed')",
            name=op.f("ck_runs_status"),
        ),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_runs_times")),
        sa.ForeignKeyConstraint(
            ["algorithm_id"],
            ["algo_platform.algorithms.id"],
            name=op.f("fk_runs_algorithm_id_algorithms"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_runs_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id", "organization_id"],
            [
                "algo_platform.experiments.id",
                "algo_platform.experiments.organization_id",
            ],
            name=op.f("fk_runs_experiment_id_experiments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["job_id", "organization_id"],
            ["algo_platform.jobs.id", "algo_platform.jobs.organization_id"],
            name=op.f("fk_runs_job_id_jobs"),
            ondelete="SET NULL (job_id)",
        ),
        sa.ForeignKeyConstraint(
            ["parent_run_id", "organization_id"],
            ["algo_platform.runs.id", "algo_platform.runs.organization_id"],
            name=op.f("fk_runs_parent_run_id_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint(
            "id", "organization_id", name=op.f("uq_runs_id_organization_id")
        ),
        schema="algo_platform",
        comment="One execution of an algorithm: training, tuning trial, batch inference",
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "ix_runs_active",
        "runs",
        ["heartbeat_at"],
        schema="algo_platform",
        postgresql_where=sa.text("status IN ('scheduled','running')"),
    )
    op.create_index(
        "ix_runs_algorithm_id",
        "runs",
        ["algorithm_id"],
        schema="algo_platform",
        postgresql_where=sa.text("algorithm_id IS NOT NULL"),
    )
    op.create_index(
        "ix_runs_created_by",
        "runs",
        ["created_by"],
        schema="algo_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_runs_experiment_id",
        "runs",
        ["experiment_id", "organization_id", sa.text("created_at DESC")],
        schema="algo_platform",
    )
    op.create_index(
        "ix_runs_job_id",
        "runs",
        ["job_id", "organization_id"],
        schema="algo_platform",
        postgresql_where=sa.text("job_id IS NOT NULL"),
    )
    op.create_index(
        "ix_runs_organization_id",
        "runs",
        ["organization_id", sa.text("created_at DESC")],
        schema="algo_platform",
    )
    op.create_index(
        "ix_runs_params",
        "runs",
        ["params"],
        schema="algo_platform",
        postgresql_using="gin",
        postgresql_ops={"params": "jsonb_path_ops"},
    )
    op.create_index(
        "ix_runs_parent_run_id",
        "runs",
        ["parent_run_id", "organization_id"],
        schema="algo_platform",
        postgresql_where=sa.text("parent_run_id IS NOT NULL"),
    )
    op.create_index(
        "ix_runs_tags",
        "runs",
        ["tags"],
        schema="algo_platform",
        postgresql_using="gin",
        postgresql_ops={"tags": "jsonb_path_ops"},
    )


def _create_run_metrics() -> None:
    op.create_table(
        "run_metrics",
        sa.Column("run_id", sa.Uuid(), nullable=False, comment="Run and partition key"),
        sa.Column(
            "metric",
            sa.String(length=250),
            nullable=False,
            comment="Metric name, e.g. train/loss",
        ),
        sa.Column(
            "step",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Step or epoch; writing the same step again replaces the value",
        ),
        sa.Column(
            "value",
            sa.Double(),
            nullable=False,
            comment="Value; NaN and Infinity are stored as such",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            nullable=False,
            comment="Tenant",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was measured",
        ),
        sa.ForeignKeyConstraint(
            ["run_id", "organization_id"],
            ["algo_platform.runs.id", "algo_platform.runs.organization_id"],
            name=op.f("fk_run_metrics_run_id_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "run_id", "metric", "step", name=op.f("pk_run_metrics")
        ),
        schema="algo_platform",
        comment="Metric history: one value per run, metric and step",
        postgresql_partition_by="HASH (run_id)",
    )


def _create_run_artifacts() -> None:
    op.create_table(
        "run_artifacts",
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
        sa.Column("run_id", sa.Uuid(), nullable=False, comment="Run"),
        sa.Column(
            "path",
            sa.String(length=1024),
            nullable=False,
            comment="Path inside the run",
        ),
        sa.Column(
            "kind",
            sa.String(length=20),
            server_default="other",
            nullable=False,
            comment="checkpoint, model, dataset, plot, log, report or other",
        ),
        sa.Column("uri", sa.Text(), nullable=False, comment="Where it is stored"),
        sa.Column("sha256", sa.LargeBinary(), comment="Digest"),
        sa.Column("size_bytes", sa.BigInteger(), comment="Size"),
        sa.Column("media_type", sa.String(length=127), comment="Media type"),
        sa.Column("step", sa.BigInteger(), comment="Step it belongs to"),
        sa.Column(
            "metadata",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Extra attributes",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Upload time",
        ),
        sa.CheckConstraint(
            "kind IN ('checkpoint', 'model', 'dataset', 'plot', 'log', 'report', 'other')",
            name=op.f("ck_run_artifacts_kind"),
        ),
        sa.CheckConstraint(
            "octet_length(sha256) = 32", name=op.f("ck_run_artifacts_sha256")
        ),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_run_artifacts_size_bytes")),
        sa.ForeignKeyConstraint(
            ["run_id", "organization_id"],
            ["algo_platform.runs.id", "algo_platform.runs.organization_id"],
            name=op.f("fk_run_artifacts_run_id_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_artifacts")),
        sa.UniqueConstraint(
            "run_id", "path", name=op.f("uq_run_artifacts_run_id_path")
        ),
        schema="algo_platform",
        comment="File produced by a run",
    )
    op.create_index(
        "ix_run_artifacts_sha256",
        "run_artifacts",
        ["sha256"],
        schema="algo_platform",
        postgresql_using="hash",
        postgresql_where=sa.text("sha256 IS NOT NULL"),
    )


def upgrade() -> None:
    as_owner()
    _create_runs()
    _create_run_metrics()
    apply_sql("8bdab76af3ff_run_metrics_partitions")
    _create_run_artifacts()


def downgrade() -> None:
    as_owner()
    op.drop_table("run_artifacts", schema="algo_platform")
    op.drop_table("run_metrics", schema="algo_platform")
    op.drop_table("runs", schema="algo_platform")
