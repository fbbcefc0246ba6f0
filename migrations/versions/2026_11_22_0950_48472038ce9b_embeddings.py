"""Add embedding models and vectors

Why:   vectors of several models live side by side; the table of the seeds keeps its
       name, its columns and its ivfflat index with 100 lists.
Lock:  SHARE ROW EXCLUSIVE on auth.organizations, data_platform.chunks and
       data_platform.datasets until commit: writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the tables, with every partition that was made for a model. The rows are
       lost; restore them from a backup.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects import postgresql

from migrations.ddl import apply_sql, as_owner

revision = "48472038ce9b"
down_revision = "5ed3b79de57a"
branch_labels = None
depends_on = None


def _create_embedding_models() -> None:
    op.create_table(
        "embedding_models",
        sa.Column(
            "id",
            sa.Integer(),
            sa.Identity(always=False),
            nullable=False,
            comment="Surrogate key and partition key of chunk_embeddings",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            comment="Owner; NULL for a model every tenant may use",
        ),
        sa.Column(
            "provider",
            sa.String(length=50),
            nullable=False,
            comment="openai, local, bge ...",
        ),
        sa.Column(
            "name",
            sa.String(length=200),
            nullable=False,
            comment="Model name at the provider",
        ),
        sa.Column(
            "dimensions", sa.Integer(), nullable=False, comment="Length of its vectors"
        ),
        sa.Column(
            "distance",
            sa.String(length=10),
            server_default="cosine",
            nullable=False,
            comment="cosine, l2 or ip: fixes the operator class",
        ),
        sa.Column(
            "index_type",
            sa.String(length=10),
            server_default="vector",
            nullable=False,
            comment="vector (to 2000 dimensions), halfvec (to 4000), bit or none",
        ),
        sa.Column("max_input_tokens", sa.Integer(), comment="Longest input accepted"),
        sa.Column(
            "is_default",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Used when a vectorizer names no model; one per owner",
        ),
        sa.Column(
            "status",
            sa.String(length=20),
            server_default="active",
            nullable=False,
            comment="active, deprecated (read only) or retired (partition dropped)",
        ),
        sa.Column(
            "config",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Provider options; never secrets",
        ),
        sa.Column(
            "secret_ref", sa.String(length=512), comment="Where the provider key lives"
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
            "(index_type = 'vector' AND dimensions <= 2000) OR (index_type = 'halfvec' AND dimensions <= 4000) OR index_type IN ('bit','none')",
            name=op.f("ck_embedding_models_index_type"),
        ),
        sa.CheckConstraint(
            "distance IN ('cosine', 'l2', 'ip')",
            name=op.f("ck_embedding_models_distance"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(config) = 'object' AND NOT data_platform.contains_plain_secret(config)",
            name=op.f("ck_embedding_models_config"),
        ),
        sa.CheckConstraint(
            "secret_ref ~ '^(env|file|vault|k8s|aws-sm|gcp-sm|azure-kv):.+$'",
            name=op.f("ck_embedding_models_secret_ref"),
        ),
        sa.CheckConstraint(
            "status IN ('active', 'deprecated', 'retired')",
            name=op.f("ck_embedding_models_status"),
        ),
        sa.CheckConstraint(
            "dimensions BETWEEN 1 AND 16000",
            name=op.f("ck_embedding_models_dimensions"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_embedding_models_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_embedding_models")),
        sa.UniqueConstraint(
            "organization_id",
            "provider",
            "name",
            "dimensions",
            name="uq_embedding_models_identity",
            postgresql_nulls_not_distinct=True,
        ),
        schema="data_platform",
        comment="Embedding models and their vector geometry",
    )
    op.create_index(
        "uq_embedding_models_default",
        "embedding_models",
        ["organization_id"],
        unique=True,
        schema="data_platform",
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("is_default"),
    )


def _create_text_embeddings() -> None:
    op.create_table(
        "text_embeddings",
        sa.Column(
            "id",
            sa.Integer(),
            nullable=False,
            comment="Surrogate key (seed); move to BIGINT before two billion rows",
        ),
        sa.Column("dataset_id", sa.Integer(), comment="Dataset (seed)"),
        sa.Column(
            "record_id", sa.String(length=100), comment="Key in the source (seed)"
        ),
        sa.Column("text_content", sa.Text(), comment="Text that was embedded (seed)"),
        sa.Column(
            "embedding",
            Vector(1536),
            comment="Vector of the default model, OpenAI ada (seed)",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            comment="Creation time (seed)",
        ),
        sa.Column(
            "organization_id",
            sa.Integer(),
            server_default=sa.text("auth.org_id()"),
            comment="Tenant; NULL rows are visible to administrators only",
        ),
        sa.Column(
            "embedding_model_id",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="Model that made the vector; vectors of two models never mix",
        ),
        sa.Column(
            "content_sha256",
            sa.LargeBinary(),
            comment="Digest of text_content, set by the writer: skip unchanged text",
        ),
        sa.Column(
            "metadata",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="Retrieval filters",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="Last change, kept by trigger",
        ),
        sa.CheckConstraint(
            "jsonb_typeof(metadata) = 'object'",
            name=op.f("ck_text_embeddings_metadata"),
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id", "organization_id"],
            ["data_platform.datasets.id", "data_platform.datasets.organization_id"],
            name=op.f("fk_text_embeddings_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["embedding_model_id"],
            ["data_platform.embedding_models.id"],
            name=op.f("fk_text_embeddings_embedding_model_id_embedding_models"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["auth.organizations.id"],
            name=op.f("fk_text_embeddings_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="text_embeddings_pkey"),
        schema="data_platform",
        comment="Text snippets with a 1536-dimension vector, keyed by dataset and record (seed table)",
    )
    # The seeds want this index on the empty table; the server's notice is no news.
    op.execute("SET LOCAL client_min_messages = warning")
    op.create_index(
        "idx_text_embeddings_vector",
        "text_embeddings",
        ["embedding"],
        schema="data_platform",
        postgresql_using="ivfflat",
        postgresql_ops={"embedding": "vector_cosine_ops"},
        postgresql_with={"lists": 100},
    )
    op.create_index(
        "ix_text_embeddings_dataset_id_record_id",
        "text_embeddings",
        ["dataset_id", "organization_id", "record_id"],
        schema="data_platform",
    )
    op.create_index(
        "ix_text_embeddings_embedding_model_id",
        "text_embeddings",
        ["embedding_model_id"],
        schema="data_platform",
    )
    op.create_index(
        "ix_text_embeddings_organization_id",
        "text_embeddings",
        ["organization_id"],
        schema="data_platform",
    )


def _create_chunk_embeddings() -> None:
    op.create_table(
        "chunk_embeddings",
        sa.Column(
            "embedding_model_id",
            sa.Integer(),
            nullable=False,
            comment="Model and partition key: retiring a model is a DROP TABLE",
        ),
        sa.Column("chunk_id", sa.BigInteger(), nullable=False, comment="Chunk"),
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
            comment="Dataset, repeated for filtering",
        ),
        sa.Column(
            "embedding",
            Vector(),
            nullable=False,
            comment="Vector; each partition checks its dimension count",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was computed",
        ),
        sa.ForeignKeyConstraint(
            ["chunk_id"],
            ["data_platform.chunks.id"],
            name=op.f("fk_chunk_embeddings_chunk_id_chunks"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["embedding_model_id"],
            ["data_platform.embedding_models.id"],
            name=op.f("fk_chunk_embeddings_embedding_model_id_embedding_models"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint(
            "embedding_model_id", "chunk_id", name=op.f("pk_chunk_embeddings")
        ),
        schema="data_platform",
        comment="Vectors of chunks for any number of models, one partition per model",
        postgresql_partition_by="LIST (embedding_model_id)",
    )
    op.create_index(
        "ix_chunk_embeddings_chunk_id",
        "chunk_embeddings",
        ["chunk_id"],
        schema="data_platform",
    )
    op.create_index(
        "ix_chunk_embeddings_dataset_id",
        "chunk_embeddings",
        ["organization_id", "dataset_id"],
        schema="data_platform",
    )


def upgrade() -> None:
    as_owner()
    _create_embedding_models()
    apply_sql("48472038ce9b_default_model")
    _create_text_embeddings()
    apply_sql("48472038ce9b_text_embeddings_note")
    _create_chunk_embeddings()
    apply_sql("48472038ce9b_data_platform_ensure_embedding_partition")
    apply_sql("48472038ce9b_monitoring_vector_index_status")
    apply_sql("48472038ce9b_first_partition")


def downgrade() -> None:
    as_owner()
    op.execute("DROP VIEW monitoring.vector_index_status")
    op.execute(
        "DROP FUNCTION data_platform.ensure_embedding_partition(integer, text, integer)"
    )
    op.drop_table("chunk_embeddings", schema="data_platform")
    op.drop_table("text_embeddings", schema="data_platform")
    op.drop_table("embedding_models", schema="data_platform")
