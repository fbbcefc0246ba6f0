"""Nodes and their metrics, objectives and alerts."""

from .alerts import Alert, AlertRule, Slo
from .samples import ArchivedDailyStats, Metric, Node, PartitionPolicy

__all__ = [
    "Alert",
    "AlertRule",
    "ArchivedDailyStats",
    "Metric",
    "Node",
    "PartitionPolicy",
    "Slo",
]
