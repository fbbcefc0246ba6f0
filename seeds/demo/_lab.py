"""Demo algorithms, experiments, jobs and runs with the curves they recorded."""

from __future__ import annotations

import math
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from models import Algorithm, Experiment, Job, Run, RunArtifact, RunMetric

from ._world import World

if TYPE_CHECKING:
    from uuid import UUID

    from ._people import Tenant

__all__ = ["Lab", "add_lab"]

_STEPS = 60
_QUEUE = "demo"
"""No worker of yours listens to it: what waits there waits for ever."""
_RUNS = (
    # learning rate, seed, how it ended, days ago
    (3e-4, 1, "finished", 20),
    (3e-4, 2, "finished", 19),
    (1e-3, 1, "finished", 18),
    (1e-2, 1, "failed", 17),
    (1e-3, 2, "finished", 6),
    (5e-4, 3, "running", 0),
)
_BEST, _LATEST = 2, 4


class Lab(NamedTuple):
    """What models are made from."""

    algorithm: int
    best: UUID
    latest: UUID


def add_lab(world: World, tenant: Tenant) -> Lab:
    """Add the experiment of *tenant* with a handful of runs and its jobs."""
    algorithm = _add_algorithm(world, tenant)
    experiment = world.put(
        Experiment,
        organization_id=tenant.id,
        name=f"{tenant.plan.model} baseline",
        description="Which learning rate is good enough, and how much is the seed",
        artifact_root=f"s3://demo-artifacts/{tenant.plan.slug}",
        tags={"demo": "true"},
        created_by=tenant.engineer,
        created_at=world.ago(days=21),
    )
    runs = [
        _add_run(world, tenant, (experiment, algorithm), number)
        for number in range(len(_RUNS))
    ]
    _add_waiting_jobs(world, tenant)
    return Lab(algorithm, runs[_BEST], runs[_LATEST])


def _add_algorithm(world: World, tenant: Tenant) -> int:
    name = f"{tenant.plan.slug}-{tenant.plan.model}"
    for version, status in (("1.0", "deprecated"), ("1.1", "active")):
        algorithm = world.put(
            Algorithm,
            organization_id=tenant.id,
            name=name,
            version=version,
            description=f"Trains {tenant.plan.model}",
            source_code_url=f"https://git.example.com/{tenant.plan.slug}/{name}",
            source_revision=sha256(f"{name} {version}".encode()).hexdigest()[:40],
            framework="pytorch",
            entrypoint="train:main",
            hyperparameter_schema={
                "type": "object",
                "required": ["learning_rate"],
                "properties": {"learning_rate": {"type": "number"}},
            },
            default_hyperparameters={"learning_rate": 1e-3, "batch_size": 64},
            status=status,
            is_default=status == "active",
            created_by=tenant.engineer,
            created_at=world.ago(days=40),
        )
    return int(algorithm)


def _add_run(world: World, tenant: Tenant, place: tuple[int, int], number: int) -> UUID:
    experiment, algorithm = place
    rate, seed, status, days = _RUNS[number]
    started = world.ago(days=days, minutes=50)
    is_over = status != "running"
    ended = started + timedelta(minutes=40) if is_over else None
    curve = _curve(tenant.plan.loss, rate, seed, status)
    job = _add_job(world, tenant, number, {"started_at": started, "finished_at": ended})
    run: UUID = world.put(
        Run,
        organization_id=tenant.id,
        experiment_id=experiment,
        algorithm_id=algorithm,
        job_id=job,
        name=f"rate {rate:g}, seed {seed}",
        status=status,
        source_revision=sha256(tenant.plan.model.encode()).hexdigest()[:40],
        params={"learning_rate": rate, "seed": seed, "batch_size": 64},
        summary={"loss": curve[-1]} if status == "finished" else {},
        environment={"python": "3.12", "accelerator": "1 x 24 GB"},
        error="loss is not a number" if status == "failed" else None,
        started_at=started,
        ended_at=ended,
        heartbeat_at=ended or world.now,
        created_by=tenant.engineer,
        created_at=started - timedelta(minutes=3),
    )
    _add_curve(world, tenant, run, curve)
    if status == "finished":
        _add_artifacts(world, tenant, run)
    return run


def _curve(first: float, rate: float, seed: int, status: str) -> list[float]:
    """Return the loss of each step: it falls to a floor, or climbs and breaks off."""
    dice = World.dice(f"{first} {rate} {seed}")
    floor = 0.25 + 0.05 * abs(math.log10(rate / 1e-3)) + 0.01 * dice.random()
    steps = _STEPS // 4 if status == "failed" else _STEPS
    speed = -0.05 if status == "failed" else 0.08
    return [
        floor + (first - floor) * math.exp(-speed * step) + dice.uniform(-0.03, 0.03)
        for step in range(steps)
    ]


def _add_curve(world: World, tenant: Tenant, run: UUID, curve: list[float]) -> None:
    values = {
        "loss": curve,
        "quality": [1 / (1 + value / 4) for value in curve],
    }
    world.put_all(
        RunMetric,
        [
            {
                "organization_id": tenant.id,
                "run_id": run,
                "metric": metric,
                "step": step * 100,
                "value": value,
            }
            for metric, points in values.items()
            for step, value in enumerate(points)
        ],
    )


def _add_artifacts(world: World, tenant: Tenant, run: UUID) -> None:
    root = f"s3://demo-artifacts/{tenant.plan.slug}/{run}"
    files = (
        ("model/weights.safetensors", "model", 48_000_000, "application/octet-stream"),
        ("plots/loss.png", "plot", 61_000, "image/png"),
    )
    for path, kind, size, media_type in files:
        world.put(
            RunArtifact,
            organization_id=tenant.id,
            run_id=run,
            path=path,
            kind=kind,
            uri=f"{root}/{path}",
            sha256=sha256(f"{run}/{path}".encode()).digest(),
            size_bytes=size,
            media_type=media_type,
        )


def _add_job(world: World, tenant: Tenant, number: int, times: dict[str, Any]) -> int:
    state = _RUNS[number][2]
    status = {"finished": "succeeded"}.get(state, state)
    is_running = status == "running"
    job: int = world.put(
        Job,
        organization_id=tenant.id,
        queue=_QUEUE,
        kind="train",
        payload={"experiment": f"{tenant.plan.model} baseline", "run": number},
        status=status,
        attempts=3 if status == "failed" else 1,
        leased_by="demo-gpu-1" if is_running else None,
        lease_expires_at=world.ago(minutes=-5) if is_running else None,
        last_error="loss is not a number" if status == "failed" else None,
        created_by=tenant.engineer,
        created_at=times["started_at"] - timedelta(minutes=4),
        **times,
    )
    return job


def _add_waiting_jobs(world: World, tenant: Tenant) -> None:
    for place, kind in enumerate(("evaluate", "export")):
        world.put(
            Job,
            organization_id=tenant.id,
            queue=_QUEUE,
            kind=kind,
            payload={"model": tenant.plan.model},
            priority=place,
            dedupe_key=f"{kind} {tenant.plan.model}",
            created_by=tenant.engineer,
        )
