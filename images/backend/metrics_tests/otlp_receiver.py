"""A server that speaks OTLP over HTTP on loopback, and keeps what it gets; decoded by OpenTelemetry's own definitions."""

import gzip
import ssl
import time
import unittest
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Received:
    """A span."""

    name: str
    kind: int
    trace: str
    id: str
    parent: str
    links: list[str]
    service: str
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    status: int
    message: str


def values(attributes: Any) -> dict[str, Any]:
    """Of protobuf's key-value pairs; lists as text."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


class Receiver:
    """Until the test ends."""

    def __init__(self, test: unittest.TestCase, answer: int = 200, delay_seconds: float = 0, tls: Path | None = None) -> None:
        """`answer`: the status of every answer; `delay_seconds`: how long each takes; `tls`: folder of a certificate for localhost."""
        receiver = self
        self.spans: list[Received] = []
        self.metrics: list[Any] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                receiver.take(self.path, body, {name.lower(): value for name, value in self.headers.items()})
                time.sleep(delay_seconds)
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.refused: list[object] = []
        if tls is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(tls / "tls.crt", tls / "tls.key")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
            # Of a client that trusts another CA.
            self.server.handle_error = lambda _, client: self.refused.append(client)  # type: ignore[method-assign]
        Thread(target=self.server.serve_forever, daemon=True).start()
        test.addCleanup(self.server.server_close)
        test.addCleanup(self.server.shutdown)
        self.url = f"{'http://127.0.0.1' if tls is None else 'https://localhost'}:{self.server.server_port}"

    def take(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        """One request."""
        self.bodies.append(body)
        self.headers.append(headers)
        if path == "/v1/metrics":
            self.metrics.append(ExportMetricsServiceRequest.FromString(body))
            return
        for of_process in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = values(of_process.resource.attributes)["service.name"]
            for scope in of_process.scope_spans:
                self.spans += [
                    Received(
                        each.name,
                        each.kind,
                        each.trace_id.hex(),
                        each.span_id.hex(),
                        each.parent_span_id.hex(),
                        [link.trace_id.hex() for link in each.links],
                        service,
                        values(each.attributes),
                        [(event.name, values(event.attributes)) for event in each.events],
                        each.status.code,
                        each.status.message,
                    )
                    for each in scope.spans
                ]

    def wait(self, found: Callable[["Receiver"], Any], seconds: float = 60) -> Any:
        """What `found` finds, once it finds something."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if result := found(self):
                return result
            time.sleep(0.05)
        raise AssertionError(f"not received within {seconds} s; there are {[each.name for each in self.spans]}")

    def span(self, name: str, **attributes: Any) -> Received:
        """The span of this name, once it is there."""

        def found(receiver: "Receiver") -> Received | None:
            named = (each for each in receiver.spans if each.name == name)
            return next((each for each in named if attributes.items() <= each.attributes.items()), None)

        result: Received = self.wait(found)
        return result
