"""States of objects under the names of kube-state-metrics, which cannot be had where the tests run: those that the alerts read.

Each scrape reads the objects from the API server; nothing is kept.
"""

import json
import os
import ssl
import sys
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SERVER = f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}"
NAMESPACE, PORT = sys.argv[1], int(sys.argv[2])
UNITS = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "k": 10**3, "M": 10**6, "G": 10**9}
trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))

Sample = tuple[str, dict[str, str], float]


def items(path: str) -> list[dict]:
    """The objects of a collection."""
    token = (ACCOUNT / "token").read_text()
    request = urllib.request.Request(f"{SERVER}{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, context=trust, timeout=5) as answer:
        return json.load(answer)["items"]


def named(group: str, kind: str) -> Iterator[tuple[str, dict]]:
    """Names and objects of the namespace."""
    for each in items(f"/{group}/namespaces/{NAMESPACE}/{kind}"):
        yield each["metadata"]["name"], each


def seconds(time: str) -> float:
    """2026-11-28T12:00:00Z -> seconds since 1970."""
    return datetime.fromisoformat(time).timestamp()


def pods() -> Iterator[Sample]:
    for name, pod in named("api/v1", "pods"):
        own = {"pod": name}
        yield "kube_pod_info", {**own, "node": pod["spec"].get("nodeName", "")}, 1
        for container in pod["spec"]["containers"]:
            limit = container.get("resources", {}).get("limits", {}).get("memory")
            if limit is not None:
                number = limit.rstrip("KMGik")
                labels = {**own, "container": container["name"], "resource": "memory", "unit": "byte"}
                yield "kube_pod_container_resource_limits", labels, int(number) * UNITS[limit[len(number) :]]
        for status in pod["status"].get("containerStatuses", []):
            labels = {**own, "container": status["name"]}
            yield "kube_pod_container_status_restarts_total", labels, status["restartCount"]
            last = status.get("lastState", {}).get("terminated")
            if last:
                reason = {"reason": last.get("reason", "")}
                yield "kube_pod_container_status_last_terminated_reason", {**labels, **reason}, 1
            waiting = status.get("state", {}).get("waiting")
            if waiting:
                reason = {"reason": waiting.get("reason", "")}
                yield "kube_pod_container_status_waiting_reason", {**labels, **reason}, 1


def conditions(metric: str, own: dict[str, str], found: list[dict]) -> Iterator[Sample]:
    for condition in found:
        for status in ("true", "false", "unknown"):
            labels = {**own, "condition": condition["type"], "status": status}
            yield metric, labels, float(condition["status"].lower() == status)


def controllers() -> Iterator[Sample]:
    for name, each in named("apis/apps/v1", "deployments"):
        own = {"deployment": name}
        yield "kube_deployment_status_replicas_available", own, each["status"].get("availableReplicas", 0)
        yield from conditions("kube_deployment_status_condition", own, each["status"].get("conditions", []))
    for name, each in named("apis/apps/v1", "statefulsets"):
        yield "kube_statefulset_status_replicas_ready", {"statefulset": name}, each["status"].get("readyReplicas", 0)
    for name, each in named("apis/autoscaling/v2", "horizontalpodautoscalers"):
        own = {"horizontalpodautoscaler": name}
        replicas = each.get("status", {}).get("currentReplicas", 0)
        yield "kube_horizontalpodautoscaler_status_current_replicas", own, replicas
        yield "kube_horizontalpodautoscaler_spec_max_replicas", own, each["spec"]["maxReplicas"]


def jobs() -> Iterator[Sample]:
    for name, each in named("apis/batch/v1", "cronjobs"):
        last = each.get("status", {}).get("lastSuccessfulTime")
        if last:
            yield "kube_cronjob_status_last_successful_time", {"cronjob": name}, seconds(last)
    for name, each in named("apis/batch/v1", "jobs"):
        status = each.get("status", {})
        failed = [one for one in status.get("conditions", []) if one["type"] == "Failed" and one["status"] == "True"]
        reason = {"reason": failed[0].get("reason", "") if failed else ""}
        yield "kube_job_status_failed", {"job_name": name, **reason}, 1 if failed else status.get("failed", 0)
        if "startTime" in status:
            yield "kube_job_status_start_time", {"job_name": name}, seconds(status["startTime"])


def text() -> str:
    """All series in Prometheus' format."""
    samples = [
        (metric, {"namespace": NAMESPACE, **labels}, value)
        for part in (pods, controllers, jobs)
        for metric, labels, value in part()
    ]
    for node in items("/api/v1/nodes"):
        own = {"node": node["metadata"]["name"]}
        samples += conditions("kube_node_status_condition", own, node["status"]["conditions"])
    lines = (
        metric + "{" + ",".join(f'{name}="{label}"' for name, label in labels.items()) + "} " + repr(float(value))
        for metric, labels, value in samples
    )
    return "\n".join(lines) + "\n"


class Handler(BaseHTTPRequestHandler):
    """Answers every GET with the metrics."""

    def do_GET(self) -> None:  # noqa: N802
        body = text().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Does not log scrapes."""


ThreadingHTTPServer(("", PORT), Handler).serve_forever()
