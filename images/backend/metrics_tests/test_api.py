"""Requests, WebSockets and pools of the API, with the FastAPI and psycopg of the image."""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
import unittest
from typing import Any
from unittest.mock import patch

import psycopg_pool
from fastapi import APIRouter, FastAPI, HTTPException, WebSocket
from orcheo_runtime import api, connections, metrics, metrics_api
from prometheus_client import CollectorRegistry

from metrics_tests.support import series


def application() -> FastAPI:
    """Routers within routers, as Orcheo's factory makes them."""
    runs, everything, app = APIRouter(), APIRouter(prefix="/api"), FastAPI()

    @runs.get("/runs/{run_id}")
    async def get(run_id: str) -> str:
        if run_id == "missing":
            raise HTTPException(404)
        if run_id == "broken":
            raise RuntimeError(run_id)
        return run_id

    @runs.websocket("/ws/{ref}")
    async def talk(websocket: WebSocket, ref: str) -> None:
        if ref == "refused":
            await websocket.close()
            return
        if ref == "missing":
            raise HTTPException(404)
        if ref == "broken":
            raise RuntimeError(ref)
        await websocket.accept()
        said = await websocket.receive_text()
        if said == "break":
            raise RuntimeError(said)
        if said == "fail":
            await websocket.close(1011)
            # As a server answers an application that goes on listening.
            await websocket.receive()

    everything.include_router(runs)
    app.include_router(everything)
    return app


class Requests(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.registry = CollectorRegistry()
        self.measured = metrics_api.Measured(application(), self.registry)

    def series(self) -> dict[str, float]:
        return series(self.registry)

    async def request(self, path: str, method: str = "GET") -> None:
        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(_: Any) -> None:
            """The caller does not matter."""

        scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "headers": []}
        await self.measured(scope | {"root_path": "", "scheme": "http", "http_version": "1.1", "asgi": {"version": "3.0"}}, receive, send)

    async def test_a_route_is_one_series_whatever_its_callers_ask_for(self) -> None:
        for number in range(20):
            await self.request(f"/api/runs/{number}")
        await self.request("/api/runs/missing")
        labels = 'method="GET",route="/api/runs/{run_id}",status='
        self.assertEqual(
            {name: value for name, value in self.series().items() if name.startswith("orcheo_http_requests_total")},
            {f'orcheo_http_requests_total{{{labels}"2xx"}}': 20, f'orcheo_http_requests_total{{{labels}"4xx"}}': 1},
        )
        duration = 'orcheo_http_request_duration_seconds_bucket{le="+Inf",method="GET",route="/api/runs/{run_id}"}'
        self.assertEqual(self.series()[duration], 21)

    async def test_paths_and_methods_of_nobody_are_one_series(self) -> None:
        for number in range(5):
            await self.request(f"/guess/{number}", f"GUESS{number}")
        self.assertEqual(self.series()['orcheo_http_requests_total{method="other",route="none",status="4xx"}'], 5)

    async def test_an_exception_is_a_5xx(self) -> None:
        with contextlib.suppress(RuntimeError):
            await self.request("/api/runs/broken")
        self.assertEqual(self.series()['orcheo_http_requests_total{method="GET",route="/api/runs/{run_id}",status="5xx"}'], 1)

    async def test_no_answer_at_all_is_a_5xx(self) -> None:
        async def broken(scope: Any, receive: Any, send: Any) -> None:
            raise RuntimeError

        self.measured.application = broken
        with contextlib.suppress(RuntimeError):
            await self.request("/api/runs/1")
        self.assertEqual(self.series()['orcheo_http_requests_total{method="GET",route="none",status="5xx"}'], 1)

    async def test_the_time_of_a_stream_ends_when_its_answer_begins(self) -> None:
        async def stream(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await asyncio.sleep(0.3)

        self.measured.application = stream
        await self.request("/stream")
        self.assertLess(self.series()['orcheo_http_request_duration_seconds_sum{method="GET",route="none"}'], 0.2)

    async def talk(self, ref: str, *said: Any, leaves: bool = False) -> Any:
        """All that the application answers to `said`; a caller who `leaves` is not there for its first answer."""
        heard: list[Any] = []
        saying = iter([{"type": "websocket.connect"}, *said])

        async def receive() -> Any:
            return next(saying)

        async def send(message: Any) -> None:
            if leaves:
                raise OSError
            heard.append(message)

        path = f"/api/ws/{ref}"
        scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [], "root_path": ""}
        with contextlib.suppress(Exception):
            await self.measured(scope | {"extensions": {"websocket.http.response": {}}}, receive, send)
        return heard

    def ended(self) -> dict[str, float]:
        """Without those of which there are none; each outcome is a series from the start on."""
        names = {outcome: f'orcheo_websockets_total{{outcome="{outcome}"}}' for outcome in ("completed", "refused", "failed")}
        counts = {outcome: self.series()[name] for outcome, name in names.items()}
        return {outcome: count for outcome, count in counts.items() if count}

    async def test_websockets_that_end_well(self) -> None:
        self.assertEqual(self.ended(), {})
        await self.talk("one", {"type": "websocket.receive", "text": "bye"})
        self.assertEqual(self.ended(), {"completed": 1})
        # The caller leaves, which FastAPI tells the route by an exception.
        await self.talk("one", {"type": "websocket.disconnect", "code": 1001})
        self.assertEqual(self.ended(), {"completed": 2})

    async def test_refused_websockets_are_their_callers_matter(self) -> None:
        await self.talk("refused")
        await self.talk("missing")
        await self.talk("one", leaves=True)
        self.assertEqual(self.ended(), {"refused": 3})

    async def test_failed_websockets(self) -> None:
        await self.talk("broken")
        self.assertEqual(self.ended(), {"failed": 1})
        await self.talk("one", {"type": "websocket.receive", "text": "break"})
        self.assertEqual(self.ended(), {"failed": 2})
        heard = await self.talk(
            *("one", {"type": "websocket.receive", "text": "fail"}), {"type": "websocket.disconnect", "code": 1011}
        )
        self.assertEqual(heard[-1]["code"], 1011)
        self.assertEqual(self.ended(), {"failed": 3})

    async def test_websockets_that_are_answered_with_an_error_or_not_at_all_fail(self) -> None:
        async def unavailable(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "websocket.http.response.start", "status": 503, "headers": []})

        async def silent(scope: Any, receive: Any, send: Any) -> None:
            await receive()

        for number, each in enumerate((unavailable, silent), 1):
            self.measured.application = each
            await self.talk("one")
            self.assertEqual(self.ended(), {"failed": number})

    async def test_the_time_of_a_websocket_ends_when_it_is_accepted_refused_or_failed(self) -> None:
        async def late(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.sleep(0.15)
            for answer in answers:
                await send({"type": f"websocket.{answer}", "status": 503})
            await asyncio.sleep(0.3)

        self.measured.application = late
        for number, answers in enumerate((["accept", "send"], ["close"], ["http.response.start"]), 1):
            before = self.series()["orcheo_websocket_opening_seconds_sum"]
            await self.talk("one")
            self.assertEqual(self.series()["orcheo_websocket_opening_seconds_count"], number)
            taken = self.series()["orcheo_websocket_opening_seconds_sum"] - before
            self.assertTrue(0.14 < taken < 0.3, (answers, taken))
        answers = []
        await self.talk("one")
        # Whoever waits until the end has no answer.
        self.assertGreater(self.series()["orcheo_websocket_opening_seconds_sum"] - before - taken, 0.4)

    async def test_open_websockets(self) -> None:
        said: asyncio.Queue[Any] = asyncio.Queue()
        accepted = asyncio.Event()

        async def send(message: Any) -> None:
            if message["type"] == "websocket.accept":
                accepted.set()

        def scope(ref: str) -> Any:
            path = f"/api/ws/{ref}"
            return {"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [], "root_path": ""}

        await said.put({"type": "websocket.connect"})
        talking = asyncio.ensure_future(self.measured(scope("one"), said.get, send))
        await asyncio.wait_for(accepted.wait(), 5)
        self.assertEqual(self.series()["orcheo_websockets_open"], 1)
        await said.put({"type": "websocket.connect"})
        await said.put({"type": "websocket.receive", "text": "bye"})
        await said.put({"type": "websocket.receive", "text": "bye"})
        with contextlib.suppress(Exception):
            await asyncio.wait_for(talking, 5)
        self.assertEqual(self.series()["orcheo_websockets_open"], 0)
        refused: asyncio.Queue[Any] = asyncio.Queue()
        await refused.put({"type": "websocket.connect"})
        await self.measured(scope("refused"), refused.get, send)
        self.assertEqual(self.series()["orcheo_websockets_open"], 0)


class Pools(unittest.TestCase):
    def test_used_idle_and_waiting_by_store(self) -> None:
        registry = CollectorRegistry()
        with patch.object(psycopg_pool.base.BasePool, "__init__", psycopg_pool.base.BasePool.__init__):
            metrics_api.Pools(registry)
            connections.check_before_use()
            # Nothing listens there: who asks for a connection waits.
            orcheo = {"__name__": "orcheo_backend.app.history.postgres_store", "pool": psycopg_pool.ConnectionPool}
            exec("made = pool('host=127.0.0.1 port=9', min_size=0, max_size=7, open=True)", orcheo)
        made: Any = orcheo["made"]
        self.addCleanup(made.close)

        def ask() -> None:
            with contextlib.suppress(psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed):
                made.getconn(timeout=10)

        waiting = threading.Thread(target=ask)
        waiting.start()
        for _ in range(100):
            found = series(registry)
            if found['orcheo_pool_requests_waiting{store="history"}'] == 1:
                break
            time.sleep(0.05)
        self.assertEqual(found['orcheo_pool_requests_waiting{store="history"}'], 1)
        self.assertEqual(found['orcheo_pool_connections_max{store="history"}'], 7)
        self.assertEqual(found['orcheo_pool_connections{state="idle",store="history"}'], 0)
        made.close()
        waiting.join()
        self.assertNotIn('orcheo_pool_requests_waiting{store="history"}', series(registry))

    def test_names_of_stores(self) -> None:
        names = {
            "orcheo_backend.app.repository_postgres._base": "repository_postgres",
            "orcheo_backend.app.chatkit_store_postgres.base": "chatkit_store_postgres",
            "orcheo.persistence": "persistence",
            "plugin": "plugin",
        }
        self.assertEqual({module: metrics_api.store_of(module) for module in names}, names)


class Off(unittest.TestCase):
    def test_nothing_is_loaded_and_nothing_is_between(self) -> None:
        asked = (
            "import sys; from orcheo_runtime import api, beat, worker; app = object();"
            "print(api.metering()(app) is app, [name for name in sys.modules if 'prometheus' in name or 'runtime.metrics' in name])"
        )
        environment = {name: value for name, value in os.environ.items() if name != "ORCHEO_METRICS_PORT"}
        done = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual((done.stdout, done.stderr), ("True []\n", ""))

    def test_on_it_counts(self) -> None:
        with patch.dict(os.environ, ORCHEO_METRICS_PORT="9464"), patch.object(metrics, "serve") as served:
            self.assertIsInstance(api.metering()(application()), metrics_api.Measured)  # type: ignore[arg-type]
        self.assertEqual(served.call_count, 1)


if __name__ == "__main__":
    unittest.main()
