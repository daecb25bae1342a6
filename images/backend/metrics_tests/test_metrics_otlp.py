"""What a server of OTLP receives is what a scraper would read."""

import os
import subprocess
import sys
import time
import unittest
from typing import Any
from unittest.mock import patch

from orcheo_runtime import metrics, metrics_otlp, otlp
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from metrics_tests.otlp_receiver import Receiver, values
from metrics_tests.support import series

ENDPOINT, SECONDS = (otlp.variable("metrics", name) for name in ("ENDPOINT", "SECONDS"))
CUMULATIVE = 2


def named(name: str, labels: dict[str, str]) -> str:
    """As Prometheus writes a series; without the labels that are added on the way."""
    own = sorted((key, value) for key, value in labels.items() if key not in ("namespace", "pod"))
    return f"{name}{{{','.join(f'{key}={chr(34)}{value}{chr(34)}' for key, value in own)}}}" if own else name


def scraped(request: Any) -> dict[str, float]:
    """The series that a store makes of a request."""
    found: dict[str, float] = {}
    for metric in request.resource_metrics[0].scope_metrics[0].metrics:
        kind = metric.WhichOneof("data")
        data = getattr(metric, kind)
        if kind != "gauge":
            assert data.aggregation_temporality == CUMULATIVE
        for point in data.data_points:
            labels = values(point.attributes)
            if kind != "histogram":
                found[named(metric.name, labels)] = point.as_double
                continue
            total = 0
            for bound, count in zip([*point.explicit_bounds, float("inf")], point.bucket_counts, strict=True):
                total += count
                found[named(f"{metric.name}_bucket", labels | {"le": "+Inf" if bound == float("inf") else str(bound)})] = total
            found[named(f"{metric.name}_sum", labels)] = point.sum
            found[named(f"{metric.name}_count", labels)] = point.count
    return found


class Sent(unittest.TestCase):
    def setUp(self) -> None:
        self.receiver = Receiver(self)
        environment = {ENDPOINT: f"{self.receiver.url}/v1/metrics", SECONDS: "0.2", "ORCHEO_OTLP_NAMESPACE": "team-a"}
        environ = patch.dict(os.environ, environment)
        environ.start()
        self.addCleanup(environ.stop)

    def start(self, registry: CollectorRegistry) -> metrics_otlp.Sender:
        sender = metrics_otlp.Sender(registry, "worker")
        self.addCleanup(sender.ended.set)
        return sender

    def test_all_kinds_with_the_names_and_numbers_of_a_scrape(self) -> None:
        registry = CollectorRegistry()
        Gauge("a_gauge", "Text.", registry=registry).set(1.5)
        Gauge("unknown", "Text.", registry=registry).set(float("nan"))
        Info("a_stack", "Text.", registry=registry).info({"version": "0.46.0"})
        counter = Counter("a_counter", "Text.", ("task",), registry=registry)
        counter.labels("x").inc(3)
        counter.labels("y").inc()
        histogram = Histogram("a_histogram", "Text.", ("route", "method"), buckets=(0.1, 1, 10), registry=registry)
        for seconds in (0.05, 0.5, 0.6, 100):
            histogram.labels("/a", "GET").observe(seconds)
        histogram.labels("/b", "GET").observe(1)
        self.start(registry)
        request = self.receiver.wait(lambda receiver: receiver.metrics)[0]
        expected = {name: value for name, value in series(registry).items() if "_created" not in name and name != "unknown"}
        self.assertEqual(scraped(request), expected)
        self.assertGreater(len(expected), 12)

    def test_whose_they_are(self) -> None:
        registry = CollectorRegistry()
        Gauge("a_gauge", "Text.", registry=registry).set(1)
        self.start(registry)
        (of_process,) = self.receiver.wait(lambda receiver: receiver.metrics)[0].resource_metrics
        self.assertEqual(values(of_process.resource.attributes)["service.name"], "orcheo-worker")
        (point,) = of_process.scope_metrics[0].metrics[0].gauge.data_points
        self.assertEqual(values(point.attributes), {"namespace": "team-a", "pod": os.uname().nodename})

    def test_counts_go_on_while_the_server_is_away(self) -> None:
        registry = CollectorRegistry()
        counter = Counter("a_counter", "Text.", registry=registry)
        with patch.dict(os.environ, {ENDPOINT: "http://127.0.0.1:1/v1/metrics"}):
            away = self.start(registry)
        started = time.monotonic()
        counter.inc()
        self.assertLess(time.monotonic() - started, 0.1)
        away.ended.set()
        counter.inc()
        self.start(registry)
        self.assertEqual(scraped(self.receiver.wait(lambda receiver: receiver.metrics)[0])["a_counter_total"], 2)

    def test_sending_opens_no_port(self) -> None:
        with patch.object(metrics, "serve", side_effect=AssertionError("a port")):
            metrics.publish(metrics.new_registry(), "beat")
        self.receiver.wait(lambda receiver: receiver.metrics)

    def test_turned_off_nothing_of_it_is_imported(self) -> None:
        program = (
            "import sys; from orcheo_runtime import api, worker, beat; api.metering();"
            "print([name for name in sys.modules if name.startswith(('opentelemetry', 'prometheus_client'))])"
        )
        environ = {name: value for name, value in os.environ.items() if name not in (ENDPOINT, "ORCHEO_METRICS_PORT")}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environ, timeout=60)
        self.assertEqual(done.stdout.strip(), "[]")
