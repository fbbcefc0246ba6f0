"""Bring the demo data in: whole, once, and not among strangers."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import cast

from sqlalchemy import Connection, Engine, Table, func, select, text
from sqlalchemy.exc import IntegrityError

from ai_platform.errors import Refused
from models import Organization, User
from seeds._upsert import Outcome
from seeds.first_day import LOCK, FirstDay, administrator

from ._lab import add_lab
from ._library import add_library
from ._people import PLANS, Tenant, add_people
from ._quality import add_lineage, add_quality
from ._registry import add_registry
from ._service import add_service, add_watch
from ._traffic import add_nodes, add_requests, ensure_week, refresh_stats
from ._usage import Ledger, add_quotas, add_usage, roll_up
from ._world import World

__all__ = ["LEFT_EMPTY", "add_demo", "refuse_crowd"]

LEFT_EMPTY = {
    "auth.sessions": "a session is a login, and nobody of the demo can log in",
}
"""Tables without a row of the demo organizations, each with its reason."""

_WEEK = timedelta(days=6)
# rows older than the retention would make partitions that expire at once
_SINCE = text("""
    SELECT now(),
           greatest(date_trunc('day', now(), 'UTC') - CAST(:week AS interval),
                    date_trunc('day', now() - min(retention), 'UTC'))
      FROM monitoring.partition_policies
     WHERE parent_table IN ('public.request_logs', 'monitoring.metrics',
                            'service_platform.invocations')
""")


def refuse_crowd(engine: Engine, wanted: FirstDay, *, beside_others: bool) -> None:
    """Raise Refused where there are users beside the administrator of the first day.

    Not with *beside_others*, and not where the demo data is there already: then
    nothing will be changed.
    """
    with engine.connect() as connection:
        if not _present(connection):
            _refuse_crowd(connection, wanted, beside_others)


def add_demo(
    engine: Engine, wanted: FirstDay, *, beside_others: bool = False
) -> list[Outcome]:
    """Add the demo data in one transaction; return what was done.

    *engine* acts as platform_owner. Where one of the demo organizations exists,
    nothing is changed. Raises Refused as `refuse_crowd` does, and where a row of
    yours has a name that the demo data needs.
    """
    try:
        with engine.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
            present = _present(connection)
            if present:
                return [
                    Outcome(f"organization {slug}", "unchanged") for slug in present
                ]
            _refuse_crowd(connection, wanted, beside_others)
            return _add(connection)
    except IntegrityError as error:
        detail = getattr(getattr(error.orig, "diag", None), "message_detail", None)
        raise Refused(
            f"the demo data meets a row of yours: {detail or error.orig}",
            hint="rename that row, or use an empty database",
        ) from error


def _add(connection: Connection) -> list[Outcome]:
    now, since = connection.execute(_SINCE, {"week": _WEEK}).one()
    world = World(connection, _utc(now), _utc(since))
    ensure_week(world)
    ledgers = [_add_organization(world, add_people(world, plan)) for plan in PLANS]
    roll_up(world)
    add_nodes(world)
    add_requests(world, ledgers)
    refresh_stats(world)
    return [Outcome(f"organization {plan.slug}", "created") for plan in PLANS] + [
        Outcome(f"{count} demo rows in {schema}", "created")
        for schema, count in sorted(_by_schema(world).items())
    ]


def _add_organization(world: World, tenant: Tenant) -> tuple[Tenant, Ledger]:
    library = add_library(world, tenant)
    add_quality(world, tenant, library)
    lab = add_lab(world, tenant)
    registry = add_registry(world, tenant, library, lab)
    add_lineage(world, tenant, library, lab, registry)
    front = add_service(world, tenant, registry)
    add_watch(world, tenant, front)
    ledger = add_usage(world, tenant, front)
    add_quotas(world, tenant, front, ledger)
    return tenant, ledger


def _present(connection: Connection) -> list[str]:
    table = cast("Table", Organization.__table__)
    demo = table.c.slug.in_([plan.slug for plan in PLANS])
    found = select(table.c.slug).where(demo).order_by(table.c.slug)
    return list(connection.execute(found).scalars())


def _refuse_crowd(
    connection: Connection,
    wanted: FirstDay,
    beside_others: bool,  # noqa: FBT001 - private
) -> None:
    if beside_others:
        return
    users = cast("Table", User.__table__)
    others = select(func.count()).select_from(users)
    first = administrator(connection, wanted)
    if first is not None:
        others = others.where(users.c.username != first)
    count = connection.execute(others).scalar_one()
    if count:
        raise Refused(
            f"{count} {'user is' if count == 1 else 'users are'} here beside the "
            "administrator: this is no empty house",
            hint="platform seed --demo --yes adds the demo data all the same",
        )


def _by_schema(world: World) -> Counter[str]:
    schemas: Counter[str] = Counter()
    for table, count in world.rows.items():
        schemas[table.rpartition(".")[0] or "public"] += count
    return schemas


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
