"""The port of the metrics: http, https with a renewed certificate, and what else may come in; beat's last tick, and the stack's last update."""

import contextlib
import shutil
import socket
import ssl
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path
from unittest.mock import patch

from orcheo_runtime import metrics
from orcheo_runtime.health_server import Pulse

from metrics_tests.support import certificate, read, series


class Port(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        patched = patch.multiple(metrics, CERTIFICATE=self.folder / "tls.crt", KEY=self.folder / "tls.key")
        patched.start()
        self.addCleanup(patched.stop)
        self.registry = metrics.new_registry()
        server = metrics.serve(self.registry, 0)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.port = server.server_port

    def certificate(self, name: str) -> None:
        """As the kubelet leaves a renewed one."""
        certificate(self.folder, name, "api")

    def scrape(self) -> dict[str, float]:
        """By https, with the certificate's own name verified."""
        context = ssl.create_default_context(cafile=str(self.folder / "tls.crt"))
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain:
            with context.wrap_socket(plain, server_hostname="api") as connection:
                connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                return read(b"".join(iter(lambda: connection.recv(65536), b"")).decode())

    def test_http_without_a_certificate(self) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            self.assertIn("text/plain", answer.headers["Content-Type"])
            self.assertGreater(read(answer.read().decode())["process_start_time_seconds"], 0)

    def test_other_paths_say_nothing(self) -> None:
        for path in ("/", "/metrics/other", "/health/live"):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5)
            self.assertEqual((refused.exception.code, refused.exception.read()), (404, b""))

    def test_a_renewed_certificate_is_used_at_once(self) -> None:
        self.assertIsNotNone(shutil.which("openssl"), "openssl makes the certificates of this test")
        for name in ("old", "new"):
            self.certificate(name)
            self.assertIn("process_start_time_seconds", self.scrape(), name)

    def test_with_a_certificate_nothing_is_answered_in_plain_text(self) -> None:
        self.certificate("one")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain:
            plain.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            self.assertNotIn(b"process_", plain.recv(65536))
        self.assertIn("process_start_time_seconds", self.scrape())

    def test_a_silent_caller_does_not_hold_others_up(self) -> None:
        self.certificate("one")
        with socket.create_connection(("127.0.0.1", self.port), timeout=5):
            self.assertIn("process_start_time_seconds", self.scrape())


class Beat(unittest.TestCase):
    def test_the_last_tick(self) -> None:
        pulse = Pulse(silence_seconds=600)
        registry = metrics.new_registry()
        metrics.last_tick(registry, pulse)
        self.assertEqual(series(registry)["orcheo_beat_last_tick_timestamp_seconds"], 0)
        pulse.beat()
        pulse.last_beat -= 100
        self.assertAlmostEqual(series(registry)["orcheo_beat_last_tick_timestamp_seconds"], time.time() - 100, delta=5)

    def test_the_last_update_as_it_is_mounted_now(self) -> None:
        with tempfile.TemporaryDirectory() as folder, patch.object(metrics, "UPDATE", Path(folder) / "latest.json"):
            registry = metrics.new_registry()
            registry.register(metrics.Update())
            for text in (None, "", "{}", '{"time": 7}', "[]"):
                if text is not None:
                    metrics.UPDATE.write_text(text)
                self.assertFalse([name for name in series(registry) if name.startswith("orcheo_stack")], text)
            for commit, shown in ((', "commit": "0123456789ab+"', "0123456789ab+"), ("", "")):
                metrics.UPDATE.write_text(f'{{"number": 3, "time": "2026-11-28T12:00:00Z", "version": "1.2.0", "release": "0.46"{commit}}}')
                found = series(registry)
                self.assertEqual(found[f'orcheo_stack_info{{commit="{shown}",release="0.46",version="1.2.0"}}'], 1)
                self.assertEqual(found["orcheo_stack_last_update_timestamp_seconds"], 1795867200)


if __name__ == "__main__":
    unittest.main()
