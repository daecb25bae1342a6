"""Celery and a Valkey that accepts connections and never answers, as one whose pod goes away just then."""

import os
import socket
import subprocess
import sys
import threading
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from celery import Celery
from kombu.exceptions import OperationalError
from orcheo_runtime import delivery

WORKER = """
import sys
from celery import Celery
from orcheo_runtime import delivery

delivery.ANSWER_SECONDS = 0.5
app = Celery("orcheo-backend", broker=sys.argv[1], backend=None)
delivery.configure(app)
app.worker_main(["--quiet", "worker", "--concurrency", "1"])
"""


@contextmanager
def silent_server() -> Iterator[tuple[int, threading.Semaphore]]:
    """Its port, and a semaphore that counts the connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections = threading.Semaphore(0)
        kept = []

        def accept() -> None:
            try:
                while True:
                    kept.append(listener.accept()[0])
                    connections.release()
            except OSError:
                return

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1], connections
        for connection in kept:
            connection.close()


class SilentValkey(unittest.TestCase):
    def test_a_worker_connects_again(self) -> None:
        with silent_server() as plain, silent_server() as tls:
            for scheme, (port, _), query in (("redis", plain, ""), ("rediss", tls, "?ssl_cert_reqs=required")):
                worker = subprocess.Popen(
                    [sys.executable, "-c", WORKER, f"{scheme}://:secret@127.0.0.1:{port}/0{query}"],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=os.environ | {"C_FORCE_ROOT": "1"},
                )
                self.addCleanup(worker.wait, 30)
                self.addCleanup(worker.kill)
            for scheme, (_, connections) in (("redis", plain), ("rediss", tls)):
                for _ in range(2):
                    self.assertTrue(connections.acquire(timeout=60), scheme)

    @patch("orcheo_runtime.delivery.ANSWER_SECONDS", 0.5)
    def test_who_sends_a_run_is_told(self) -> None:
        with silent_server() as (port, _):
            app = Celery("orcheo-backend", broker=f"redis://127.0.0.1:{port}/0", backend=None)
            delivery.configure(app)
            errors: list[Exception] = []

            def send() -> None:
                try:
                    app.send_task("a run")
                except OperationalError as error:
                    errors.append(error)

            sender = threading.Thread(target=send, daemon=True)
            sender.start()
            sender.join(60)
            self.assertFalse(sender.is_alive())
            self.assertEqual(len(errors), 1)


if __name__ == "__main__":
    unittest.main()
