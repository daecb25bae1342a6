"""Who may write the history of a run, and how it ends."""

import sys
import time
import unittest
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from orcheo_runtime import fencing, history, leases, settle
from orcheo_runtime.heartbeat import Heartbeat
from orcheo_runtime.leases import Holding, LostLeaseError
from orcheo_runtime.lost_runs import Action
from tests.test_leases import Status, Transactions


class Store(Transactions):
    """The history, written in a transaction of its own if nobody lends it one."""

    async def orcheos_append(self, execution_id: str, payload: str) -> None:
        """One step."""
        async with self._lock, self._connection() as connection:
            await connection.execute(f"INSERT {payload}")

    append = history.held(orcheos_append)

    async def orcheos_update(self, execution_id: str, *, status: str) -> str:
        """Its end."""
        async with self._lock, self._connection() as connection:
            await connection.execute(f"UPDATE {status}")
            return status

    update = history.ending(orcheos_update)


class History(unittest.IsolatedAsyncioTestCase):
    """Its tables, and who writes them."""

    def setUp(self) -> None:
        """One run, executed here."""
        self.heart = Heartbeat()
        self.stopped: list[str] = []
        self.heart.stop = lambda holding: self.stopped.append(holding.run_id)
        self.heart.holdings = {"run": Holding("run", "token", time.monotonic())}
        patched = patch.object(fencing, "heartbeat", self.heart)
        patched.start()
        self.addCleanup(patched.stop)

    async def test_a_step_is_written_in_the_transaction_that_keeps_the_lease(self) -> None:
        store = Store()
        store.connection.token = "token"
        await store.append("run", "step")
        self.assertEqual(store.connection.said, [leases.KEEP, "INSERT step", "COMMIT"])

    async def test_a_process_that_lost_its_run_writes_no_step_and_stops(self) -> None:
        for other in (None, "someone else's"):
            store = Store()
            store.connection.token = other
            self.heart.holdings = {"run": Holding("run", "token", time.monotonic())}
            with self.subTest(other), self.assertLogs("orcheo_runtime.heartbeat"), self.assertRaises(LostLeaseError):
                await store.append(execution_id="run", payload="step")
            self.assertEqual(store.connection.said, [leases.KEEP])
            self.assertEqual(self.stopped.pop(), "run")

    async def test_the_lease_goes_in_the_transaction_that_ends_the_history(self) -> None:
        store = Store()
        self.heart.holdings = {}
        with patch.object(fencing, "made", True):
            self.assertEqual(await store.update("run", status="completed"), "completed")
        self.assertEqual(store.connection.said, ["UPDATE completed", leases.HISTORY_ENDED, "COMMIT"])

    async def test_a_process_that_lost_its_run_does_not_end_its_history(self) -> None:
        store = Store()
        with (
            patch.object(fencing, "made", True),
            self.assertLogs("orcheo_runtime.heartbeat"),
            self.assertRaises(LostLeaseError),
        ):
            await store.update("run", status="completed")
        self.assertEqual((store.connection.said, self.stopped), ([leases.KEEP], ["run"]))

    async def test_who_executes_no_run_or_has_just_ended_it_writes_as_orcheo_does(self) -> None:
        store = Store()
        await store.append("another", "step")
        self.heart.ending.add("run")
        await store.append("run", "completed")
        self.assertEqual(store.connection.said, ["INSERT step", "COMMIT", "INSERT completed", "COMMIT"])
        self.assertEqual(self.stopped, [])

    async def test_only_a_database_without_them_gets_them_from_a_worker(self) -> None:
        for made in (True, False):
            worked: list[bool] = []

            class Unmade:
                _initialized = False

                @asynccontextmanager
                async def _connection(self, made: bool = made) -> AsyncIterator[Any]:
                    async def fetchone() -> dict[str, bool]:
                        return {"made": made}

                    async def execute(_: str) -> Any:
                        return SimpleNamespace(fetchone=fetchone)

                    yield SimpleNamespace(execute=execute)

                async def orcheos(self, worked: list[bool] = worked) -> None:
                    if not self._initialized:
                        worked.append(True)

                ensure = history.without_schema_work(orcheos)

            await Unmade().ensure()
            self.assertEqual(worked, [] if made else [True])


class Settled(unittest.IsolatedAsyncioTestCase):
    """What the reconciler writes into a history, with Orcheo's own stores."""

    def setUp(self) -> None:
        """One run that a person ended."""
        self.said: list[tuple[Any, ...]] = []
        self.run_id = UUID(int=7)
        self.run = SimpleNamespace(id=self.run_id, status=Status("cancelled"), error="it hung")

        async def get_run(run_id: UUID) -> Any:
            assert run_id == self.run_id
            return self.run

        def says(name: str) -> Any:
            async def said(*args: Any, **options: Any) -> None:
                self.said.append((name, *args[1:], *options.values()))

            return said

        store = SimpleNamespace(**{name: says(name) for name in ("append_step", "mark_completed", "mark_failed", "mark_cancelled")})
        dependencies = SimpleNamespace(
            get_repository=lambda: SimpleNamespace(get_run=get_run), get_history_store=lambda: store
        )
        modules = {
            "orcheo_backend": SimpleNamespace(),
            "orcheo_backend.app": SimpleNamespace(),
            "orcheo_backend.app.dependencies": dependencies,
            "orcheo_backend.app.history": SimpleNamespace(RunHistoryNotFoundError=KeyError),
        }
        patched = patch.dict(sys.modules, modules)  # type: ignore[arg-type]
        patched.start()
        self.addCleanup(patched.stop)

    async def finish(self, status: str, error: str | None) -> list[tuple[Any, ...]]:
        """What was written."""
        self.run.status, self.run.error = Status(status), error
        self.said.clear()
        await settle.finish(Action("finish", str(self.run_id), ""))
        return self.said

    async def test_a_history_ends_as_its_run_with_the_reason_that_a_person_gave(self) -> None:
        def step(status: str, error: str | None) -> tuple[Any, ...]:
            return ("append_step", {"status": status, "error": error, "actor": "reconciler"})

        self.assertEqual(
            await self.finish("cancelled", "it hung"), [step("cancelled", "it hung"), ("mark_cancelled", "it hung")]
        )
        self.assertEqual(await self.finish("failed", "no"), [step("error", "no"), ("mark_failed", "no")])
        self.assertEqual(await self.finish("succeeded", None), [step("completed", None), ("mark_completed",)])

    async def test_a_run_that_goes_on_keeps_its_history(self) -> None:
        with self.assertRaises(ValueError):
            await self.finish("running", None)
        self.assertEqual(self.said, [])


if __name__ == "__main__":
    unittest.main()
