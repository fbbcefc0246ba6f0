"""Rows that DDL and policies rely on; the revisions insert the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sqlalchemy import Connection, Table, text

from models import EmbeddingModel, PartitionPolicy, Role

from ._upsert import Outcome, upsert

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["REFERENCES", "Reference", "seed_reference"]


class Reference(NamedTuple):
    """Rows of one table; columns *ours* follow the code, the rest the operator."""

    label: str
    table: Table
    key: tuple[str, ...]
    ours: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]


def _role(name: str, description: str, *permissions: str) -> dict[str, Any]:
    return {
        "organization_id": None,
        "name": name,
        "description": description,
        "permissions": list(permissions),
    }


def _policy(
    parent: str, schema: str, granularity: str, precreate: int, retention: str
) -> dict[str, Any]:
    return {
        "parent_table": parent,
        "partition_schema": schema,
        "granularity": granularity,
        "precreate": precreate,
        # as text: Python would turn years into days
        "retention": text(f"interval '{retention}'"),
        "is_unlogged": granularity == "day",
    }


_BUILDING = ("data_platform.*:*", "algo_platform.*:*", "model_platform.*:*")

REFERENCES = (
    Reference(
        "role",
        cast("Table", Role.__table__),
        ("organization_id", "name"),
        ("description", "permissions"),
        (
            _role("owner", "Everything in the organization", "*:*"),
            _role(
                "admin",
                "Everything except billing and deletion",
                "auth.*:*",
                *_BUILDING,
                "service_platform.*:*",
                "monitoring.*:read",
            ),
            _role(
                "developer",
                "Builds datasets, runs, models, services",
                *_BUILDING,
                "service_platform.*:read",
                "service_platform.deployments:write",
            ),
            _role("viewer", "Reads", "*:read"),
        ),
    ),
    Reference(
        "embedding model",
        cast("Table", EmbeddingModel.__table__),
        ("id",),
        (),
        (
            {
                "id": 1,
                "organization_id": None,
                "provider": "openai",
                "name": "text-embedding-ada-002",
                "dimensions": 1536,
                "max_input_tokens": 8191,
                "is_default": True,
            },
        ),
    ),
    Reference(
        "partition policy",
        cast("Table", PartitionPolicy.__table__),
        ("parent_table",),
        (),
        (
            _policy("public.request_logs", "logs", "day", 7, "7 days"),
            _policy("logs.audit_log", "logs", "month", 8, "7 years"),
            _policy("monitoring.metrics", "monitoring", "day", 7, "30 days"),
            _policy(
                "service_platform.invocations",
                "service_platform",
                "week",
                8,
                "400 days",
            ),
        ),
    ),
)


def seed_reference(connection: Connection) -> Iterator[Outcome]:
    """Upsert every reference row and yield what happened to each."""
    for reference in REFERENCES:
        for row in reference.rows:
            name = row.get("name", row.get("parent_table"))
            change = upsert(
                connection,
                reference.table,
                row,
                key=reference.key,
                ours=reference.ours,
            )
            yield Outcome(f"{reference.label} {name}", change)
