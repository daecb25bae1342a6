"""What the API does: requests by route, open WebSockets, and the connections of each store's pool."""

import time
import weakref
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Any, Send], Awaitable[None]]

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
NO_ROUTE = "none"
COMPLETED, REFUSED, FAILED = "completed", "refused", "failed"
# "Internal error", as WebSockets say it when they close.
INTERNAL_ERROR = 1011


def route_of(scope: Message) -> str:
    """The template that matched, such as /api/workflows/{workflow_ref}: callers choose paths, and each would be a time series."""
    # A router that was included with a prefix: its own route does not know the prefix.
    included = scope.get("fastapi", {}).get("effective_route_context")
    for found in (getattr(included, "starlette_route", None), included, scope.get("route")):
        template = getattr(found, "path_format", None)
        if template:
            return str(template)
    return NO_ROUTE


class Measured:
    """Passes everything on to `application`, and counts it."""

    def __init__(self, application: Application, registry: CollectorRegistry) -> None:
        """`application`: without the health answers, which would hide everything else."""
        self.application = application
        self.requests = Counter(
            "orcheo_http_requests", "Answered requests.", ("route", "method", "status"), registry=registry
        )
        self.seconds = Histogram(
            "orcheo_http_request_duration_seconds",
            "Time until an answer begins: a stream may go on for minutes after that.",
            ("route", "method"),
            buckets=SECONDS,
            registry=registry,
        )
        self.opening = Histogram(
            "orcheo_websocket_opening_seconds",
            "Time until a WebSocket is accepted, refused or failed.",
            buckets=SECONDS,
            registry=registry,
        )
        self.websockets = Gauge("orcheo_websockets_open", "Accepted WebSockets that are open.", registry=registry)
        self.ended = Counter("orcheo_websockets", "WebSockets that have ended.", ("outcome",), registry=registry)
        for outcome in (COMPLETED, REFUSED, FAILED):
            # A series that began with its first failure would hide that one from increase().
            self.ended.labels(outcome)

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] == "http":
            await self.request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self.websocket(scope, receive, send)
        else:
            await self.application(scope, receive, send)

    async def request(self, scope: Message, receive: Any, send: Send) -> None:
        """Counted when its answer has begun, or failed to."""
        started = time.perf_counter()
        status, seconds = 500, None

        async def watch(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.perf_counter() - started
            await send(message)

        try:
            await self.application(scope, receive, watch)
        finally:
            route, method = route_of(scope), scope["method"] if scope["method"] in METHODS else "other"
            self.requests.labels(route, method, f"{status // 100}xx").inc()
            self.seconds.labels(route, method).observe(time.perf_counter() - started if seconds is None else seconds)

    async def websocket(self, scope: Message, receive: Any, send: Send) -> None:
        """Open from its acceptance to its end, whichever side ends it; counted once, at its end."""
        # None until something decides it: an application that says nothing has failed.
        accepted, outcome = False, None
        started, seconds = time.perf_counter(), None

        def unless_failed() -> str:
            return COMPLETED if accepted else REFUSED

        async def hear() -> Any:
            nonlocal outcome
            message = await receive()
            if message["type"] == "websocket.disconnect":
                # Nobody is there any more whom the application could fail.
                outcome = outcome or unless_failed()
            return message

        async def watch(message: Message) -> None:
            nonlocal accepted, outcome, seconds
            if seconds is None:
                # Whatever it says first.
                seconds = time.perf_counter() - started
            try:
                await send(message)
            except OSError:
                # So the server says that the caller has left.
                outcome = outcome or unless_failed()
                raise
            if message["type"] == "websocket.accept" and not accepted:
                accepted = True
                self.websockets.inc()
            elif message["type"] == "websocket.close":
                outcome = outcome or (FAILED if message.get("code") == INTERNAL_ERROR else unless_failed())
            elif message["type"] == "websocket.http.response.start":
                outcome = outcome or (FAILED if message["status"] >= 500 else REFUSED)

        try:
            await self.application(scope, hear, watch)
            if accepted:
                # The server closes what the application leaves open.
                outcome = outcome or COMPLETED
        finally:
            if accepted:
                self.websockets.dec()
            self.opening.observe(time.perf_counter() - started if seconds is None else seconds)
            self.ended.labels(outcome or FAILED).inc()


def store_of(module: str) -> str:
    """orcheo_backend.app.history.postgres_store -> history."""
    parts = [part for part in module.split(".") if part not in ("orcheo", "orcheo_backend", "app")]
    return parts[0] if parts else module


class Pools(Collector):
    """Every pool of Postgres connections of this process, by the store that created it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Notes all pools that are created from now on."""
        import psycopg_pool.base

        self.pools: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        pool, noted = psycopg_pool.base.BasePool, self.pools
        create = pool.__init__

        def note(self: Any, *arguments: Any, **options: Any) -> None:
            create(self, *arguments, **options)
            noted[self] = store_of(creator())

        pool.__init__ = note  # type: ignore[method-assign]
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Stores with several pools are added up."""
        connections = GaugeMetricFamily(
            "orcheo_pool_connections", "Connections of the pools.", labels=("store", "state")
        )
        waiting = GaugeMetricFamily(
            "orcheo_pool_requests_waiting", "Callers that wait for a connection.", labels=("store",)
        )
        most = GaugeMetricFamily("orcheo_pool_connections_max", "Connections that a store may open.", labels=("store",))
        sums: dict[str, list[int]] = {}
        for pool, store in list(self.pools.items()):
            if pool.closed:
                continue
            stats = pool.get_stats()
            idle = stats["pool_available"]
            mine = (stats["pool_size"] - idle, idle, stats["requests_waiting"], stats["pool_max"])
            sums[store] = [a + b for a, b in zip(sums.get(store, [0, 0, 0, 0]), mine, strict=True)]
        for store, (used, idle, waits, limit) in sorted(sums.items()):
            connections.add_metric((store, "used"), used)
            connections.add_metric((store, "idle"), idle)
            waiting.add_metric((store,), waits)
            most.add_metric((store,), limit)
        yield from (connections, waiting, most)


def creator() -> str:
    """The module that creates a pool."""
    import sys

    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(("psycopg_pool", __name__)):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "unknown"))
