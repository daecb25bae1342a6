"""One trace from a request through a real FastAPI, Celery and Postgres to outgoing calls, as a server of OTLP receives it."""

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from unittest.mock import patch

import httpx
import httpx2
import psycopg
from celery import Celery
from fastapi import FastAPI
from opentelemetry import context, trace
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.util._once import Once
from orcheo_runtime import otlp, request_ids, traces, traces_clients

from metrics_tests.otlp_receiver import Received, Receiver
from metrics_tests.support import APP, WORK, Postgres, certificate, start_worker
from tests import test_redact

ENDPOINT, PERCENT, HOSTS, CA_FILE = (otlp.variable("traces", name) for name in ("ENDPOINT", "PERCENT", "HOSTS", "CA_FILE"))
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
ERROR = 2
RUN = "7f1d1c2e-0b3a-4d8e-9a41-3c1b52f1d0aa"
TASKS = """
from orcheo_runtime import otlp, request_ids, traces, traces_clients
import httpx, psycopg

@app.task(name="orcheo_backend.worker.tasks.execute_run")
def execute_run(run):
    if run == "raises":
        raise ValueError("the password=dXNlcjpwYXNz of ada@example.com is wrong")
    with psycopg.connect(host=os.environ["SQL"], user="postgres", dbname="postgres") as connection:
        connection.execute("SELECT 'ada@example.com', 42, %s", ("a-parameter",))
    httpx.get(os.environ["CALLED"] + "/hook/T0K3N-in-the-path?key=in-the-query")
    print("executed")
    return {"status": "failed" if run == "fails" else "succeeded"}

@app.task(name="orcheo_backend.worker.tasks.dispatch_cron_triggers")
def dispatch_cron_triggers():
    for run in ("of-cron-1", "of-cron-2"):
        execute_run.delay(run)

request_ids.install()
if otlp.wanted("traces"):
    traces.trace_messages(app)
    traces.trace_tasks()
    traces_clients.trace_postgres()
    traces_clients.trace_http()
"""


# Ends with the first import of Orcheo's backend, which would set a provider of its own.
ORDER = """
import asyncio, os, sys
from types import ModuleType
from unittest.mock import patch

class Finder:
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "orcheo_backend":
            os.write(1, str(provider._configured).encode())
            os._exit(0)

orcheo, tracing, provider, uvicorn = map(ModuleType, ("orcheo", "orcheo.tracing", "orcheo.tracing.provider", "uvicorn"))
provider._configured, tracing.provider, orcheo.tracing = False, provider, tracing
sys.modules.update({each.__name__: each for each in (orcheo, tracing, provider, uvicorn)})
sys.meta_path.insert(0, Finder())
from orcheo_runtime import api, worker
with patch("orcheo_runtime.connections.check_before_use"), patch("orcheo_runtime.reconciler.fork"):
    with patch("orcheo_runtime.vault.leave_with_another_key"):
        worker.main() if sys.argv[1] == "worker" else asyncio.run(api.serve([]))
"""


class Called:
    """A server that a run calls; it keeps the headers of the last call."""

    def __init__(self, test: unittest.TestCase) -> None:
        called = self
        self.headers: dict[str, str] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802
                called.headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(404 if "missing" in self.path else 204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        test.addCleanup(server.server_close)
        test.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}"


class Traced(unittest.TestCase):
    """Each test has its own provider; the patches of clients are made once."""

    def setUp(self) -> None:
        self.receiver = Receiver(self)
        # Those of another test's request.
        for name in (request_ids.request, request_ids.run):
            name.set(None)

    def trace(self, **environment: str) -> None:
        """Traces of this process, which is the API."""
        environ = patch.dict(os.environ, {ENDPOINT: f"{self.receiver.url}/v1/traces", **environment})
        environ.start()
        self.addCleanup(environ.stop)
        # OpenTelemetry takes one provider for a process' lifetime.
        trace._TRACER_PROVIDER_SET_ONCE = Once()
        traces.start("api")
        self.addCleanup(setattr, request_ids, "more", request_ids.nothing)
        self.addCleanup(traces.stop)


class Ways(Postgres, Traced):
    def start(self, **environment: str) -> Celery:
        self.called = Called(self)
        more = {"SQL": self.folder, "CALLED": self.called.url, "OTEL_METRIC_EXPORT_INTERVAL": "1000000"}
        self.trace(**more, **environment)
        self.process, app = start_worker(self, APP + TASKS + WORK)
        request_ids.install()
        traces.trace_messages(app)
        return app

    def dispatch(self, app: Celery, run: str, **headers: str) -> None:
        """By a request to the API."""
        api = FastAPI()

        @api.post("/api/workflows/{ref}/runs")
        async def dispatch(ref: str) -> str:
            app.send_task("orcheo_backend.worker.tasks.execute_run", (run,))
            return ref

        async def post() -> None:
            transport = httpx.ASGITransport(app=request_ids.Identified(api))
            async with httpx.AsyncClient(transport=transport, base_url="https://orcheo.example") as client:
                await client.post("/api/workflows/ada@example.com/runs?token=dXNlcjpwYXNz", headers=headers)

        asyncio.run(post())

    def until(self, text: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if text in line:
                return
        raise AssertionError(f"the worker ended without: {text}")

    def test_one_trace_from_the_ingress_to_postgres_and_outgoing_calls(self) -> None:
        app = self.start()
        self.dispatch(app, RUN, traceparent=f"00-{TRACE}-{PARENT}-01", tracestate="who=ada@example.com", baggage="user=ada@example.com")
        request = self.receiver.span("POST /api/workflows/{ref}/runs")
        send, run = self.receiver.span("send execute_run"), self.receiver.span("execute_run")
        select, call = self.receiver.span("SELECT"), self.receiver.span("GET")
        every = (request, send, run, select, call)
        self.assertEqual({each.trace for each in every}, {TRACE})
        self.assertEqual([each.kind for each in every], [SERVER, PRODUCER, CONSUMER, CLIENT, CLIENT])
        self.assertEqual([each.service for each in every], ["orcheo-api"] * 2 + ["orcheo-worker"] * 3)
        # Between them are FastAPI's own spans.
        self.assertEqual(request.parent, PARENT)
        self.assertIn(request.id, self.above(send))
        self.assertEqual([each.parent for each in every[2:]], [send.id, run.id, run.id])
        for each in every[1:]:
            self.assertEqual(each.attributes["orcheo.run.id"], RUN)
            self.assertEqual(each.attributes["orcheo.request.id"], TRACE)
        self.assertEqual(run.attributes["orcheo.run.status"], "succeeded")
        self.assertEqual(select.attributes["db.query.text"], "SELECT ?, ?, %s")
        self.assertEqual(call.attributes["http.response.status_code"], 204)
        for secret in (b"ada@example.com", b"dXNlcjpwYXNz", b"a-parameter", b"T0K3N", b"in-the-query"):
            for body in self.receiver.bodies:
                self.assertNotIn(secret, body)
        self.assertNotIn("traceparent", self.called.headers)

    def above(self, span: Received) -> list[str]:
        """Ids of the spans that a span is inside of."""
        ids: list[str] = []
        while span.parent:
            ids.append(span.parent)
            parent = span.parent
            if parent == PARENT:
                break
            span = self.receiver.wait(lambda receiver, parent=parent: next((each for each in receiver.spans if each.id == parent), None))
        return ids

    def test_only_named_servers_learn_the_id(self) -> None:
        app = self.start(**{HOSTS: "127.0.0.1"})
        self.dispatch(app, RUN, traceparent=f"00-{TRACE}-{PARENT}-01")
        call = self.receiver.span("GET")
        self.assertEqual(self.called.headers["traceparent"], f"00-{TRACE}-{call.id}-01")

    def test_failed_runs(self) -> None:
        app = self.start()
        self.dispatch(app, "fails")
        run = self.receiver.span("execute_run")
        self.assertEqual((run.status, run.attributes["orcheo.run.status"]), (ERROR, "failed"))
        self.dispatch(app, "raises")
        run = self.receiver.span("execute_run", **{"orcheo.run.id": "raises"})
        self.assertEqual((run.status, run.attributes["error.type"]), (ERROR, "ValueError"))
        shown = {"exception.type": "ValueError", "exception.message": "the password=*** of *** is wrong"}
        self.assertEqual(run.events, [("exception", shown)])

    def test_each_run_of_a_round_of_the_schedule_has_its_own_trace(self) -> None:
        app = self.start()
        app.send_task("orcheo_backend.worker.tasks.dispatch_cron_triggers")
        round_ = self.receiver.span("dispatch_cron_triggers")
        runs = [self.receiver.span("execute_run", **{"orcheo.run.id": f"of-cron-{number}"}) for number in (1, 2)]
        self.assertEqual(len({round_.trace, *(each.trace for each in runs)}), 3)
        for each in runs:
            self.assertEqual(self.receiver.span("send execute_run", **{"orcheo.run.id": each.attributes["orcheo.run.id"]}).links, [round_.trace])

    def test_nothing_is_kept_of_0_percent_whatever_the_client_says(self) -> None:
        app = self.start(**{PERCENT: "0"})
        self.dispatch(app, RUN, traceparent=f"00-{TRACE}-{PARENT}-01")
        self.until("executed")
        traces.stop()
        self.process.terminate()
        self.process.wait(30)
        self.assertEqual(self.receiver.bodies, [])
        self.assertNotIn("traceparent", self.called.headers)

    def test_the_last_spans_of_a_worker_that_leaves_arrive(self) -> None:
        app = self.start(**{"OTEL_BSP_SCHEDULE_DELAY": "60000"})
        self.dispatch(app, RUN)
        self.until("executed")
        self.process.terminate()
        self.process.wait(30)
        self.assertEqual(self.receiver.span("execute_run").attributes["orcheo.run.status"], "succeeded")


class Leaks(Traced):
    def test_no_value_of_the_corpus_in_anything_that_is_sent(self) -> None:
        self.trace(ORCHEO_TOKEN="a-known-secret")
        lines = list(test_redact.sensitive())
        tracer = trace.get_tracer("test")
        for line, _ in lines:
            with tracer.start_as_current_span(line) as span:
                span.set_attributes({"orcheo.run.id": line, "orcheo.node.id": line, "url.full": line, "url.query": line, "gen_ai.prompt": line})
                span.set_attribute("db.query.text", [line, line])
                span.record_exception(ValueError(line))
                span.add_event("prompt", {"preview": line, "exception.message": line})
                span.set_status(trace.StatusCode.ERROR, line)
        traces.stop()
        self.receiver.wait(lambda receiver: len(receiver.spans) == len(lines))
        sent = b"".join(self.receiver.bodies)
        leaked = [line for line, value in lines if value.encode() in sent]
        # Short values of the corpus may also be part of an id: those are sent as bytes.
        self.assertEqual(leaked, [])
        for each in self.receiver.spans:
            self.assertLessEqual(set(each.attributes), {"orcheo.run.id", "orcheo.node.id", "db.query.text"})
            self.assertEqual([name for name, _ in each.events], ["exception"])
            self.assertEqual(set(each.events[0][1]), {"exception.type", "exception.message"})

    def test_statements_without_their_values(self) -> None:
        for text, operation, shown in (
            ("SELECT * FROM runs WHERE id = %s AND n > $1", "SELECT", "SELECT * FROM runs WHERE id = %s AND n > $1"),
            ("insert into t1 values ('it''s', -1.5, E'a\\'b', $x$ secret $x$)", "INSERT", "insert into t1 values (?, ?, ?, ?)"),
            ("SELECT 1 -- of ada\n/* and\nbob */ FROM t", "SELECT", "SELECT ? ? ? FROM t"),
            ("SELECT 'never ends", "SELECT", "SELECT ?"),
            ("(SELECT x2 FROM a.b3)", "SQL", "(SELECT x2 FROM a.b3)"),
        ):
            self.assertEqual(traces_clients.statement(text), (operation, shown))
        self.assertLessEqual(len(traces_clients.statement("SELECT " + "column, " * 5000)[1]), traces_clients.LONGEST_STATEMENT)

    def test_a_composition_of_psycopg_shows_no_text(self) -> None:
        query = psycopg.sql.SQL("SELECT {}").format(psycopg.sql.Literal("ada@example.com"))
        self.assertEqual(traces_clients.of_query(query), {"db.system.name": "postgresql", "db.operation.name": "SQL"})


class Calls(Traced):
    @classmethod
    def setUpClass(cls) -> None:
        traces_clients.trace_http()

    def test_both_clients_sync_and_async(self) -> None:
        self.trace()
        called = Called(self)

        async def ask(client: object) -> None:
            async with client.AsyncClient() as session:  # type: ignore[attr-defined]
                await session.get(f"{called.url}/missing")

        for client in (httpx, httpx2):
            # Outside a trace there is none.
            client.get(called.url)
            with trace.get_tracer("test").start_as_current_span(client.__name__):
                client.get(called.url)
                asyncio.run(ask(client))
        traces.stop()
        found = [each for each in self.receiver.spans if each.name == "GET"]
        self.assertEqual([each.attributes["http.response.status_code"] for each in found], [204, 404] * 2)
        self.assertEqual([each.status for each in found], [0, ERROR] * 2)

    def test_a_server_that_is_away(self) -> None:
        self.trace()
        with trace.get_tracer("test").start_as_current_span("away"), self.assertRaises(httpx.ConnectError):
            httpx.get("http://127.0.0.1:1/secret-path")
        traces.stop()
        (call,) = (each for each in self.receiver.spans if each.name == "GET")
        self.assertEqual((call.status, call.attributes["error.type"], call.events), (ERROR, "ConnectError", []))

    def test_hosts(self) -> None:
        for allowed, host, expected in (
            ("", "api.example.com", False),
            ("api.example.com,.internal.example", "api.example.com", True),
            ("api.example.com,.internal.example", "a.internal.example", True),
            ("api.example.com,.internal.example", "internal.example", False),
            ("api.example.com,.internal.example", "evil-api.example.com", False),
            ("api.example.com", "api.example.com.evil.example", False),
        ):
            with patch.dict(os.environ, {HOSTS: allowed}):
                self.assertEqual(traces_clients.may_know(host), expected, (allowed, host))


class Server(Traced):
    def test_headers_come_from_the_secret_file_alone(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "otlp-traces-headers").write_text("Authorization=Bearer%20abc,x-scope=team\n")
        with patch.object(otlp.headers, "__defaults__", (folder,)):
            self.trace()
        with trace.get_tracer("test").start_as_current_span("one"):
            pass
        traces.stop()
        sent = self.receiver.headers[0]
        self.assertEqual((sent["authorization"], sent["x-scope"]), ("Bearer abc", "team"))
        self.assertEqual(otlp.headers("metrics", folder), {})

    def test_its_certificate_is_verified_by_the_named_authority_alone(self) -> None:
        folders = [Path(self.enterContext(tempfile.TemporaryDirectory())) for _ in range(2)]
        for folder in folders:
            certificate(folder, "localhost", "localhost")
        own, other = (str(folder / "tls.crt") for folder in folders)
        # The pods have such a bundle where the issuer of tokens or a proxy has a private CA.
        for named, bundle, received in ((own, other, 1), (other, own, 0)):
            receiver = Receiver(self, tls=folders[0])
            self.trace(**{ENDPOINT: f"{receiver.url}/v1/traces", CA_FILE: named, "REQUESTS_CA_BUNDLE": bundle, "CURL_CA_BUNDLE": bundle})
            with trace.get_tracer("test").start_as_current_span("one"):
                pass
            traces.stop()
            self.assertEqual(len(receiver.spans), received)
            self.assertEqual(bool(receiver.refused), not received)

    def test_one_that_is_away_or_silent_delays_nothing(self) -> None:
        for receiver in (Receiver(self, delay_seconds=10), Receiver(self, answer=503), None):
            self.trace(**{ENDPOINT: f"{receiver.url if receiver else 'http://127.0.0.1:1'}/v1/traces"})
            tracer = trace.get_tracer("test")
            started = time.monotonic()
            for _ in range(traces.QUEUE * 2):
                with tracer.start_as_current_span("one"):
                    pass
            # Any one request that it waited for would take 5 s, and there are several.
            self.assertLess(time.monotonic() - started, 10)
            started = time.monotonic()
            traces.stop()
            self.assertLess(time.monotonic() - started, traces.FLUSH_SECONDS + 5)

    def test_while_it_is_away_a_line_a_minute_says_so(self) -> None:
        exporter = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        self.trace(**{ENDPOINT: "http://127.0.0.1:1/v1/traces"})
        with self.assertLogs(exporter, "WARNING") as said:
            # Another test's exporter may have used up this minute's line, or use it now.
            for each in exporter.filters:
                each.last = -otlp.LOG_SECONDS  # type: ignore[union-attr]
            for _ in range(3):
                with trace.get_tracer("test").start_as_current_span("one"):
                    pass
                assert traces.provider is not None
                traces.provider.force_flush()
        self.assertEqual(len(said.records), 1)
        self.assertIn("export", said.output[0])

    def test_the_log_names_the_trace(self) -> None:
        self.assertEqual(request_ids.fields(), {})
        self.trace()
        self.assertEqual(request_ids.fields(), {})
        span = trace.NonRecordingSpan(SpanContext(int(TRACE, 16), int(PARENT, 16), False, TraceFlags(1)))
        token = context.attach(trace.set_span_in_context(span))
        self.assertEqual(request_ids.fields(), {"trace": TRACE})
        context.detach(token)

    def test_orcheo_sets_no_provider_of_its_own(self) -> None:
        for role in ("api", "worker"):
            with self.subTest(role):
                environ = os.environ | {ENDPOINT: "https://otel.example.com/v1/traces"}
                command = [sys.executable, "-c", ORDER, role]
                done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=60)
                self.assertEqual(done.stdout, "True", done.stderr)

    def test_says_so_when_something_else_has_set_a_provider(self) -> None:
        self.trace()
        with self.assertLogs("orcheo_runtime.traces", "ERROR") as logged:
            traces.start("api")
        self.assertIn("no traces are sent", logged.output[0])

    def test_turned_off_nothing_of_it_is_imported(self) -> None:
        # What API, worker and beat import of this package; FastAPI itself imports OpenTelemetry's interfaces.
        program = (
            "import sys; from orcheo_runtime import api, worker, beat; api.trace_requests(None); api.send_last_traces();"
            "worker.trace_runs(None); print([name for name in sys.modules if name.startswith('opentelemetry')])"
        )
        environ = {name: value for name, value in os.environ.items() if name != ENDPOINT}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environ, timeout=60)
        self.assertEqual(done.stdout.strip(), "[]")
