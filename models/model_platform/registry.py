"""Declare registered models, their versions and the aliases that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    FetchedValue,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models._base import (
    AuthorId,
    Base,
    BigId,
    CreatedAt,
    DeletedAt,
    IntId,
    PersonId,
    RootTenantId,
    TenantId,
    UpdatedAt,
    one_of,
    sparse_index,
    tenant_key,
)

if TYPE_CHECKING:
    from models.algo_platform import Algorithm, Run
    from models.auth import Group, Organization
    from models.data_platform import LineageEdge
    from models.service_platform import Revision

    from .evaluations import Evaluation


class Model(Base):
    """Registered model; what can be deployed is a version of it."""

    __tablename__ = "models"

    id: Mapped[IntId] = mapped_column(
        comment="Surrogate key; renaming a model touches one row"
    )
    organization_id: Mapped[RootTenantId]
    name: Mapped[str] = mapped_column(
        String(255), comment="Name, unique per organization among live rows"
    )
    task: Mapped[str] = mapped_column(
        String(50),
        server_default="other",
        comment="text-generation, embedding, classification, detection ...",
    )
    description: Mapped[str | None] = mapped_column(comment="Purpose and limits")
    tags: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Key-value labels"
    )
    latest_version: Mapped[int] = mapped_column(
        server_default=text("0"), comment="Highest version number handed out"
    )
    owner_group_id: Mapped[int | None] = mapped_column(
        ForeignKey("auth.groups.id", ondelete="SET NULL"), comment="Group responsible"
    )
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    deleted_at: Mapped[DeletedAt]

    __table_args__ = (
        UniqueConstraint("id", "organization_id"),
        CheckConstraint("jsonb_typeof(tags) = 'object'", name="tags"),
        Index(
            "uq_models_organization_id_name",
            "organization_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        sparse_index("ix_models_owner_group_id", "owner_group_id"),
        Index("ix_models_organization_id", "organization_id"),
        sparse_index("ix_models_created_by", "created_by"),
        {
            "schema": "model_platform",
            "comment": "Registered model; what can be deployed is a version of it",
        },
    )

    organization: Mapped[Organization] = relationship(back_populates="models")
    owner_group: Mapped[Group | None] = relationship(back_populates="models")
    versions: Mapped[list[ModelVersion]] = relationship(
        back_populates="model",
        order_by="ModelVersion.version",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    aliases: Mapped[list[ModelAlias]] = relationship(
        back_populates="model",
        order_by="ModelAlias.alias",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )


class ModelVersion(Base):
    """Immutable package of weights, signature and provenance."""

    __tablename__ = "model_versions"

    id: Mapped[BigId]
    organization_id: Mapped[TenantId]
    model_id: Mapped[int] = mapped_column(comment="Model")
    version: Mapped[int] = mapped_column(
        server_default=FetchedValue(),
        comment="1, 2, 3 ... per model, assigned by trigger when absent",
    )
    stage: Mapped[str] = mapped_column(
        String(20),
        server_default="none",
        comment=(
            "none, staging, production or archived; the history is in logs.audit_log"
        ),
    )
    status: Mapped[str] = mapped_column(
        String(20), server_default="pending", comment="pending, ready or failed"
    )
    status_message: Mapped[str | None] = mapped_column(comment="Detail of the status")
    run_id: Mapped[UUID | None] = mapped_column(comment="Run that produced it")
    algorithm_id: Mapped[int | None] = mapped_column(
        ForeignKey("algo_platform.algorithms.id", ondelete="RESTRICT"),
        comment="Algorithm version it implements",
    )
    base_version_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Version it was fine-tuned or quantized from"
    )
    framework: Mapped[str | None] = mapped_column(
        String(50), comment="pytorch, onnx, gguf, safetensors, external ..."
    )
    artifact_uri: Mapped[str | None] = mapped_column(
        comment="Root of the package; NULL for a hosted external model"
    )
    manifest: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB(none_as_null=True),
        server_default="[]",
        comment="Files of the package: path, sha256, size, media type",
    )
    artifact_sha256: Mapped[bytes | None] = mapped_column(
        comment="Digest of the manifest"
    )
    size_bytes: Mapped[int | None] = mapped_column(BigInteger, comment="Total size")
    signature: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}",
        comment="inputs, outputs and params with names, types and shapes",
    )
    hyperparameters: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Values it was trained with"
    )
    license: Mapped[str | None] = mapped_column(String(100), comment="SPDX identifier")
    model_card: Mapped[str | None] = mapped_column(
        comment="Intended use, training data, evaluation, limits"
    )
    tags: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Key-value labels"
    )
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        UniqueConstraint("model_id", "version"),
        UniqueConstraint("id", "model_id"),
        UniqueConstraint("id", "organization_id"),
        tenant_key("model_id", "model_platform.models", ondelete="CASCADE"),
        tenant_key("run_id", "algo_platform.runs", ondelete="RESTRICT"),
        tenant_key(
            "base_version_id", "model_platform.model_versions", ondelete="RESTRICT"
        ),
        CheckConstraint("version > 0", name="version"),
        one_of("stage", "none", "staging", "production", "archived"),
        one_of("status", "pending", "ready", "failed"),
        CheckConstraint(
            "jsonb_typeof(manifest) = 'array' AND jsonb_typeof(signature) = "
            "'object' AND jsonb_typeof(hyperparameters) = 'object' AND "
            "jsonb_typeof(tags) = 'object'",
            name="json",
        ),
        CheckConstraint("octet_length(artifact_sha256) = 32", name="artifact_sha256"),
        CheckConstraint(
            "stage IN ('none','archived') OR status = 'ready'", name="promoted"
        ),
        Index("ix_model_versions_organization_id", "organization_id"),
        sparse_index("ix_model_versions_run_id", "run_id", "organization_id"),
        sparse_index("ix_model_versions_algorithm_id", "algorithm_id"),
        sparse_index(
            "ix_model_versions_base_version_id", "base_version_id", "organization_id"
        ),
        sparse_index("ix_model_versions_created_by", "created_by"),
        Index(
            "ix_model_versions_stage",
            "model_id",
            "stage",
            postgresql_where=text("stage IN ('staging','production')"),
        ),
        Index(
            "ix_model_versions_manifest",
            "manifest",
            postgresql_using="gin",
            postgresql_ops={"manifest": "jsonb_path_ops"},
        ),
        {
            "schema": "model_platform",
            "comment": "Immutable package of weights, signature and provenance",
        },
    )

    outgoing_edges: Mapped[list[LineageEdge]] = relationship(
        back_populates="src_model_version",
        foreign_keys="LineageEdge.src_model_version_id",
        passive_deletes="all",
    )
    incoming_edges: Mapped[list[LineageEdge]] = relationship(
        back_populates="dst_model_version",
        foreign_keys="LineageEdge.dst_model_version_id",
        passive_deletes="all",
    )
    model: Mapped[Model] = relationship(back_populates="versions")
    run: Mapped[Run | None] = relationship(
        back_populates="model_versions", foreign_keys="ModelVersion.run_id"
    )
    algorithm: Mapped[Algorithm | None] = relationship(back_populates="model_versions")
    base_version: Mapped[ModelVersion | None] = relationship(
        back_populates="derived_versions",
        foreign_keys="ModelVersion.base_version_id",
        remote_side="ModelVersion.id",
    )
    derived_versions: Mapped[list[ModelVersion]] = relationship(
        back_populates="base_version",
        foreign_keys="ModelVersion.base_version_id",
        passive_deletes="all",
    )
    aliases: Mapped[list[ModelAlias]] = relationship(
        back_populates="version",
        foreign_keys="ModelAlias.model_version_id",
        passive_deletes="all",
    )
    evaluations: Mapped[list[Evaluation]] = relationship(
        back_populates="model_version",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    revisions: Mapped[list[Revision]] = relationship(
        back_populates="model_version",
        foreign_keys="Revision.model_version_id",
        passive_deletes="all",
    )


class ModelAlias(Base):
    """Movable name for a version: champion, candidate, eu-prod."""

    __tablename__ = "model_aliases"

    model_id: Mapped[int] = mapped_column(primary_key=True, comment="Model")
    alias: Mapped[str] = mapped_column(
        String(100),
        primary_key=True,
        comment='Name; "latest" and v<number> are reserved',
    )
    model_version_id: Mapped[int] = mapped_column(
        BigInteger,
        comment="Version of this very model; the alias goes when the version goes",
    )
    organization_id: Mapped[TenantId]
    updated_by: Mapped[PersonId] = mapped_column(comment="Who moved it")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt] = mapped_column(comment="Last move, kept by trigger")

    __table_args__ = (
        tenant_key("model_id", "model_platform.models", ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["model_version_id", "model_id"],
            [
                "model_platform.model_versions.id",
                "model_platform.model_versions.model_id",
            ],
            ondelete="CASCADE",
        ),
        CheckConstraint(
            "alias ~ '^[a-z0-9][a-z0-9_.-]*$' AND alias !~ '^v?[0-9]+$' AND alias "
            "<> 'latest'",
            name="alias",
        ),
        Index("ix_model_aliases_model_version_id", "model_version_id", "model_id"),
        Index("ix_model_aliases_organization_id", "organization_id"),
        sparse_index("ix_model_aliases_updated_by", "updated_by"),
        {
            "schema": "model_platform",
            "comment": "Movable name for a version: champion, candidate, eu-prod",
        },
    )

    model: Mapped[Model] = relationship(back_populates="aliases")
    version: Mapped[ModelVersion] = relationship(
        back_populates="aliases", foreign_keys="ModelAlias.model_version_id"
    )
