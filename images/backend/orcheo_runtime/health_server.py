"""Serves /health/{live,ready,startup} on loopback for processes that are not web servers; orcheo-probe calls it."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from orcheo_runtime.dependencies import postgres_answers, redis_answers


class Pulse:
    """Progress of the main loop: its start, and each iteration."""

    def __init__(self, silence_seconds: float) -> None:
        """`silence_seconds`: longest pause between two iterations of a live loop."""
        self.silence_seconds = silence_seconds
        self.started = False
        self.last_beat = time.monotonic()

    def beat(self) -> None:
        """Records an iteration of the loop."""
        self.started = True
        self.last_beat = time.monotonic()

    def alive(self) -> bool:
        """False only if the loop is silent although Redis responds: without Redis it waits, and a restart does not help."""
        return time.monotonic() - self.last_beat < self.silence_seconds or not redis_answers()


def serve(port: int, pulse: Pulse) -> ThreadingHTTPServer:
    """Starts the health thread on 127.0.0.1:`port`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            answers: dict[str, Callable[[], bool]] = {
                "/health/live": pulse.alive,
                "/health/startup": lambda: pulse.started,
                "/health/ready": lambda: pulse.started and redis_answers() and postgres_answers(),
            }
            check = answers.get(self.path)
            self.send_response(404 if check is None else 200 if check() else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Does not log probes."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
