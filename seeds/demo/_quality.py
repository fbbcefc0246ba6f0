"""Demo quality checks with the results of each version, and lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models import LineageEdge, QualityCheck, QualityResult

if TYPE_CHECKING:
    from ._lab import Lab
    from ._library import Library
    from ._people import Tenant
    from ._registry import Registry
    from ._world import World

__all__ = ["add_lineage", "add_quality"]

_CHECKS: tuple[tuple[str, str, int | None, dict[str, Any], str], ...] = (
    ("rows arrived", "row_count", None, {"at_least": 5000}, "error"),
    ("time is set", "not_null", 0, {}, "error"),
    ("last column is set", "not_null", -1, {"tolerated": 0.01}, "warning"),
)


def add_quality(world: World, tenant: Tenant, library: Library) -> None:
    """Check every version of the tenant's table; the first one had a gap."""
    for name, kind, column, params, severity in _CHECKS:
        check = world.put(
            QualityCheck,
            organization_id=tenant.id,
            dataset_id=library.table,
            name=name,
            check_type=kind,
            target=None if column is None else tenant.plan.columns[column],
            params=params,
            severity=severity,
            created_by=tenant.analyst,
        )
        for number, version in enumerate(library.table_versions, 1):
            failed = 214 if (number, column) == (1, -1) else 0
            world.put(
                QualityResult,
                organization_id=tenant.id,
                check_id=check,
                dataset_version_id=version,
                status="fail" if failed else "pass",
                checked_rows=4000 * (2 + number),
                failed_rows=failed,
                observed={"failed_share": failed / (4000 * (2 + number))},
                duration_ms=180 + 40 * number,
                executed_at=world.ago(days=50 - 12 * number),
            )


def add_lineage(
    world: World, tenant: Tenant, library: Library, lab: Lab, registry: Registry
) -> None:
    """Connect source, versions, the best run and the models that came out of it."""
    first, *later = library.table_versions
    used = library.table_versions[-1]
    edges = [
        ("ingested", "data_source", library.source, "dataset_version", first),
        *(
            ("derived", "dataset_version", first, "dataset_version", version)
            for version in later
        ),
        ("input", "dataset_version", used, "run", lab.best),
        ("output", "run", lab.best, "model_version", registry.stable),
        ("output", "run", lab.latest, "model_version", registry.candidate),
        ("input", "dataset_version", used, "run", lab.latest),
    ]
    for relation, source_kind, source, target_kind, target in edges:
        world.put(
            LineageEdge,
            organization_id=tenant.id,
            relation=relation,
            created_by=tenant.engineer,
            **{f"src_{source_kind}_id": source, f"dst_{target_kind}_id": target},
        )
