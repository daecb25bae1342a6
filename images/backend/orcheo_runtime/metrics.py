"""Metrics in Prometheus' text format, served on a port of their own, or sent; loaded only where otlp.measured().

The network lets the scraper reach that port and nothing else. With the certificate of the pod's Service it speaks https.
"""

import json
import logging
import os
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from orcheo_runtime import otlp
from orcheo_runtime.health_server import Pulse

CERTIFICATE = Path("/etc/orcheo/tls/tls.crt")
KEY = Path("/etc/orcheo/tls/tls.key")
# The latest update, mounted; `pulumi up` writes it at its end (components/updates).
UPDATE = Path("/etc/orcheo/update/latest.json")
# Of one scrape, the handshake included.
TIMEOUT_SECONDS = 10
logger = logging.getLogger("orcheo_runtime.metrics")


def new_registry() -> CollectorRegistry:
    """With what the process itself uses: CPU, memory, open files, its start."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


def last_tick(registry: CollectorRegistry, pulse: Pulse) -> None:
    """When beat last looked for due tasks; 0 before the first time."""
    gauge = Gauge("orcheo_beat_last_tick_timestamp_seconds", "Last tick of the scheduler.", registry=registry)
    gauge.set_function(lambda: time.time() - (time.monotonic() - pulse.last_beat) if pulse.started else 0)


class Update(Collector):
    """What the stack runs, and since when: read at each scrape, since an update need not restart this process."""

    def collect(self) -> Iterator[Metric]:
        """Nothing before the first update has ended."""
        try:
            update = json.loads(UPDATE.read_text("utf-8"))
            seconds = datetime.fromisoformat(update["time"]).timestamp()
        except (OSError, ValueError, KeyError, TypeError):
            return
        about = {name: str(update.get(name) or "") for name in ("version", "release", "commit")}
        yield InfoMetricFamily("orcheo_stack", "What the stack runs.", value=about)
        yield GaugeMetricFamily("orcheo_stack_last_update_timestamp_seconds", "When that update ended.", value=seconds)


class Handler(BaseHTTPRequestHandler):
    """GET /metrics."""

    registry: CollectorRegistry

    def do_GET(self) -> None:  # noqa: N802
        """The metrics; 404 elsewhere."""
        found = self.path.partition("?")[0] == "/metrics"
        encode, content_type = choose_encoder(self.headers.get("Accept") or "")
        body = encode(self.registry) if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Does not log scrapes."""


class Server(ThreadingHTTPServer):
    """Both address families; https where there is a certificate."""

    def server_bind(self) -> None:
        """As HTTPServer, which would ask DNS for the name of the address."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "", self.server_address[1]

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own. The certificate is read for each connection: a renewed one is used at once."""
        request.settimeout(TIMEOUT_SECONDS)
        if not CERTIFICATE.is_file():
            super().finish_request(request, client_address)
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, KEY)
        with context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A scraper that trusts another CA, or is gone, is no reason for a traceback."""
        logger.debug("a scrape from %s failed", client_address[0], exc_info=True)


class Ipv6Server(Server):
    """IPv4 callers arrive here too."""

    address_family = socket.AF_INET6


def publish(registry: CollectorRegistry, role: str) -> None:
    """As the deployment wants it."""
    if os.environ.get("ORCHEO_METRICS_PORT"):
        serve(registry)
    if otlp.wanted("metrics"):
        from orcheo_runtime import metrics_otlp

        metrics_otlp.Sender(registry, role)


def serve(registry: CollectorRegistry, port: int | None = None) -> Server:
    """Starts the thread that answers scrapes on `port`, default ORCHEO_METRICS_PORT."""
    handler = type("MetricsHandler", (Handler,), {"registry": registry})
    at = int(os.environ["ORCHEO_METRICS_PORT"]) if port is None else port
    try:
        server: Server = Ipv6Server(("::", at), handler)
    except OSError:
        # A node without IPv6. A port that is taken fails here as well.
        server = Server(("0.0.0.0", at), handler)  # noqa: S104
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
