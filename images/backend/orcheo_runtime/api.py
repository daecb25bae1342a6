"""Orcheo's API under uvicorn, with health answers of its own: https on 8443 with a certificate, else http on 8000.

/health/startup: start-up is complete. /health/ready: Postgres answers too, and the keys of an issuer are known or have been
waited for long enough. /health/live: the event loop runs and the listener tasks that Orcheo starts, and never restarts, have
not died. /healthz/… is the same.

SIGTERM: nothing new is accepted, and open requests have ORCHEO_API_DRAIN_SECONDS to end; without any it leaves within
seconds, even while Postgres is away.
"""

import asyncio
import errno
import logging
import os
import signal
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from orcheo_runtime import connections, delivery, fencing, imports, logs, otlp, request_ids, sign_in, vault
from orcheo_runtime.dependencies import postgres_answers
from orcheo_runtime.inside import KeepInside
from orcheo_runtime.leaving import leave_when_idle, run_without_waiting

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

CERTIFICATE = Path("/etc/orcheo/tls/tls.crt")
KEY = Path("/etc/orcheo/tls/tls.key")
CERTIFICATE_CHECK_SECONDS = 60
DRAIN_SECONDS = "30"
# Longer than any entrance keeps an unused connection (a load balancer of AWS at most 4000 s): a request that arrives while this side
# closes is answered with 502. uvicorn's default is 5 s.
KEEP_ALIVE_SECONDS = 4100
# Orcheo 0.46 exits immediately without Postgres and would end up in restart back-off. Shorter than the startup probe.
WAIT_SECONDS = 150
# Without the issuer's keys, a new process would answer 503 to users whom other pods serve. Limited, because service tokens need no issuer.
KEYS_SECONDS = 30
HEALTH = tuple(f"/{area}/{question}" for area in ("health", "healthz") for question in ("live", "ready", "startup"))
logger = logging.getLogger("orcheo_runtime.api")


class Health:
    """Answers the health paths and passes everything else on to `application`."""

    def __init__(self, application: Application, state: Any) -> None:
        """`state` is the FastAPI application's state, where Orcheo keeps its listener service."""
        self.application = application
        self.state = state
        self.started = False
        self.open = 0
        self.keys: asyncio.Future[Any] | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] == "lifespan":

            async def watch(message: Message) -> None:
                self.started = self.started or message["type"] == "lifespan.startup.complete"
                await send(message)

            await self.application(scope, receive, watch)
            return
        if scope["type"] == "http" and scope["path"] in HEALTH:
            healthy = await self.answer(scope["path"].rpartition("/")[2])
            await send(
                {
                    "type": "http.response.start",
                    "status": 200 if healthy else 503,
                    "headers": [(b"content-length", b"0"), (b"cache-control", b"no-store")],
                }
            )
            await send({"type": "http.response.body", "body": b""})
            return
        self.open += 1
        try:
            await self.application(scope, receive, send)
        finally:
            self.open -= 1

    def ready_after(self, keys: asyncio.Future[None]) -> None:
        """Not ready before `keys` are there, or KEYS_SECONDS are over."""
        self.keys = asyncio.ensure_future(asyncio.wait([keys], timeout=KEYS_SECONDS))

    async def answer(self, question: str) -> bool:
        """Whether the process is `live`, `ready` or past its `startup`."""
        if question == "live":
            # A restart does not help while Postgres is unavailable: the new process would wait for it too.
            return not self.dead_tasks() or not await asyncio.to_thread(postgres_answers)
        if question == "startup":
            return self.started
        verifies = self.keys is None or self.keys.done()
        return self.started and verifies and not self.dead_tasks() and await asyncio.to_thread(postgres_answers)

    def dead_tasks(self) -> list[str]:
        """Names of listener tasks that ended without being stopped (stopped ones are None)."""
        service = getattr(self.state, "listener_runtime", None)
        tasks = {name: getattr(service, name, None) for name in ("_serve_task", "_health_task")}
        return [name for name, task in tasks.items() if task is not None and task.done()]


class WithoutProbes(logging.Filter):
    """Drops successful probes from the access log; there are several a minute."""

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a health path with 200; uvicorn's arguments are client, method, path, version, status."""
        arguments = record.args
        return not (isinstance(arguments, tuple) and len(arguments) == 5 and arguments[2] in HEALTH and arguments[4] == 200)


async def reload_certificate(context: ssl.SSLContext) -> None:
    """Uses a renewed certificate for new connections; a half-written pair is retried a minute later."""
    seen = CERTIFICATE.read_bytes()
    while True:
        await asyncio.sleep(CERTIFICATE_CHECK_SECONDS)
        try:
            current = CERTIFICATE.read_bytes()
            if current != seen:
                # Tried in an unused context first: a mismatched pair would break the one in use.
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(CERTIFICATE, KEY)
                context.load_cert_chain(CERTIFICATE, KEY)
                seen = current
                logger.info("the certificate was re-loaded")
        except OSError as error:
            logger.warning("the certificate was not re-loaded: %s", error)


def wait_for_postgres() -> None:
    """Returns when Postgres responds, or after WAIT_SECONDS: Orcheo then reports the error itself."""
    end = time.monotonic() + WAIT_SECONDS
    while not postgres_answers() and time.monotonic() < end:
        logger.warning("waiting for Postgres")
        time.sleep(2)


def listeners(port: int) -> list[socket.socket]:
    """One socket per address family, so that IPv4 callers are not logged as ::ffff:10.0.0.1."""
    bound: list[socket.socket] = []
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104
        listener = None
        try:
            # asyncio sends without delay (TCP_NODELAY) only where the protocol is named: an answer took 40 ms longer.
            listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
        except OSError as problem:
            if listener is not None:
                listener.close()
            # A node without IPv6 has no such sockets, or no address to bind.
            if family == socket.AF_INET or problem.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                raise
        else:
            bound.append(listener)
    return bound


def metering() -> Callable[[Application], Application]:
    """Publishes metrics; returns what counts an application's requests. Where nobody wants them, nothing is loaded."""
    if not otlp.measured():
        return lambda application: application
    from orcheo_runtime import metrics, metrics_api

    registry = metrics.new_registry()
    metrics_api.Pools(registry)
    metrics.publish(registry, "api")
    return lambda application: metrics_api.Measured(application, registry)


def trace_requests(celery_app: Any) -> None:
    """Traces of requests, of what they send to the queue and ask of Postgres. Without a server for them, nothing is loaded."""
    if not otlp.wanted("traces"):
        return
    from orcheo_runtime import traces, traces_clients

    traces.trace_messages(celery_app)
    traces_clients.trace_postgres()
    traces_clients.trace_http()
    traces.start("api")


def send_last_traces() -> None:
    """Before the process exits."""
    if otlp.wanted("traces"):
        from orcheo_runtime import traces

        traces.stop()


async def serve(serving: list[Health]) -> bool:
    """Serves until SIGTERM; returns False if start-up failed. `serving` receives the counter of open requests."""
    connections.check_before_use()
    measured = metering()
    with imports.without_collection():
        otlp.keep_own_provider()
        import uvicorn
        from orcheo_backend.app import app
        from orcheo_backend.worker.celery_app import celery_app

    delivery.configure(celery_app)
    sign_in.install()
    fencing.install()
    # The API serves other requests too: writes of a lost conversation are refused, and nothing else happens.
    fencing.heartbeat.stop = lambda _: None
    request_ids.install()
    trace_requests(celery_app)
    logs.install()
    logging.getLogger("uvicorn.access").addFilter(WithoutProbes())
    tls = CERTIFICATE.is_file()
    health = Health(measured(app), app.state)
    serving.append(health)
    config = uvicorn.Config(
        request_ids.Identified(KeepInside(health)),
        ssl_certfile=CERTIFICATE if tls else None,
        ssl_keyfile=KEY if tls else None,
        proxy_headers=True,
        lifespan="on",
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(os.environ.get("ORCHEO_API_DRAIN_SECONDS", DRAIN_SECONDS)),
    )
    config.load()
    beside = [asyncio.create_task(sign_in.first_keys())]
    health.ready_after(beside[0])
    if config.ssl:
        beside.append(asyncio.create_task(reload_certificate(config.ssl)))
    server = uvicorn.Server(config)
    await server.serve(listeners(8443 if tls else 8000))
    for task in beside:
        task.cancel()
    return server.started


if __name__ == "__main__":
    logs.install()
    # uvicorn handles the signal while it is serving, and raises it again after a clean shutdown.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    serving: list[Health] = []
    leave_when_idle(lambda: any(health.open for health in serving))
    wait_for_postgres()
    vault.leave_with_another_key()
    started = run_without_waiting(serve(serving))
    send_last_traces()
    os._exit(0 if started else 3)
