"""Demo services: prompts, revisions, endpoints, a canary, objectives and alerts."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from models import (
    Alert,
    AlertRule,
    Deployment,
    Endpoint,
    Prompt,
    PromptLabel,
    PromptVersion,
    Revision,
    Service,
    Slo,
)

if TYPE_CHECKING:
    from ._people import Tenant
    from ._registry import Registry
    from ._world import World

__all__ = ["Front", "Live", "add_service", "add_watch"]

_WEIGHTS = (90, 10)
_PROMPTS = (
    "Answer from the passages below. Say so when they do not hold the answer.",
    (
        "Answer from the passages below and name them. Say so when they do not hold "
        "the answer, and ask one question back."
    ),
)


class Live(NamedTuple):
    """A deployment with what answers in it and its share of traffic in percent."""

    deployment: int
    model_version: int
    prompt_version: int
    weight: int


class Front(NamedTuple):
    """What callers of a tenant reach."""

    service: int
    endpoint: int
    live: list[Live]


def add_service(world: World, tenant: Tenant, registry: Registry) -> Front:
    """Add the tenant's service; its newest revision gets a tenth of the traffic."""
    service = world.put(
        Service,
        organization_id=tenant.id,
        name=tenant.plan.service,
        kind=tenant.plan.kind,
        description=f"Demo service on {tenant.plan.model}",
        owner_group_id=tenant.team,
        tags={"demo": "true"},
        created_by=tenant.lead,
        created_at=world.ago(days=25),
    )
    endpoint = _add_endpoints(world, tenant, service)
    live = []
    for number, (model, prompt) in enumerate(
        zip(registry, _add_prompts(world, tenant), strict=True), 1
    ):
        revision = world.put(
            Revision,
            organization_id=tenant.id,
            service_id=service,
            revision=number,
            model_version_id=model,
            prompt_version_id=prompt,
            image_uri=f"registry.example.com/{tenant.plan.service}:{number}",
            spec={"cpu": 2, "memory_mb": 4096, "replicas": 3},
            note="first" if number == 1 else "challenger with the stricter prompt",
            created_by=tenant.engineer,
        )
        weight = _WEIGHTS[number - 1]
        deployment = _add_deployment(
            world, tenant, (service, endpoint, revision), weight
        )
        live.append(Live(deployment, model, prompt, weight))
    return Front(service, endpoint, live)


def _add_endpoints(world: World, tenant: Tenant, service: int) -> int:
    for environment in ("staging", "production"):
        endpoint = world.put(
            Endpoint,
            organization_id=tenant.id,
            service_id=service,
            environment=environment,
            host=f"{environment}.{tenant.plan.slug}.example.com",
            path=f"/v1/{tenant.plan.service}",
            created_by=tenant.engineer,
        )
    return int(endpoint)


def _add_prompts(world: World, tenant: Tenant) -> list[int]:
    prompt = world.put(
        Prompt,
        organization_id=tenant.id,
        name=f"{tenant.plan.service} answer",
        kind="text",
        description="How an answer is asked for",
        tags=["demo"],
        created_by=tenant.lead,
    )
    versions = [
        world.put(
            PromptVersion,
            organization_id=tenant.id,
            prompt_id=prompt,
            version=number,
            content=f"{text}\n\n{{passages}}\n\n{{question}}",
            variables=["passages", "question"],
            model_params={"temperature": 0.2},
            content_sha256=sha256(text.encode()).digest(),
            commit_message="begin" if number == 1 else "name the passages",
            created_by=tenant.lead,
        )
        for number, text in enumerate(_PROMPTS, 1)
    ]
    for label, version in zip(("production", "canary"), versions, strict=True):
        world.put(
            PromptLabel,
            prompt_id=prompt,
            label=label,
            prompt_version_id=version,
            organization_id=tenant.id,
            is_protected=label == "production",
            updated_by=tenant.lead,
        )
    return versions


def _add_deployment(
    world: World, tenant: Tenant, place: tuple[int, int, int], weight: int
) -> int:
    service, endpoint, revision = place
    deployment: int = world.put(
        Deployment,
        organization_id=tenant.id,
        service_id=service,
        endpoint_id=endpoint,
        revision_id=revision,
        traffic_weight=weight,
        status="running",
        cluster="demo-cluster",
        desired_replicas=max(1, weight // 30),
        ready_replicas=max(1, weight // 30),
        observed_at=world.now,
        created_by=tenant.engineer,
        created_at=world.ago(days=8),
    )
    return deployment


def add_watch(world: World, tenant: Tenant, front: Front) -> None:
    """Add an objective, two rules and their alerts: one over, one still open."""
    slo = world.put(
        Slo,
        organization_id=tenant.id,
        service_id=front.service,
        name="answers in time",
        indicator="latency",
        threshold=2000,
        objective=0.99,
        window_days=28,
        created_by=tenant.lead,
    )
    burn = _add_rule(world, tenant, "error budget burns", "slo", slo)
    idle = _add_rule(world, tenant, "jobs that nobody takes", "job", None)
    started = world.ago(days=3, hours=2)
    ended = started + timedelta(minutes=35)
    common = {"organization_id": tenant.id, "labels": {"service": tenant.plan.service}}
    world.put(
        Alert,
        rule_id=burn,
        fingerprint="latency",
        status="resolved",
        severity="critical",
        summary="2.3 % of the answers of the last hour were late",
        value=0.023,
        started_at=started,
        last_seen_at=ended,
        acknowledged_by=tenant.engineer,
        acknowledged_at=started + timedelta(minutes=4),
        resolved_at=ended,
        **common,
    )
    world.put(
        Alert,
        rule_id=idle,
        fingerprint="demo",
        status="firing",
        severity="warning",
        summary="2 jobs have waited in queue demo for an hour",
        value=2,
        started_at=world.ago(hours=5),
        last_seen_at=world.now,
        **common,
    )


def _add_rule(
    world: World, tenant: Tenant, name: str, source: str, slo: int | None
) -> int:
    rule: int = world.put(
        AlertRule,
        organization_id=tenant.id,
        slo_id=slo,
        name=name,
        source=source,
        expression={"metric": source, "window": "1h", "operator": ">", "threshold": 1},
        severity="critical" if slo else "warning",
        notify=[{"channel_ref": f"env:DEMO_{source.upper()}_CHANNEL"}],
        created_by=tenant.lead,
    )
    return rule
