"""Demo organizations, and users whom no password lets in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sqlalchemy import Table, select

from models import (
    ApiKey,
    Group,
    GroupMember,
    Membership,
    Organization,
    Role,
    User,
)

if TYPE_CHECKING:
    from uuid import UUID

    from ._world import World

__all__ = ["PLANS", "Plan", "Tenant", "add_people"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What makes one demo organization different from the other."""

    slug: str
    name: str
    source: dict[str, Any]
    library: str
    table: str
    columns: tuple[str, ...]
    model: str
    task: str
    loss: float
    service: str
    kind: str
    requests: int
    """Requests to the service in the week."""


class Tenant(NamedTuple):
    """A demo organization with the ids that other rows refer to."""

    plan: Plan
    id: int
    lead: int
    engineer: int
    analyst: int
    team: int
    key: UUID


PLANS = (
    Plan(
        slug="demo-harbor",
        name="Harbor Support (demo)",
        source={
            "source_type": "s3",
            "connection_info": {"bucket": "help-center", "region": "eu-example-1"},
            "secret_ref": "vault:demo/harbor/help-center",
        },
        library="help-center",
        table="conversations",
        columns=("opened_at", "channel", "intent", "turns", "resolved"),
        model="intent-classifier",
        task="text-classification",
        loss=2.1,
        service="assistant",
        kind="rag",
        requests=1400,
    ),
    Plan(
        slug="demo-orchard",
        name="Orchard Research (demo)",
        source={
            "source_type": "postgresql",
            "connection_info": {"host": "fields.db.example.com", "dbname": "fields"},
            "secret_ref": "env:DEMO_ORCHARD_FIELDS_PASSWORD",
        },
        library="field-notes",
        table="yield-samples",
        columns=("taken_at", "plot", "temperature", "rainfall", "kilograms"),
        model="yield-forecaster",
        task="regression",
        loss=3.4,
        service="forecast",
        kind="model",
        requests=900,
    ),
)

_SEATS = (
    ("lead", "admin", "active"),
    ("engineer", "developer", "active"),
    ("analyst", "viewer", "active"),
    ("former", "viewer", "suspended"),
    ("guest", "viewer", "invited"),
)


def add_people(world: World, plan: Plan) -> Tenant:
    """Add the organization of *plan* with its people, group, role and key."""
    org = world.put(
        Organization,
        slug=plan.slug,
        name=plan.name,
        settings={"demo": True, "language": "en"},
        created_at=world.ago(days=90),
    )
    users = _add_users(world, plan, org)
    team = _add_team(world, plan, org, users)
    key = _add_key(world, org, users["engineer"])
    return Tenant(
        plan, org, users["lead"], users["engineer"], users["analyst"], team, key
    )


def _add_users(world: World, plan: Plan, org: int) -> dict[str, int]:
    users: dict[str, int] = {}
    for name, role, status in _SEATS:
        login = f"{plan.slug}-{name}"
        users[name] = world.put(
            User,
            username=login,
            email=f"{login}@example.com",
            password_hash="!",  # noqa: S106 - means: no password fits
            is_active=status == "active",
            date_joined=world.ago(days=80),
            organization_id=org,
        )
        world.put(
            Membership,
            organization_id=org,
            user_id=users[name],
            role_id=_built_in(world, role),
            status=status,
            invited_by=None if name == "lead" else users["lead"],
        )
    return users


def _built_in(world: World, name: str) -> int:
    roles = cast("Table", Role.__table__)
    found = select(roles.c.id).where(
        roles.c.organization_id.is_(None), roles.c.name == name
    )
    return int(world.connection.execute(found).scalar_one())


def _add_team(world: World, plan: Plan, org: int, users: dict[str, int]) -> int:
    role = world.put(
        Role,
        organization_id=org,
        name="annotator",
        description="Reads datasets and reports quality",
        permissions=["data_platform.*:read", "data_platform.quality_results:write"],
    )
    team = world.put(
        Group,
        name=f"{plan.slug}-builders",
        description=f"People who build and run {plan.service}",
        organization_id=org,
        role_id=role,
    )
    for name in ("lead", "engineer"):
        world.put(
            GroupMember, group_id=team, user_id=users[name], added_by=users["lead"]
        )
    return int(team)


def _add_key(world: World, org: int, user: int) -> UUID:
    key: UUID = world.put(
        ApiKey,
        organization_id=org,
        user_id=user,
        name="demo gateway",
        key_prefix="demo" + secrets.token_hex(6),
        # the digest of nothing: whatever somebody sends, it is not this key
        key_hash=secrets.token_bytes(32),
        scopes=["service_platform.*:read"],
        expires_at=world.ago(days=-365),
        created_by=user,
    )
    return key
