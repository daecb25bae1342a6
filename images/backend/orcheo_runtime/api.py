"""Orcheo's API under uvicorn, with health answers of its own: https on 8443 with a certificate, else http on 8000.

/health/startup: start-up is complete. /health/ready: Postgres answers too. /health/live: the event loop runs and the
listener tasks that Orcheo starts, and never restarts, have not died. /healthz/… is the same.
"""

import asyncio
import logging
import os
import re
import ssl
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn

from orcheo_runtime.dependencies import postgres_answers

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

CERTIFICATE = Path("/etc/orcheo/tls/tls.crt")
KEY = Path("/etc/orcheo/tls/tls.key")
CERTIFICATE_CHECK_SECONDS = 60
ACCESS_TOKEN = re.compile(r"(access_token=)[^&\s\"']*")


class Health:
    """Answers the health paths and passes all else on to `application`."""

    def __init__(self, application: Application, state: Any) -> None:
        """`state`: of the FastAPI application, where Orcheo keeps its listener service."""
        self.application = application
        self.state = state
        self.started = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] == "lifespan":

            async def watch(message: Message) -> None:
                self.started = self.started or message["type"] == "lifespan.startup.complete"
                await send(message)

            await self.application(scope, receive, watch)
            return
        area, _, question = scope["path"].lstrip("/").partition("/")
        if scope["type"] == "http" and area in ("health", "healthz") and question in ("live", "ready", "startup"):
            healthy = await self.answer(question)
            await send(
                {
                    "type": "http.response.start",
                    "status": 200 if healthy else 503,
                    "headers": [(b"content-length", b"0"), (b"cache-control", b"no-store")],
                }
            )
            await send({"type": "http.response.body", "body": b""})
            return
        await self.application(scope, receive, send)

    async def answer(self, question: str) -> bool:
        """Whether the process is `live`, `ready` or past its `startup`."""
        if question == "live":
            return not self.dead_tasks()
        if question == "startup":
            return self.started
        return self.started and not self.dead_tasks() and await asyncio.to_thread(postgres_answers)

    def dead_tasks(self) -> list[str]:
        """Names of listener tasks that ended though nobody stopped them (stopped ones are None)."""
        service = getattr(self.state, "listener_runtime", None)
        tasks = {name: getattr(service, name, None) for name in ("_serve_task", "_health_task")}
        return [name for name, task in tasks.items() if task is not None and task.done()]


class RedactAccessToken(logging.Filter):
    """Browsers pass their token to WebSockets in the URL; it must not reach the logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Replaces the token in message and arguments."""
        record.msg = ACCESS_TOKEN.sub(r"\1***", str(record.msg))
        if isinstance(record.args, tuple):
            record.args = tuple(ACCESS_TOKEN.sub(r"\1***", a) if isinstance(a, str) else a for a in record.args)
        return True


async def reload_certificate(context: ssl.SSLContext) -> None:
    """New connections get a renewed certificate; a half-written pair is tried again a minute later."""
    seen = CERTIFICATE.read_bytes()
    while True:
        await asyncio.sleep(CERTIFICATE_CHECK_SECONDS)
        try:
            current = CERTIFICATE.read_bytes()
            if current != seen:
                context.load_cert_chain(CERTIFICATE, KEY)
                seen = current
        except OSError as error:
            logging.getLogger("uvicorn.error").warning("certificate not re-loaded: %s", error)


async def serve() -> bool:
    """Serves until SIGTERM; False when start-up failed."""
    from orcheo_backend.app import app

    tls = CERTIFICATE.is_file()
    config = uvicorn.Config(
        Health(app, app.state),
        host="0.0.0.0",  # noqa: S104 - the pod's address is not known before
        port=8443 if tls else 8000,
        ssl_certfile=CERTIFICATE if tls else None,
        ssl_keyfile=KEY if tls else None,
        proxy_headers=True,
        lifespan="on",
        log_level=os.environ.get("ORCHEO_LOG_LEVEL", "INFO").lower(),
        timeout_graceful_shutdown=30,
    )
    config.load()
    for name in ("uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).addFilter(RedactAccessToken())
    watcher = asyncio.create_task(reload_certificate(config.ssl)) if config.ssl else None
    server = uvicorn.Server(config)
    await server.serve()
    if watcher:
        watcher.cancel()
    return server.started


if __name__ == "__main__":
    raise SystemExit(0 if asyncio.run(serve()) else 3)
