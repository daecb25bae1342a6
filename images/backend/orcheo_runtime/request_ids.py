"""One id for all that a request sets off: in each line of the log about it, in its answer, and in the worker that executes its run.

The id is the one that the request brings (X-Request-ID, or its trace's), so that the entrance's log has it too; else a new one.
"""

import re
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Any, Send], Awaitable[None]]

HEADER = b"x-request-id"
# In messages of Celery.
MESSAGE_HEADER = "orcheo_request"
# Whatever else a client sends there is not logged.
ACCEPTED = re.compile(r"[A-Za-z0-9][\w.-]{7,127}", re.ASCII)
TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-")
AWS_TRACE = re.compile(r"(?:^|;)Root=([\w-]{8,128})", re.ASCII)

request: ContextVar[str | None] = ContextVar("request", default=None)
run: ContextVar[str | None] = ContextVar("run", default=None)


def nothing() -> dict[str, str]:
    """No further fields."""
    return {}


# Further fields: where there are traces, the id of the trace (traces.py).
more: Callable[[], dict[str, str]] = nothing


def fields() -> dict[str, str]:
    """What a line of the log says of its origin: `request`, in a worker `run`, and `trace` where there are traces."""
    return {name: value for name, value in (("request", request.get()), ("run", run.get())) if value} | more()


def id_of(scope: Message) -> str:
    """The id of an ASGI connection, by its own headers, a W3C trace or that of a load balancer of AWS."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in (HEADER, b"traceparent", b"x-amzn-trace-id")}
    own = headers.get(HEADER, "")
    if ACCEPTED.fullmatch(own):
        return own
    trace = TRACE.match(headers.get(b"traceparent", "")) or AWS_TRACE.search(headers.get(b"x-amzn-trace-id", ""))
    return trace[1] if trace else uuid.uuid4().hex


class Identified:
    """Gives each request its id, and passes everything on to `application`."""

    def __init__(self, application: Application) -> None:
        """`application`: its answers get the id as a header."""
        self.application = application

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """One ASGI connection, in a task of its own."""
        if scope["type"] not in ("http", "websocket"):
            await self.application(scope, receive, send)
            return
        own = id_of(scope)
        request.set(own)

        async def identify(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                message["headers"] = [*message.get("headers", ()), (HEADER, own.encode())]
            await send(message)

        await self.application(scope, receive, identify)


def install() -> None:
    """Messages of Celery carry the id from the API to the worker. In the worker: call before it forks."""
    from celery.signals import before_task_publish, task_postrun, task_prerun

    before_task_publish.connect(_publish, weak=False)
    task_prerun.connect(_begin, weak=False)
    task_postrun.connect(_end, weak=False)


def _publish(headers: dict[str, Any] | None = None, **_: Any) -> None:
    own = request.get()
    if own and headers is not None:
        headers[MESSAGE_HEADER] = own


def _begin(task: Any, args: Any, **_: Any) -> None:
    request.set(getattr(task.request, MESSAGE_HEADER, None))
    run.set(str(args[0]) if task.name.endswith(".execute_run") and args else None)


def _end(**_: Any) -> None:
    request.set(None)
    run.set(None)
