"""Traces: one for each run, from the request that dispatched it through the queue to the worker, Postgres and outgoing calls.

FastAPI creates the spans of requests itself once there is a provider; those of messages and tasks are made here, and those
of Postgres and of outgoing calls in traces_clients.py. Loaded only where ORCHEO_OTLP_TRACES_ENDPOINT is set.

Whether a trace is kept follows from its id alone (ORCHEO_OTLP_TRACES_PERCENT): API, worker and Traefik decide alike, and no
client's header makes them keep more. What leaves the process is in ALLOWED, without secrets and personal data (redact.py).
"""

import functools
import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from orcheo_runtime import logs, otlp, request_ids
from orcheo_runtime.redact import Redactor

# Nothing else is exported. No path and no query of a URL: both can hold tokens; of a request it is the template of its route.
ALLOWED = frozenset(
    {
        *("http.request.method", "http.route", "http.response.status_code", "url.scheme", "server.address", "server.port"),
        *("network.protocol.name", "network.protocol.version", "error.type", "code.function.name"),
        *("db.system.name", "db.operation.name", "db.query.text"),
        *("messaging.system", "messaging.operation.type", "messaging.destination.name", "celery.task_name", "celery.state"),
        *("orcheo.run.id", "orcheo.run.status", "orcheo.request.id", "orcheo.execution.id", "orcheo.workflow.id"),
        *("orcheo.node.id", "orcheo.node.kind", "orcheo.node.status", "orcheo.node.latency_ms"),
        *("orcheo.token.input", "orcheo.token.output", "orcheo.ai.kind", "orcheo.ai.provider"),
        *("orcheo.ai.model.requested", "orcheo.ai.model.actual"),
    }
)
# Of events, only exceptions. A stack trace repeats the messages of all that it led to.
EVENT = "exception"
EVENT_ALLOWED = frozenset({"exception.type", "exception.message"})
LONGEST_VALUE = 2000
# So long an ended span waits for others. A process that is killed loses those of its last second.
SCHEDULE_MILLISECONDS = float(os.environ.get("OTEL_BSP_SCHEDULE_DELAY", "1000"))
# Spans that wait; more are dropped. About 4 MB.
QUEUE = 2048
FLUSH_SECONDS = 3.0
HEADER = "traceparent"
RUN = "execute_run"

logger = logging.getLogger("orcheo_runtime.traces")
provider: TracerProvider | None = None
# The span of the task that this process executes, and how to leave it.
task_span: ContextVar[tuple[trace.Span, Any] | None] = ContextVar("task_span", default=None)


class Cleaned(SpanExporter):
    """Passes on what may leave the process. In the exporter's thread: no request waits for it."""

    def __init__(self, exporter: SpanExporter, secrets: Sequence[str]) -> None:
        """`secrets`: values that are removed wherever they stand."""
        self.exporter = exporter
        # Statements, routes and names repeat.
        self.text = functools.lru_cache(4096)(Redactor(secrets))

    def value(self, value: Any) -> Any:
        """An attribute's."""
        if isinstance(value, str):
            return self.text(value[:LONGEST_VALUE])
        if isinstance(value, (list, tuple)):
            return [self.value(each) for each in value]
        return value

    def attributes(self, given: Any, allowed: frozenset[str]) -> dict[str, Any]:
        """Those that are allowed."""
        return {name: self.value(value) for name, value in (given or {}).items() if name in allowed}

    def span(self, span: ReadableSpan) -> ReadableSpan:
        """A copy."""
        return ReadableSpan(
            name=self.text(span.name[:LONGEST_VALUE]),
            context=bare(span.context),
            parent=bare(span.parent),
            resource=span.resource,
            attributes=self.attributes(span.attributes, ALLOWED),
            events=[
                Event(each.name, self.attributes(each.attributes, EVENT_ALLOWED), each.timestamp)
                for each in span.events
                if each.name == EVENT
            ],
            links=[Link(context) for each in span.links if (context := bare(each.context)) is not None],
            kind=span.kind,
            status=Status(span.status.status_code, self.text(span.status.description) if span.status.description else None),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """One batch."""
        return self.exporter.export([self.span(each) for each in spans])

    def shutdown(self) -> None:
        """Sends nothing more."""
        self.exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Holds nothing back itself."""
        return self.exporter.force_flush(timeout_millis)


def bare(given: SpanContext | None) -> SpanContext | None:
    """Without the `tracestate`, which is whatever a client sent."""
    return given and SpanContext(given.trace_id, given.span_id, given.is_remote, given.trace_flags)


class Named(SpanProcessor):
    """Each span says which run and which request it belongs to."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """While it may still be changed."""
        for name, value in (("request", request_ids.request.get()), ("run", request_ids.run.get())):
            if value:
                span.set_attribute(f"orcheo.{name}.id", value)


def start(role: str, exporter: SpanExporter | None = None) -> None:
    """In each process that creates spans. In a worker after its fork: the exporter's thread would stay behind.

    `exporter`: by default the one that the deployment's settings describe.
    """
    global provider
    percent = float(os.environ.get(otlp.variable("traces", "PERCENT"), "100"))
    provider = TracerProvider(sampler=TraceIdRatioBased(percent / 100), resource=otlp.resource(role), shutdown_on_exit=False)
    cleaned = Cleaned(exporter or OTLPSpanExporter(**otlp.options("traces")), logs.secrets_of(os.environ))
    otlp.log_seldom(OTLPSpanExporter.__module__, "opentelemetry.sdk._shared_internal")
    provider.add_span_processor(Named())
    provider.add_span_processor(BatchSpanProcessor(cleaned, QUEUE, SCHEDULE_MILLISECONDS))
    trace.set_tracer_provider(provider)
    if trace.get_tracer_provider() is not provider:
        logger.error("no traces are sent: something else has set a provider of traces before")
    # The default also passes on `baggage`, any text of a client.
    propagate.set_global_textmap(TraceContextTextMapPropagator())
    request_ids.more = trace_field


def trace_field() -> dict[str, str]:
    """For lines of the log."""
    found = trace.get_current_span().get_span_context()
    return {"trace": f"{found.trace_id:032x}"} if found.is_valid else {}


def stop() -> None:
    """At the process' end: sends what waits, for a few seconds at most."""
    if provider is not None:
        last = threading.Thread(target=provider.shutdown, name="traces", daemon=True)
        last.start()
        last.join(FLUSH_SECONDS)


def tracer() -> trace.Tracer:
    """Of the provider that is set when it is called."""
    return trace.get_tracer("orcheo_runtime")


def short(task: str) -> str:
    """orcheo_backend.worker.tasks.execute_run -> execute_run."""
    return task.rpartition(".")[2]


def attributes_of(task: str, operation: str, arguments: Any) -> dict[str, str]:
    """Of a message. Of its arguments only the run's id: others can be anything."""
    run = {"orcheo.run.id": str(arguments[0])} if short(task) == RUN and arguments else {}
    return {
        "messaging.system": "celery",
        "messaging.operation.type": operation,
        "messaging.destination.name": "celery",
        "celery.task_name": short(task),
        **run,
    }


def trace_messages(app: Any) -> None:
    """Messages that `app` sends carry their trace. Also for a task's delay() and apply_async()."""
    from celery.signals import before_task_publish

    send: Callable[..., Any] = app.send_task

    @functools.wraps(send)
    def traced(name: str, args: Any = None, *rest: Any, **options: Any) -> Any:
        # One trace for each run: those that a task dispatches, such as the round of the schedule, begin their own.
        inside = task_span.get()
        own = inside is not None and short(name) == RUN
        with tracer().start_as_current_span(
            f"send {short(name)}",
            context=Context() if own else None,
            links=[Link(inside[0].get_span_context())] if own and inside else None,
            kind=SpanKind.PRODUCER,
            attributes=attributes_of(name, "send", args),
        ):
            return send(name, args, *rest, **options)

    app.send_task = traced
    before_task_publish.connect(_publish, weak=False)


def _publish(headers: dict[str, Any] | None = None, **_: Any) -> None:
    if headers is not None:
        propagate.inject(headers)


def trace_tasks() -> None:
    """A span for each task, with its message's as the parent. Call before the worker forks, after request_ids.install()."""
    from celery.signals import task_failure, task_postrun, task_prerun, worker_process_init, worker_process_shutdown

    worker_process_init.connect(lambda **_: start("worker"), weak=False)
    worker_process_shutdown.connect(lambda **_: stop(), weak=False)
    task_prerun.connect(_begin, weak=False)
    task_failure.connect(_fail, weak=False)
    task_postrun.connect(_end, weak=False)


def _begin(task: Any, args: Any, **_: Any) -> None:
    parent = propagate.extract({HEADER: getattr(task.request, HEADER, None) or ""}, context=Context())
    span = tracer().start_span(
        short(task.name), context=parent, kind=SpanKind.CONSUMER, attributes=attributes_of(task.name, "process", args)
    )
    task_span.set((span, context.attach(trace.set_span_in_context(span))))


def _fail(exception: BaseException | None = None, **_: Any) -> None:
    found = task_span.get()
    if found is not None and exception is not None:
        span, _token = found
        span.record_exception(exception)
        span.set_attribute("error.type", type(exception).__name__)
        span.set_status(StatusCode.ERROR)


def _end(retval: Any = None, state: str | None = None, **_: Any) -> None:
    found = task_span.get()
    if found is None:
        return
    span, token = found
    # Orcheo's task says in its result what became of the run; one that raises is rare.
    status = retval.get("status") if isinstance(retval, dict) else None
    if isinstance(status, str):
        span.set_attribute("orcheo.run.status", status)
        if status == "failed":
            span.set_status(StatusCode.ERROR)
    span.set_attribute("celery.state", str(state))
    task_span.set(None)
    context.detach(token)
    span.end()
