"""What each layer between the socket and Orcheo's application costs: a server of the image with a handler that does nothing.

Prints JSON: for each layer, in LAYERS' order and each added to those before, the server's processor milliseconds per request.
"""

import http.client
import json
import logging
import os
import signal
import socket
import ssl
import threading
import time
from types import SimpleNamespace
from typing import Any

LAYERS = (
    "uvicorn's own command: http, its own log",
    "asyncio's loop instead of uvloop",
    "TLS",
    "an access log in JSON, redacted",
    "health answers, request ids, internal paths refused",
    "metrics",
)
CALLERS = 8
REQUESTS = 6000
ROUNDS = 3
TICKS = os.sysconf("SC_CLK_TCK")


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """The application."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


def serve(listener: socket.socket, count: int) -> None:
    """Serves with the first `count` layers, until it is killed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    import uvicorn
    from orcheo_runtime import api, logs, metrics, metrics_api, request_ids
    from orcheo_runtime.inside import KeepInside

    loop, tls, log, answers, metered = (count > position for position in range(1, len(LAYERS)))
    application: Any = nothing
    if metered:
        application = metrics_api.Measured(application, metrics.new_registry())
    if answers:
        application = request_ids.Identified(KeepInside(api.Health(application, SimpleNamespace())))
    config = uvicorn.Config(
        application,
        loop="asyncio" if loop else "auto",
        lifespan="off",
        proxy_headers=True,
        ssl_certfile=api.CERTIFICATE if tls else None,
        ssl_keyfile=api.KEY if tls else None,
        **({"log_config": None} if log else {}),
    )
    if log:
        logs.install()
        logging.getLogger("uvicorn.access").addFilter(api.WithoutProbes())
    uvicorn.Server(config).run([listener])


def ask(port: int, tls: bool, count: int) -> None:
    """So many requests over one connection."""
    context = ssl._create_unverified_context()  # noqa: S323 - the server is this script's own
    connection = (
        http.client.HTTPSConnection("127.0.0.1", port, context=context)
        if tls
        else http.client.HTTPConnection("127.0.0.1", port)
    )
    for _ in range(count):
        connection.request("GET", "/api/nothing")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"answered with {answer.status}")
    connection.close()


def load(port: int, tls: bool, count: int) -> None:
    """So many requests by all callers at once; an error in one of them ends the script."""
    failed: list[BaseException] = []

    def call() -> None:
        try:
            ask(port, tls, count // CALLERS)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def used(process: int) -> float:
    """User and system seconds of the process."""
    fields = open(f"/proc/{process}/stat").read().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(count: int) -> float:
    """Processor milliseconds per request with the first `count` layers."""
    # As the API has its sockets: with the protocol's name, asyncio sends without delay.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port, tls = listener.getsockname()[1], count > 2
    process = os.fork()
    if process == 0:
        try:
            serve(listener, count)
        finally:
            os._exit(1)
    listener.close()
    try:
        # The first of them wait for its imports.
        load(port, tls, 100 * CALLERS)
        before = used(process)
        load(port, tls, REQUESTS)
        return (used(process) - before) / REQUESTS * 1000
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        time.sleep(0.2)


if __name__ == "__main__":
    least = dict.fromkeys(LAYERS, float("inf"))
    for _ in range(ROUNDS):
        for count, layer in enumerate(LAYERS, 1):
            least[layer] = min(least[layer], measure(count))
    print(json.dumps(least))
