"""A week of demo requests: the ledger, the daily sums, quotas, the request log."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from sqlalchemy import Table, func, select

from models import DailyUsage, Invocation, Quota

from ._world import moments, uuid7

if TYPE_CHECKING:
    import random
    from datetime import datetime

    from ._people import Tenant
    from ._service import Front
    from ._world import World

__all__ = ["Ledger", "add_quotas", "add_usage", "roll_up"]

Ledger = list[dict[str, Any]]

_STATUSES = {200: 930, 400: 12, 401: 8, 429: 30, 500: 12, 503: 8}
_ERRORS = {400: "bad_request", 401: "unauthorized", 429: "rate_limited"}
_OK = 200
_CACHED = 0.08
_INPUT_COST = Decimal("0.0000005")
_OUTPUT_COST = Decimal("0.0000015")


def add_usage(world: World, tenant: Tenant, front: Front) -> Ledger:
    """Write the tenant's week into the ledger and return its rows, oldest first."""
    dice = world.dice(f"usage of {tenant.plan.slug}")
    when = sorted(moments(dice, world.since, world.now, tenant.plan.requests))
    ledger = [_request(dice, tenant, front, moment) for moment in when]
    world.put_all(Invocation, ledger)
    return ledger


def _request(
    dice: random.Random, tenant: Tenant, front: Front, moment: datetime
) -> dict[str, Any]:
    number, created_at = uuid7(dice, moment)
    live = dice.choices(front.live, [one.weight for one in front.live])[0]
    status = dice.choices([*_STATUSES], [*_STATUSES.values()])[0]
    spent = _tokens(dice) if status == _OK else (0, 0)
    latency = int(dice.lognormvariate(6.4, 0.4)) + 3 * spent[1]
    return {
        "id": number,
        "created_at": created_at,
        "organization_id": tenant.id,
        "service_id": front.service,
        "endpoint_id": front.endpoint,
        "deployment_id": live.deployment,
        "model_version_id": live.model_version,
        "prompt_version_id": live.prompt_version,
        "api_key_id": tenant.key,
        "end_user": f"caller-{dice.randrange(40)}",
        "operation": "chat" if tenant.plan.kind == "rag" else "predict",
        "model_name": tenant.plan.model,
        "status_code": status,
        "error_type": None if status == _OK else _ERRORS.get(status, "unavailable"),
        "is_cached": status == _OK and dice.random() < _CACHED,
        "input_tokens": spent[0],
        "output_tokens": spent[1],
        "cost": spent[0] * _INPUT_COST + spent[1] * _OUTPUT_COST,
        "latency_ms": latency,
        "first_token_ms": latency // 4 if status == _OK else None,
        "trace_id": UUID(int=dice.getrandbits(128)),
        "node_id": f"demo-api-{dice.randint(1, 2)}",
    }


def _tokens(dice: random.Random) -> tuple[int, int]:
    return int(dice.lognormvariate(6.5, 0.6)), int(dice.lognormvariate(4.8, 0.6))


def add_quotas(world: World, tenant: Tenant, front: Front, ledger: Ledger) -> None:
    """Limit the tenant; what is used already is what the ledger says."""
    today = world.now.replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    spent = sum(row["cost"] for row in ledger if row["created_at"] >= month)
    count = sum(row["created_at"] >= today for row in ledger)
    common = {"organization_id": tenant.id, "created_by": tenant.lead}
    world.put(
        Quota,
        metric="cost",
        window_kind="month",
        limit_value=100,
        soft_value=80,
        used_value=spent,
        window_started_at=month,
        **common,
    )
    world.put(
        Quota,
        service_id=front.service,
        metric="requests",
        window_kind="day",
        limit_value=5000,
        used_value=count,
        window_started_at=today,
        **common,
    )
    world.put(
        Quota,
        api_key_id=tenant.key,
        metric="requests",
        window_kind="minute",
        limit_value=60,
        is_enforced=True,
        **common,
    )


def roll_up(world: World) -> None:
    """Compute the daily sums of the week, as the nightly job does."""
    day: date = world.since.date()
    while day <= world.now.date():
        world.connection.execute(select(func.service_platform.rollup_usage(day)))
        day += timedelta(days=1)
    usage = cast("Table", DailyUsage.__table__)
    count = select(func.count()).select_from(usage)
    world.rows[usage.fullname] = world.connection.execute(count).scalar_one()
