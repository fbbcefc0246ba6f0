"""Add vectorizers and their queue

Why:   a dataset stays embedded while its documents change; workers take batches with
       leases.
Lock:  SHARE ROW EXCLUSIVE on auth.users, data_platform.datasets,
       data_platform.documents and data_platform.embedding_models until commit: writers
       wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the triggers, functions and tables. The rows are lost; restore them from a
       backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "2b35e4d6bdc1"
down_revision = "48472038ce9b"
branch_labels = None
depends_on = None


def _create_vectorizers() -> None:
    op.create_table(
        "vectorizers",
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
            "dataset_id",
            sa.Integer(),
            nullable=False,
            comment="Dataset to keep embedded",
        ),
        sa.Column(
            "embedding_model_id", sa.Integer(), nullable=False, comment="Target model"
        ),
        sa.Column(
            "name",
            sa.String(length=100),
            nullable=False,
            comment="Name, unique per organization",
        ),
        sa.Column(
            "chunking",
            postgresql.JSONB(),
            server_default='{"method": "recursive", "size": 800, "overlap": 100}',
            nullable=False,
            comment="How documents are cut",
        ),
        sa.Column(
            "template",
            sa.Text(),
            server_default="$chunk",
            nullable=False,
            comment="Text sent to the model; $chunk, $title and metadata fields",
        ),
        sa.Column(
            "status",
            sa.String(length=20),
            server_default="active",
            nullable=False,
            comment="active or paused",
        ),
        sa.Column(
            "batch_size",
            sa.Integer(),
            server_default=sa.text("64"),
            nullable=False,
            comment="Chunks per provider call",
        ),
        sa.Column(
            "max_attempts",
            sa.SmallInteger(),
            server_default=sa.text("6"),
            nullable=False,
            comment="Then the document is parked",
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
            "jsonb_typeof(chunking) = 'object' AND chunking ? 'method'",
            name=op.f("ck_vectorizers_chunking"),
        ),
        sa.CheckConstraint(
            "status IN ('active', 'paused')", name=op.f("ck_vectorizers_status")
        ),
        sa.CheckConstraint(
            "batch_size BETWEEN 1 AND 10000 AND max_attempts BETWEEN 1 AND 100",
            name=op.f("ck_vectorizers_limits"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["auth.users.id"],
            name=op.f("fk_vectorizers_created_by_users"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id", "organization_id"],
            ["data_platform.datasets.id", "data_platform.datasets.organization_id"],
            name=op.f("fk_vectorizers_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["embedding_model_id"],
            ["data_platform.embedding_models.id"],
            name=op.f("fk_vectorizers_embedding_model_id_embedding_models"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vectorizers")),
        sa.UniqueConstraint(
            "dataset_id",
            "embedding_model_id",
            name=op.f("uq_vectorizers_dataset_id_embedding_model_id"),
        ),
        sa.UniqueConstraint(
            "organization_id", "name", name=op.f("uq_vectorizers_organization_id_name")
        ),
        schema="data_platform",
        comment="Keeps one dataset embedded with one model",
    )
    op.create_index(
        "ix_vectorizers_created_by",
        "vectorizers",
        ["created_by"],
        schema="data_platform",
        postgresql_where=sa.text("created_by IS NOT NULL"),
    )
    op.create_index(
        "ix_vectorizers_embedding_model_id",
        "vectorizers",
        ["embedding_model_id"],
        schema="data_platform",
    )


def _create_vectorizer_queue() -> None:
    op.create_table(
        "vectorizer_queue",
        sa.Column("vectorizer_id", sa.Integer(), nullable=False, comment="Vectorizer"),
        sa.Column(
            "document_id",
            sa.BigInteger(),
            nullable=False,
            comment="Document that changed",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            nullable=False,
            comment="Tenant",
        ),
        sa.Column(
            "generation",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="Raised on every change; a worker deletes only the generation it read",
        ),
        sa.Column(
            "attempts",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Raised when claimed, in its own transaction, so a crash counts",
        ),
        sa.Column(
            "available_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Not before (back-off)",
        ),
        sa.Column("leased_by", sa.Text(), comment="Worker holding it"),
        sa.Column(
            "lease_expires_at",
            sa.DateTime(timezone=True),
            comment="After this any worker may take it over",
        ),
        sa.Column(
            "failed_at",
            sa.DateTime(timezone=True),
            comment="Parked after max_attempts: the dead-letter mark",
        ),
        sa.Column("last_error", sa.Text(), comment="Last failure"),
        sa.Column(
            "enqueued_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="First enqueued",
        ),
        sa.CheckConstraint(
            "num_nonnulls(leased_by, lease_expires_at) IN (0, 2)",
            name=op.f("ck_vectorizer_queue_lease"),
        ),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["data_platform.documents.id"],
            name=op.f("fk_vectorizer_queue_document_id_documents"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["vectorizer_id"],
            ["data_platform.vectorizers.id"],
            name=op.f("fk_vectorizer_queue_vectorizer_id_vectorizers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "vectorizer_id", "document_id", name=op.f("pk_vectorizer_queue")
        ),
        schema="data_platform",
        comment="Documents waiting to be (re-)embedded; the key makes a document wait at most once",
        postgresql_with={
            "fillfactor": 70,
            "autovacuum_vacuum_scale_factor": 0.01,
            "autovacuum_vacuum_cost_delay": 0,
        },
    )
    op.create_index(
        "ix_vectorizer_queue_document_id",
        "vectorizer_queue",
        ["document_id"],
        schema="data_platform",
    )
    op.create_index(
        "ix_vectorizer_queue_ready",
        "vectorizer_queue",
        ["vectorizer_id", "available_at"],
        schema="data_platform",
        postgresql_where=sa.text("failed_at IS NULL"),
    )


def upgrade() -> None:
    as_owner()
    _create_vectorizers()
    _create_vectorizer_queue()
    apply_sql("2b35e4d6bdc1_data_platform_enqueue_documents")
    apply_sql("2b35e4d6bdc1_data_platform_enqueue_changed_documents")
    apply_sql("2b35e4d6bdc1_documents_triggers")
    apply_sql("2b35e4d6bdc1_data_platform_claim_documents")


def downgrade() -> None:
    as_owner()
    op.execute(
        "DROP FUNCTION data_platform.claim_documents(integer, text, integer, interval)"
    )
    op.execute("DROP TRIGGER tr_documents_enqueue_update ON data_platform.documents")
    op.execute("DROP TRIGGER tr_documents_enqueue_insert ON data_platform.documents")
    op.execute("DROP FUNCTION data_platform.enqueue_changed_documents()")
    op.execute("DROP FUNCTION data_platform.enqueue_documents()")
    op.drop_table("vectorizer_queue", schema="data_platform")
    op.drop_table("vectorizers", schema="data_platform")
