"""Declare prompts, versions and the labels that point at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    FetchedValue,
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
    from models.auth import Organization

    from .services import Revision


class Prompt(Base):
    """Named prompt; the text lives in its versions."""

    __tablename__ = "prompts"

    id: Mapped[IntId]
    organization_id: Mapped[RootTenantId]
    name: Mapped[str] = mapped_column(
        String(200), comment="Name, may hold folders with /, unique among live rows"
    )
    kind: Mapped[str] = mapped_column(
        String(10), server_default="text", comment="text or chat"
    )
    description: Mapped[str | None] = mapped_column(comment="Purpose")
    tags: Mapped[list[str]] = mapped_column(
        server_default="{}", comment="Free labels for search"
    )
    latest_version: Mapped[int] = mapped_column(
        server_default=text("0"), comment="Highest version number handed out"
    )
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]
    deleted_at: Mapped[DeletedAt]

    __table_args__ = (
        UniqueConstraint("id", "organization_id"),
        one_of("kind", "text", "chat"),
        Index(
            "uq_prompts_organization_id_name",
            "organization_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("ix_prompts_organization_id", "organization_id"),
        sparse_index("ix_prompts_created_by", "created_by"),
        Index("ix_prompts_tags", "tags", postgresql_using="gin"),
        {
            "schema": "service_platform",
            "comment": "Named prompt; the text lives in its versions",
        },
    )

    organization: Mapped[Organization] = relationship(back_populates="prompts")
    versions: Mapped[list[PromptVersion]] = relationship(
        back_populates="prompt",
        order_by="PromptVersion.version",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    labels: Mapped[list[PromptLabel]] = relationship(
        back_populates="prompt",
        order_by="PromptLabel.label",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )


class PromptVersion(Base):
    """Immutable text of a prompt."""

    __tablename__ = "prompt_versions"

    id: Mapped[BigId]
    organization_id: Mapped[TenantId]
    prompt_id: Mapped[int] = mapped_column(comment="Prompt")
    version: Mapped[int] = mapped_column(
        server_default=FetchedValue(),
        comment="1, 2, 3 ... per prompt, assigned by trigger when absent",
    )
    content: Mapped[str | list[dict[str, Any]]] = mapped_column(
        JSONB(none_as_null=True),
        comment="A string (text) or an array of role and content (chat)",
    )
    variables: Mapped[list[str]] = mapped_column(
        server_default="{}", comment="Placeholders that must be filled"
    )
    model_params: Mapped[dict[str, Any]] = mapped_column(
        server_default="{}", comment="Suggested model and sampling settings"
    )
    content_sha256: Mapped[bytes | None] = mapped_column(
        comment="Digest: the same text is not stored twice by the client"
    )
    commit_message: Mapped[str | None] = mapped_column(comment="What changed and why")
    created_by: Mapped[AuthorId]
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        UniqueConstraint("prompt_id", "version"),
        UniqueConstraint("id", "prompt_id"),
        UniqueConstraint("id", "organization_id"),
        tenant_key("prompt_id", "service_platform.prompts", ondelete="CASCADE"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("jsonb_typeof(content) IN ('string','array')", name="content"),
        CheckConstraint("jsonb_typeof(model_params) = 'object'", name="model_params"),
        sparse_index("ix_prompt_versions_created_by", "created_by"),
        {"schema": "service_platform", "comment": "Immutable text of a prompt"},
    )

    prompt: Mapped[Prompt] = relationship(back_populates="versions")
    labels: Mapped[list[PromptLabel]] = relationship(
        back_populates="version",
        foreign_keys="PromptLabel.prompt_version_id",
        passive_deletes="all",
    )
    revisions: Mapped[list[Revision]] = relationship(
        back_populates="prompt_version",
        foreign_keys="Revision.prompt_version_id",
        passive_deletes="all",
    )


class PromptLabel(Base):
    """Movable label, such as production: it names one version of a prompt."""

    __tablename__ = "prompt_labels"

    prompt_id: Mapped[int] = mapped_column(primary_key=True, comment="Prompt")
    label: Mapped[str] = mapped_column(
        String(60), primary_key=True, comment='Label; "latest" is reserved'
    )
    prompt_version_id: Mapped[int] = mapped_column(
        BigInteger, comment="Version of this very prompt"
    )
    organization_id: Mapped[TenantId]
    is_protected: Mapped[bool] = mapped_column(
        server_default=text("false"),
        comment="Only holders of service_platform.prompt_labels:protect may move it",
    )
    updated_by: Mapped[PersonId] = mapped_column(comment="Who moved it")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt] = mapped_column(comment="Last move, kept by trigger")

    __table_args__ = (
        tenant_key("prompt_id", "service_platform.prompts", ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["prompt_version_id", "prompt_id"],
            [
                "service_platform.prompt_versions.id",
                "service_platform.prompt_versions.prompt_id",
            ],
            ondelete="CASCADE",
        ),
        CheckConstraint(
            "label ~ '^[a-z0-9][a-z0-9_.-]*$' AND label <> 'latest'", name="label"
        ),
        Index("ix_prompt_labels_prompt_version_id", "prompt_version_id", "prompt_id"),
        Index("ix_prompt_labels_organization_id", "organization_id"),
        sparse_index("ix_prompt_labels_updated_by", "updated_by"),
        {
            "schema": "service_platform",
            "comment": (
                "Movable label of a prompt version: production, staging; one "
                "version per label by primary key"
            ),
        },
    )

    prompt: Mapped[Prompt] = relationship(back_populates="labels")
    version: Mapped[PromptVersion] = relationship(
        back_populates="labels", foreign_keys="PromptLabel.prompt_version_id"
    )
