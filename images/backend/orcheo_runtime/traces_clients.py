"""Spans of statements to Postgres and of outgoing HTTP calls, inside a span that is kept; elsewhere nothing is added.

opentelemetry-instrumentation has packages for both. That of psycopg wraps psycopg.connect, which psycopg's pools do not
call; that of httpx records whole URLs and tells every server the trace's id.
"""

import functools
import importlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, StatusCode

from orcheo_runtime import otlp

# Texts, numbers and comments of a statement; a text that does not end is one too.
LITERAL = re.compile(
    r"\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)"
    r"|\b[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z)"
    r"|'(?:[^']|'')*(?:'|\Z)"
    r"|(?<![\w$.])-?\d+(?:\.\d+)?\b"
    r"|--[^\n]*|/\*.*?(?:\*/|\Z)",
    re.DOTALL,
)
# An INSERT of a thousand rows has thousands of parameters.
LONGEST_STATEMENT = 1000


@functools.lru_cache(2048)
def statement(text: str) -> tuple[str, str]:
    """(SELECT, the statement with ? for every value that is written in it); parameters are not part of it."""
    shown = " ".join(LITERAL.sub("?", text[: 4 * LONGEST_STATEMENT]).split())[:LONGEST_STATEMENT]
    return (re.match(r"[A-Za-z]+", shown) or ["SQL"])[0].upper(), shown


@contextmanager
def call(name: str, attributes: dict[str, Any]) -> Iterator[Span]:
    """A client's span. Of an error only its type: Postgres' messages show the values of rows, others whole URLs."""
    tracer = trace.get_tracer("orcheo_runtime")
    with tracer.start_as_current_span(
        name, kind=SpanKind.CLIENT, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise


def kept() -> bool:
    """Whether there is a trace that this belongs to. What runs in the background belongs to none."""
    return trace.get_current_span().is_recording()


def of_query(query: Any) -> dict[str, Any]:
    """Of psycopg's own compositions, which may hold values, there is no text."""
    text = query.decode("utf-8", "replace") if isinstance(query, bytes) else query
    operation, shown = statement(text) if isinstance(text, str) else ("SQL", "")
    return {"db.system.name": "postgresql", "db.operation.name": operation, **({"db.query.text": shown} if shown else {})}


def trace_postgres() -> None:
    """Once in each process, or before it forks."""
    import psycopg

    def traced(execute: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(execute)
        def wrapped(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
            if not kept():
                return execute(self, query, *arguments, **options)
            attributes = of_query(query)
            with call(attributes["db.operation.name"], attributes):
                return execute(self, query, *arguments, **options)

        return wrapped

    def traced_async(execute: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(execute)
        async def wrapped(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
            if not kept():
                return await execute(self, query, *arguments, **options)
            attributes = of_query(query)
            with call(attributes["db.operation.name"], attributes):
                return await execute(self, query, *arguments, **options)

        return wrapped

    for owner, change in ((psycopg.Cursor, traced), (psycopg.AsyncCursor, traced_async)):
        for name in ("execute", "executemany"):
            setattr(owner, name, change(getattr(owner, name)))


def may_know(host: str) -> bool:
    """Whether the server is one that the deployment lets continue the trace: all others would learn its id."""
    allowed = os.environ.get(otlp.variable("traces", "HOSTS"), "").split(",")
    return any(host == each or (each.startswith(".") and host.endswith(each)) for each in allowed if each)


def of_request(request: Any) -> dict[str, Any]:
    """Neither path nor query: a webhook's path is its secret."""
    port = request.url.port or (443 if request.url.scheme == "https" else 80)
    return {"http.request.method": request.method, "url.scheme": request.url.scheme, "server.address": request.url.host, "server.port": port}


def answered(span: Span, response: Any) -> Any:
    """`response`, noted."""
    span.set_attribute("http.response.status_code", response.status_code)
    if response.status_code >= 400:
        span.set_status(StatusCode.ERROR)
    return response


def trace_http(modules: tuple[str, ...] = ("httpx", "httpx2")) -> None:
    """What Orcheo's nodes and the clients of language models call by."""

    def traced(handle: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handle)
        def wrapped(self: Any, request: Any) -> Any:
            if not kept():
                return handle(self, request)
            with call(request.method, of_request(request)) as span:
                if may_know(request.url.host):
                    propagate.inject(request.headers)
                return answered(span, handle(self, request))

        return wrapped

    def traced_async(handle: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handle)
        async def wrapped(self: Any, request: Any) -> Any:
            if not kept():
                return await handle(self, request)
            with call(request.method, of_request(request)) as span:
                if may_know(request.url.host):
                    propagate.inject(request.headers)
                return answered(span, await handle(self, request))

        return wrapped

    # httpx2 can take the place of httpx.
    for module in {importlib.import_module(name) for name in modules}:
        module.HTTPTransport.handle_request = traced(module.HTTPTransport.handle_request)
        module.AsyncHTTPTransport.handle_async_request = traced_async(module.AsyncHTTPTransport.handle_async_request)
