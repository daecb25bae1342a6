"""Health answers, and what the API does beside them."""

import asyncio
import contextlib
import io
import logging
import shutil
import socket
import ssl
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from collections.abc import Coroutine
from pathlib import Path
from subprocess import run
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import probe
from orcheo_runtime import api, health_server


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def application(scope: api.Message, receive: api.Receive, send: api.Send) -> None:
    """Starts, and answers every request with 418."""
    if scope["type"] == "lifespan":
        await send({"type": "lifespan.startup.complete"})
    else:
        await send({"type": "http.response.start", "status": 418, "headers": []})


async def nothing() -> api.Message:
    raise AssertionError("the body of a probe is nobody's business")


def task(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.get_running_loop().create_task(coroutine)


class Api(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.forever = task(asyncio.sleep(3600, None))
        self.listeners = SimpleNamespace(_serve_task=self.forever, _health_task=self.forever)
        self.health = api.Health(application, SimpleNamespace(listener_runtime=self.listeners))
        self.postgres = True
        patched = patch.object(api, "postgres_answers", lambda: self.postgres)
        patched.start()
        self.addCleanup(patched.stop)

    async def asyncTearDown(self) -> None:
        self.forever.cancel()

    async def status(self, path: str) -> int:
        sent: list[api.Message] = []

        async def send(message: api.Message) -> None:
            sent.append(message)

        await self.health({"type": "http", "path": path}, nothing, send)
        return int(sent[0]["status"])

    async def start(self) -> None:
        async def send(_: api.Message) -> None:
            """The server is not interested."""

        await self.health({"type": "lifespan"}, nothing, send)

    async def test_startup(self) -> None:
        self.assertEqual((await self.status("/health/startup"), await self.status("/healthz/ready")), (503, 503))
        self.assertEqual(await self.status("/healthz/live"), 200)
        await self.start()
        self.assertEqual((await self.status("/health/startup"), await self.status("/healthz/ready")), (200, 200))

    async def test_without_postgres_it_is_alive_and_not_ready(self) -> None:
        await self.start()
        self.postgres = False
        self.assertEqual((await self.status("/health/live"), await self.status("/health/ready")), (200, 503))

    async def test_without_the_keys_of_an_issuer_it_is_not_ready_yet(self) -> None:
        await self.start()
        keys = asyncio.get_running_loop().create_future()
        self.health.ready_after(keys)
        self.assertEqual((await self.status("/health/startup"), await self.status("/health/ready")), (200, 503))
        keys.set_result(None)
        await self.health.keys
        self.assertEqual(await self.status("/health/ready"), 200)

    async def test_an_issuer_that_stays_away_is_not_waited_for_any_longer(self) -> None:
        await self.start()
        with patch.object(api, "KEYS_SECONDS", 0.05):
            self.health.ready_after(self.forever)
        self.assertEqual(await self.status("/health/ready"), 503)
        await self.health.keys
        self.assertEqual(await self.status("/health/ready"), 200)
        # It is still asked.
        self.assertFalse(self.forever.done())

    async def test_a_dead_listener(self) -> None:
        await self.start()
        dead = task(asyncio.sleep(0, None))
        await dead
        for name in ("_serve_task", "_health_task"):
            setattr(self.listeners, name, dead)
            self.assertEqual((await self.status("/health/live"), await self.status("/health/ready")), (503, 503), name)
            setattr(self.listeners, name, self.forever)
        self.assertEqual(await self.status("/health/live"), 200)

    async def test_a_dead_listener_waits_for_postgres_before_the_restart(self) -> None:
        await self.start()
        self.listeners._serve_task = task(asyncio.sleep(0, None))
        await self.listeners._serve_task
        self.postgres = False
        self.assertEqual((await self.status("/health/live"), await self.status("/health/ready")), (200, 503))

    async def test_stopped_listeners_are_not_dead(self) -> None:
        self.listeners._serve_task = self.listeners._health_task = None
        self.assertEqual(await self.status("/health/live"), 200)
        self.assertEqual(api.Health(application, SimpleNamespace()).dead_tasks(), [])

    async def test_other_paths_are_orcheos(self) -> None:
        for path in ("/", "/health", "/health/other", "/api/health/live"):
            self.assertEqual(await self.status(path), 418, path)


class AccessLog(unittest.TestCase):
    def test_answered_probes_are_dropped(self) -> None:
        for path, status, kept in (("/healthz/live", 200, False), ("/healthz/live", 503, True), ("/api/x", 200, True)):
            record = logging.LogRecord(
                "uvicorn.access", logging.INFO, "", 0, "%s %s %s %s %d", ("c", "GET", path, "1.1", status), None
            )
            self.assertEqual(api.WithoutProbes().filter(record), kept, (path, status))


class Certificate(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.assertIsNotNone(shutil.which("openssl"), "openssl makes the certificates of this test")
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        for name in ("old", "new"):
            command = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name}"
            files = ["-keyout", str(self.directory / f"{name}.key"), "-out", str(self.directory / f"{name}.crt")]
            run([*command.split(), *files], check=True, capture_output=True, timeout=30)

    def put(self, certificate: str, key: str) -> None:
        shutil.copy(self.directory / f"{certificate}.crt", self.directory / "tls.crt")
        shutil.copy(self.directory / f"{key}.key", self.directory / "tls.key")

    async def served(self, port: int) -> str:
        """Name in the certificate of a new connection."""
        pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port), timeout=5)
        return next(name for name in ("old", "new") if pem == (self.directory / f"{name}.crt").read_text())

    async def becomes(self, port: int, name: str) -> None:
        for _ in range(100):
            if await self.served(port) == name:
                return
            await asyncio.sleep(0.05)
        self.fail(f"{name} is not served")

    async def test_a_renewed_pair_is_served_and_a_half_written_one_is_not(self) -> None:
        self.put("old", "old")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / "tls.crt", self.directory / "tls.key")
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        with (
            patch.multiple(
                api,
                CERTIFICATE=self.directory / "tls.crt",
                KEY=self.directory / "tls.key",
                CERTIFICATE_CHECK_SECONDS=0.05,
            ),
            self.assertLogs("orcheo_runtime.api") as said,
        ):
            watcher = task(api.reload_certificate(context))
            await asyncio.sleep(0)
            self.put("new", "old")
            while not said.output:
                await asyncio.sleep(0.05)
            self.assertEqual(await self.served(port), "old")
            self.put("new", "new")
            await self.becomes(port, "new")
            self.assertFalse(watcher.done())
            watcher.cancel()
        self.assertIn("not re-loaded", said.output[0])
        server.close()

    async def test_the_probe_asks_by_tls(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / "old.crt", self.directory / "old.key")

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = await reader.readline()
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n" if b" /health/live " in asked else b"HTTP/1.1 404 Not Found\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        addresses = ((server.sockets[0].getsockname()[1], True),)
        with patch.dict(probe.ADDRESSES, {"api": addresses}), contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(await asyncio.to_thread(probe.main, "api", "live"), 0)
            self.assertEqual(await asyncio.to_thread(probe.main, "api", "other"), 1)
        server.close()


class Waiting(unittest.TestCase):
    def test_for_postgres(self) -> None:
        answers = iter([False, False, True])
        with (
            patch.object(api, "postgres_answers", lambda: next(answers)),
            patch.object(time, "sleep") as slept,
            self.assertLogs("orcheo_runtime.api") as said,
        ):
            api.wait_for_postgres()
        self.assertEqual((slept.call_count, len(said.output)), (2, 2))

    def test_not_for_ever(self) -> None:
        clock = iter([0.0, 1.0, api.WAIT_SECONDS + 1.0])
        with (
            patch.object(api, "postgres_answers", lambda: False),
            patch.multiple(time, sleep=lambda _: None, monotonic=lambda: next(clock)),
            self.assertLogs("orcheo_runtime.api") as said,
        ):
            api.wait_for_postgres()
        self.assertEqual(len(said.output), 1)


class Loops(unittest.TestCase):
    """Worker and beat, over their real health server."""

    def setUp(self) -> None:
        self.redis = self.postgres = True
        patched = patch.multiple(
            health_server, redis_answers=lambda: self.redis, postgres_answers=lambda: self.postgres
        )
        patched.start()
        self.addCleanup(patched.stop)
        self.pulse = health_server.Pulse(silence_seconds=600)
        server = health_server.serve(0, self.pulse)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.port = server.server_address[1]

    def status(self, question: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/{question}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def test_life_of_a_loop(self) -> None:
        self.assertEqual([self.status(q) for q in ("startup", "ready", "live", "other")], [503, 503, 200, 404])
        self.pulse.beat()
        self.assertEqual([self.status(q) for q in ("startup", "ready", "live")], [200, 200, 200])
        self.pulse.last_beat -= 601
        self.assertEqual(self.status("live"), 503)
        # Without Redis the loop waits for it: a restart helps nobody.
        self.redis = False
        self.assertEqual([self.status(q) for q in ("startup", "ready", "live")], [200, 503, 200])

    def test_the_probe_says_the_same(self) -> None:
        said = io.StringIO()
        with (
            patch.dict(probe.ADDRESSES, {"any": ((free_port(), False), (self.port, False))}),
            contextlib.redirect_stderr(said),
        ):
            self.assertEqual([probe.main("any", q) for q in ("live", "startup")], [0, 1])
        self.assertEqual(said.getvalue(), f"port {self.port}, /health/startup: HTTP/1.0 503 Service Unavailable\n")

    def test_the_probe_of_a_process_that_is_not_there(self) -> None:
        with (
            patch.dict(probe.ADDRESSES, {"any": ((free_port(), False),)}),
            contextlib.redirect_stderr(io.StringIO()) as said,
        ):
            self.assertEqual(probe.main("any", "live"), 1)
        self.assertEqual(said.getvalue(), "nothing answers for any\n")

    def test_not_ready_without_postgres(self) -> None:
        self.pulse.beat()
        self.postgres = False
        self.assertEqual([self.status(q) for q in ("ready", "live")], [503, 200])

    def test_questions_do_not_wait_for_each_other(self) -> None:
        self.pulse.beat()
        asked, answer = threading.Event(), threading.Event()

        def slow() -> bool:
            asked.set()
            return answer.wait(20)

        with patch.object(health_server, "postgres_answers", slow):
            waiting = threading.Thread(target=self.status, args=("ready",))
            waiting.start()
            self.assertTrue(asked.wait(5))
            self.assertEqual(self.status("live"), 200)
            answer.set()
            waiting.join()
