"""Add the lineage of data, runs and models

Why:   from a model back to its data, and forward from a source to what it touched.
Lock:  SHARE ROW EXCLUSIVE on algo_platform.runs, auth.users,
       data_platform.data_sources, data_platform.dataset_versions and
       model_platform.model_versions until commit: writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the view and the table. The rows are lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "49e9681a3337"
down_revision = "566f553776db"
branch_labels = None
depends_on = None


def _create_lineage_edges() -> None:
    op.create_table(
        "lineage_edges",
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
            "relation",
            sa.String(length=20),
            nullable=False,
            comment="ingested, derived, input, output, validated or distilled",
        ),
        sa.Column("src_data_source_id", sa.Integer(), comment="From: a source"),
        sa.Column(
            "src_dataset_version_id", sa.BigInteger(), comment="From: a dataset version"
        ),
        sa.Column("src_run_id", sa.Uuid(), comment="From: a run"),
        sa.Column(
            "src_model_version_id", sa.BigInteger(), comment="From: a model version"
        ),
        sa.Column(
            "dst_dataset_version_id", sa.BigInteger(), comment="To: a dataset version"
        ),
        sa.Column("dst_run_id", sa.Uuid(), comment="To: a run"),
        sa.Column(
            "dst_model_version_id", sa.BigInteger(), comment="To: a model version"
        ),
        sa.Column(
            "column_map",
            postgresql.JSONB(),
            comment="Column-level lineage: target, sources, transformation",
        ),
        sa.Column("created_by", sa.Integer(), comment="Who or which job declared it"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Declaration time",
        ),
        sa.CheckConstraint(
            "relation IN ('ingested', 'derived', 'input', 'output', 'validated', 'distilled')",
            name=op.f("ck_lineage_edges_relation"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(dst_dataset_version_id, dst_run_id, dst_model_version_id) = 1",
            name=op.f("ck_lineage_edges_dst"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(src_data_source_id, src_dataset_version_id, src_run_id, src_model_version_id) = 1",
            name=op.f("ck_lineage_edges_src"),
        ),
        sa.CheckConstraint(
            "src_dataset_version_id <> dst_dataset_version_id AND src_run_id <> dst_run_id AND src_model_version_id <> dst_model_version_id",
            name=op.f("ck_lineage_edges_no_loop"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_lineage_edges_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["dst_dataset_version_id", "organization_id"],
            [
                "data_platform.dataset_versions.id",
                "data_platform.dataset_versions.organization_id",
            ],
            name=op.f("fk_lineage_edges_dst_dataset_version_id_dataset_versions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["dst_model_version_id", "organization_id"],
            [
                "model_platform.model_versions.id",
                "model_platform.model_versions.organization_id",
            ],
            name=op.f("fk_lineage_edges_dst_model_version_id_model_versions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["dst_run_id", "organization_id"],
            ["algo_platform.runs.id", "algo_platform.runs.organization_id"],
            name=op.f("fk_lineage_edges_dst_run_id_runs"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["src_data_source_id", "organization_id"],
            [
                "data_platform.data_sources.id",
                "data_platform.data_sources.organization_id",
            ],
            name=op.f("fk_lineage_edges_src_data_source_id_data_sources"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["src_dataset_version_id", "organization_id"],
            [
                "data_platform.dataset_versions.id",
                "data_platform.dataset_versions.organization_id",
            ],
            name=op.f("fk_lineage_edges_src_dataset_version_id_dataset_versions"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["src_model_version_id", "organization_id"],
            [
                "model_platform.model_versions.id",
                "model_platform.model_versions.organization_id",
            ],
            name=op.f("fk_lineage_edges_src_model_version_id_model_versions"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["src_run_id", "organization_id"],
            ["algo_platform.runs.id", "algo_platform.runs.organization_id"],
            name=op.f("fk_lineage_edges_src_run_id_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lineage_edges")),
        sa.UniqueConstraint(
            "src_data_source_id",
            "src_dataset_version_id",
            "src_run_id",
            "src_model_version_id",
            "dst_dataset_version_id",
            "dst_run_id",
            "dst_model_version_id",
            "relation",
            name="uq_lineage_edges_identity",
            postgresql_nulls_not_distinct=True,
        ),
        schema="data_platform",
        comment="Directed provenance between sources, dataset versions, runs and model versions",
    )
    op.create_index(
        "ix_lineage_edges_created_by",
        "lineage_edges",
        ["created_by"],
        schema="data_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_lineage_edges_dst_dataset_version_id",
        "lineage_edges",
        ["dst_dataset_version_id", "organization_id"],
        schema="data_platform",
        postgresql_where=sa.text("dst_dataset_version_id IS NOT NULL"),
    )
    op.create_index(
        "ix_lineage_edges_dst_model_version_id",
        "lineage_edges",
        ["dst_model_version_id", "organization_id"],
        schema="data_platform",
        postgresql_where=sa.text("dst_model_version_id IS NOT NULL"),
    )
    op.create_index(
        "ix_lineage_edges_dst_run_id",
        "lineage_edges",
        ["dst_run_id", "organization_id"],
        schema="data_platform",
        postgresql_where=sa.text("dst_run_id IS NOT NULL"),
    )
    op.create_index(
        "ix_lineage_edges_organization_id",
        "lineage_edges",
        ["organization_id"],
        schema="data_platform",
    )
    op.create_index(
        "ix_lineage_edges_src_dataset_version_id",
        "lineage_edges",
        ["src_dataset_version_id", "organization_id"],
        schema="data_platform",
        postgresql_where=sa.text("src_dataset_version_id IS NOT NULL"),
    )
    op.create_index(
        "ix_lineage_edges_src_model_version_id",
        "lineage_edges",
        ["src_model_version_id", "organization_id"],
        schema="data_platform",
        postgresql_where=sa.text("src_model_version_id IS NOT NULL"),
    )
    op.create_index(
        "ix_lineage_edges_src_run_id",
        "lineage_edges",
        ["src_run_id", "organization_id"],
        schema="data_platform",
        postgresql_where=sa.text("src_run_id IS NOT NULL"),
    )


def upgrade() -> None:
    as_owner()
    _create_lineage_edges()
    apply_sql("49e9681a3337_data_platform_lineage_graph")


def downgrade() -> None:
    as_owner()
    op.execute("DROP VIEW data_platform.lineage_graph")
    op.drop_table("lineage_edges", schema="data_platform")
