"""Demo models: versions, the aliases that point to them, evaluations."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from models import Evaluation, Model, ModelAlias, ModelVersion

if TYPE_CHECKING:
    from uuid import UUID

    from ._lab import Lab
    from ._library import Library
    from ._people import Tenant
    from ._world import World

__all__ = ["Registry", "add_registry"]


class Registry(NamedTuple):
    """The model version that answers, and the one that would like to."""

    stable: int
    candidate: int


def add_registry(world: World, tenant: Tenant, library: Library, lab: Lab) -> Registry:
    """Add the tenant's model with three versions, two of them evaluated."""
    model = world.put(
        Model,
        organization_id=tenant.id,
        name=tenant.plan.model,
        task=tenant.plan.task,
        description=f"Answers for {tenant.plan.service}",
        tags={"demo": "true"},
        owner_group_id=tenant.team,
        created_by=tenant.lead,
        created_at=world.ago(days=30),
    )
    versions = [
        _add_version(world, tenant, (model, lab.algorithm, run), place)
        for place, run in enumerate((None, lab.best, lab.latest), 1)
    ]
    registry = Registry(versions[1], versions[2])
    for alias, version in (
        ("champion", registry.stable),
        ("challenger", registry.candidate),
    ):
        world.put(
            ModelAlias,
            model_id=model,
            alias=alias,
            model_version_id=version,
            organization_id=tenant.id,
            updated_by=tenant.lead,
        )
    _add_evaluations(world, tenant, library.table_versions[-1], registry)
    return registry


def _add_version(
    world: World, tenant: Tenant, made_of: tuple[int, int, UUID | None], number: int
) -> int:
    model, algorithm, run = made_of
    stage = {1: "archived", 2: "production", 3: "staging"}[number]
    uri = f"s3://demo-models/{tenant.plan.slug}/{tenant.plan.model}/{number}"
    digest = sha256(uri.encode())
    version: int = world.put(
        ModelVersion,
        organization_id=tenant.id,
        model_id=model,
        version=number,
        stage=stage,
        status="ready",
        run_id=run,
        algorithm_id=algorithm,
        framework="pytorch",
        artifact_uri=uri,
        manifest=[{"path": "weights.safetensors", "sha256": digest.hexdigest()}],
        artifact_sha256=digest.digest(),
        size_bytes=48_000_000,
        signature={"inputs": ["text"], "outputs": ["label"]},
        hyperparameters={"learning_rate": 1e-3},
        license="Apache-2.0",
        model_card="Demo data: no weights stand behind this version.",
        created_by=tenant.engineer,
        created_at=world.ago(days=30 - 8 * number),
    )
    return version


def _add_evaluations(
    world: World, tenant: Tenant, dataset_version: int, registry: Registry
) -> None:
    baseline = None
    for version, quality, verdict in (
        (registry.stable, 0.912, None),
        (registry.candidate, 0.927, "better"),
    ):
        baseline = world.put(
            Evaluation,
            organization_id=tenant.id,
            model_version_id=version,
            dataset_version_id=dataset_version,
            baseline_id=baseline,
            evaluator="holdout",
            config={"share": 0.2},
            status="succeeded",
            metrics={"quality": quality},
            slices=[{"name": "last week", "quality": quality - 0.02}],
            verdict=verdict,
            created_by=tenant.analyst,
            finished_at=world.ago(days=5),
        )
