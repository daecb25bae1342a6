"""The same metrics, sent to a server that speaks OTLP instead of being read; loaded only where ORCHEO_OTLP_METRICS_ENDPOINT is set.

Each process sends its own: a collector in between would be one more server to run, to guard and to update. Names and labels
are those that a scraper reads, so that alerts and dashboards are the same.
"""

import math
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric as Family

from orcheo_runtime import otlp

CUMULATIVE = AggregationTemporality.CUMULATIVE
SCOPE = InstrumentationScope("orcheo_runtime")
STARTED = time.time_ns()
Labels = dict[str, str]


def own_labels() -> Labels:
    """Those that a scraper adds: alerts select by the namespace."""
    namespace = os.environ.get("ORCHEO_OTLP_NAMESPACE")
    return {"pod": os.uname().nodename, **({"namespace": namespace} if namespace else {})}


def numbers(family: Family, suffix: str, own: Labels, now: int) -> list[NumberDataPoint]:
    """A number that is not known is left out."""
    return [
        NumberDataPoint({**each.labels, **own}, STARTED, now, each.value)
        for each in family.samples
        if each.name == f"{family.name}{suffix}" and not math.isnan(each.value)
    ]


def histograms(family: Family, own: Labels, now: int) -> Iterator[HistogramDataPoint]:
    """One for each combination of labels; Prometheus' buckets contain the ones below them."""
    series: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for each in family.samples:
        labels = {name: value for name, value in each.labels.items() if name != "le"}
        found = series.setdefault(tuple(sorted(labels.items())), {"labels": labels, "buckets": [], "sum": 0.0})
        if each.name.endswith("_bucket"):
            found["buckets"].append((float(each.labels["le"]), int(each.value)))
        elif each.name.endswith("_sum"):
            found["sum"] = each.value
    for found in series.values():
        bounds, below = zip(*sorted(found["buckets"]), strict=True)
        counts = [count - before for before, count in zip((0, *below), below, strict=False)]
        yield HistogramDataPoint(
            {**found["labels"], **own}, STARTED, now, below[-1], found["sum"], counts, bounds[:-1], None, None  # type: ignore[arg-type]
        )


def converted(registry: CollectorRegistry) -> list[Metric]:
    """All of a registry."""
    own, now = own_labels(), time.time_ns()
    metrics: list[Metric] = []
    for family in registry.collect():
        data: Any
        if family.type == "counter":
            name, data = f"{family.name}_total", Sum(numbers(family, "_total", own, now), CUMULATIVE, True)
        elif family.type == "info":
            name, data = f"{family.name}_info", Gauge(numbers(family, "_info", own, now))
        elif family.type == "histogram":
            name, data = family.name, Histogram(list(histograms(family, own, now)), CUMULATIVE)
        else:
            name, data = family.name, Gauge(numbers(family, "", own, now))
        if data.data_points:
            metrics.append(Metric(name, family.documentation, "", data))
    return metrics


class Sender:
    """Sends a registry every few seconds, in a thread of its own. What cannot be sent is not kept: the next numbers include it."""

    def __init__(self, registry: CollectorRegistry, role: str) -> None:
        """Starts."""
        self.registry = registry
        self.resource = otlp.resource(role)
        self.exporter = OTLPMetricExporter(**otlp.options("metrics"))
        otlp.log_seldom(OTLPMetricExporter.__module__)
        self.seconds = float(os.environ.get(otlp.variable("metrics", "SECONDS"), "30"))
        self.ended = threading.Event()
        threading.Thread(target=self.work, name="metrics", daemon=True).start()

    def send(self) -> None:
        """Once."""
        scope = ScopeMetrics(SCOPE, converted(self.registry), "")
        self.exporter.export(MetricsData([ResourceMetrics(self.resource, [scope], "")]))

    def work(self) -> None:
        """Until the process ends."""
        while not self.ended.wait(self.seconds):
            self.send()
