"""Time partitions by policy: made ahead, listed, and removed when they expire.

    with partitions.opened(target) as conn:
        partitions.apply(conn)
        partitions.prune(conn)

Policies are rows of `monitoring.partition_policies`; the clock is the server's, the
calendar UTC. Every function takes a connection of any login that may act as the
owner, and gives it back as it was.
"""

from __future__ import annotations

from ._bounds import Bounds, moment
from ._growth import apply, plan
from ._removal import WAIT_S, finish, prune
from ._session import opened
from ._status import ParentStatus, PartitionStatus, status, switched_off
from ._steps import NEEDS_ATTENTION, OnStep, Step

__all__ = [
    "NEEDS_ATTENTION",
    "WAIT_S",
    "Bounds",
    "OnStep",
    "ParentStatus",
    "PartitionStatus",
    "Step",
    "apply",
    "finish",
    "moment",
    "opened",
    "plan",
    "prune",
    "status",
    "switched_off",
]
