"""Numbers of a metrics collector in the text format of Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._counts import prometheus_text

if TYPE_CHECKING:
    from ._counts import Metric
    from ._interval import Sample
    from ._metrics import Collector

__all__ = ["text_of"]


def text_of(collector: Collector) -> str:
    """Return totals of *collector* and the gauges of its last sample."""
    totals: list[Metric] = [
        ("metrics_samples_total", "counter", "Samples taken.", collector.samples),
        ("metrics_written_total", "counter", "Rows written.", collector.written),
        ("metrics_dropped_total", "counter", "Rows dropped.", collector.dropped),
        ("metrics_pending", "gauge", "Rows that wait.", collector.pending),
        ("metrics_connects_total", "counter", "Connections made.", collector.connects),
        (
            "metrics_registered",
            "gauge",
            "Whether the registry row is kept alive.",
            int(collector.is_registered),
        ),
    ]
    failures: Metric = (
        "metrics_failures_total",
        "counter",
        "Callbacks and pools that failed or hung.",
        collector.failures,
    )
    text = prometheus_text(totals) + prometheus_text([failures], "name")
    return text + (_gauges(collector.latest) if collector.latest else "")


def _gauges(sample: Sample) -> str:
    single: list[Metric] = [
        (name, "gauge", text, value)
        for name, text, value in (
            ("node_memory_megabytes", "Memory of the process.", sample.memory_mb),
            ("node_threads", "Threads.", sample.threads),
            ("node_tasks", "Tasks of the event loop.", sample.tasks),
            ("node_loop_lag_milliseconds", "Lag of the event loop.", sample.lag_ms),
        )
        if value is not None
    ]
    held = dict.fromkeys(sample.pools, 0.0)
    for one in sample.held:
        held[one.pool] = held.get(one.pool, 0) + 1
    pools: list[Metric] = [
        ("pool_size", "gauge", "Connections of a pool.", _each(sample, 0)),
        ("pool_in_use", "gauge", "Connections out of it.", _each(sample, 1)),
        ("pool_waiting", "gauge", "Clients waiting for one.", _each(sample, 2)),
        ("pool_waits_total", "counter", "Clients that waited.", _each(sample, 3)),
        ("pool_held_too_long", "gauge", "Connections held too long.", held),
    ]
    text = prometheus_text(single)
    if sample.pools:
        text += prometheus_text(pools, "pool")
    if sample.values:
        values: Metric = ("node_value", "gauge", "Values by callback.", sample.values)
        text += prometheus_text([values], "name")
    return text


def _each(sample: Sample, place: int) -> dict[str, float]:
    found = {name: numbers[place] for name, numbers in sample.pools.items()}
    return {name: number for name, number in found.items() if number is not None}
