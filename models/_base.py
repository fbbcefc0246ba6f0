"""Hold what every declaration shares: the base class, names and repeated columns."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    FetchedValue,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Text,
    Uuid,
    func,
    inspect,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}

metadata = MetaData(naming_convention=NAMING)


class Base(DeclarativeBase):
    """Parent of every mapped table.

    Relationships load when touched, which is plain and right for synchronous code;
    asynchronous code names what it needs (``selectinload``) or meets an error, and
    long collections are better read in pages with a SELECT of their own.

    The relationship to the owner (``version.dataset``) fills the tenant with the key;
    every other one writes its id alone, so that clearing it leaves the tenant be.
    What the database cascades or refuses on delete is left to the database.
    """

    metadata = metadata
    type_annotation_map = {
        str: Text(),
        bytes: LargeBinary(),
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        list[str]: ARRAY(Text()),
        # without none_as_null, None would be stored as the JSON word null
        dict[str, Any]: JSONB(none_as_null=True),
    }
    # triggers write updated_at and version numbers: RETURNING brings them back in
    # the same statement, so that no attribute is left to load later
    __mapper_args__ = {"eager_defaults": True}

    def __repr__(self) -> str:
        """Name the row by its key: what a log or a failed assertion needs."""
        key = inspect(self).identity or ("new",)
        return f"<{type(self).__name__} {', '.join(map(str, key))}>"


# -- keys ---------------------------------------------------------------------------

# SERIAL, as the founding tables have it
SerialId = Annotated[
    int, mapped_column(primary_key=True, comment="Surrogate key (seed)")
]
IntId = Annotated[
    int,
    mapped_column(Identity(always=False), primary_key=True, comment="Surrogate key"),
]
BigId = Annotated[
    int,
    mapped_column(
        BigInteger, Identity(always=False), primary_key=True, comment="Surrogate key"
    ),
]
TimeOrderedId = Annotated[
    UUID,
    mapped_column(primary_key=True, server_default=text("uuid_generate_v7()")),
]

# -- tenant -------------------------------------------------------------------------

# checked by the composite key to its parent: no foreign key of its own
TenantId = Annotated[
    int, mapped_column(server_default=text("auth.org_id()"), comment="Tenant")
]
RootTenantId = Annotated[
    int,
    mapped_column(
        ForeignKey("auth.organizations.id", ondelete="RESTRICT"),
        server_default=text("auth.org_id()"),
        comment="Tenant",
    ),
]
# a row without owner is shared by all or belongs to the platform
SharedTenantId = Annotated[
    int | None,
    mapped_column(
        ForeignKey("auth.organizations.id", ondelete="RESTRICT"),
        server_default=text("auth.org_id()"),
    ),
]

# -- people and time ----------------------------------------------------------------

# SET NULL: a row outlives the person who made it
PersonId = Annotated[
    int | None, mapped_column(ForeignKey("auth.users.id", ondelete="SET NULL"))
]
AuthorId = Annotated[
    int | None,
    mapped_column(ForeignKey("auth.users.id", ondelete="SET NULL"), comment="Author"),
]
CreatedAt = Annotated[
    datetime, mapped_column(server_default=func.now(), comment="Creation time")
]
UpdatedAt = Annotated[
    datetime,
    mapped_column(
        server_default=func.now(),
        server_onupdate=FetchedValue(),
        comment="Last change, kept by trigger",
    ),
]
DeletedAt = Annotated[datetime | None, mapped_column(comment="Soft-delete mark")]

# -- constraints and indexes --------------------------------------------------------


def tenant_key(column: str, target: str, *, ondelete: str) -> ForeignKeyConstraint:
    """Refer to ``target`` by id and tenant, so that no row points into another one.

    ``SET NULL`` clears the id alone: the tenant of a row never changes.
    """
    action = f"SET NULL ({column})" if ondelete == "SET NULL" else ondelete
    return ForeignKeyConstraint(
        [column, "organization_id"],
        [f"{target}.id", f"{target}.organization_id"],
        ondelete=action,
    )


def one_of(column: str, *words: str) -> CheckConstraint:
    """Admit only these words; a CHECK, because an ENUM type cannot lose a value."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def sparse_index(name: str, *columns: str) -> Index:
    """Index the rows whose first column is set: the only ones a lookup asks for."""
    return Index(name, *columns, postgresql_where=text(f"{columns[0]} IS NOT NULL"))
