"""Who may write a run, who renews its lease, and who stops."""

import asyncio
import json
import os
import time
import unittest
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from orcheo_runtime import delivery, fencing, heartbeat, leases, reconciler, settle
from orcheo_runtime.heartbeat import Heartbeat
from orcheo_runtime.leases import Holding, LostLeaseError
from orcheo_runtime.lost_runs import Action


class Status(str):
    """As Orcheo's."""

    @property
    def value(self) -> str:
        """The text."""
        return str(self)

    @property
    def is_terminal(self) -> bool:
        """Ended."""
        return self in ("succeeded", "failed", "cancelled")


class Connection:
    """Of the repository: keeps the lease of one run as Postgres would, and what was executed."""

    def __init__(self) -> None:
        """No lease."""
        self.token: str | None = None
        self.ended = False
        self.said: list[str] = []

    async def execute(self, query: str, parameters: Any = None, **_: Any) -> Any:
        """Only what fencing.py says."""
        self.said.append(query)
        row: dict[str, Any] | None = None
        if query == leases.EXISTS:
            row = {"made": True}
        elif query == leases.LOCK_LEASE and self.token:
            row = {"token": self.token, "suspected_at": None}
        elif query == leases.KEEP:
            row = {"set_config": "30s"} if self.token == parameters["token"] else None
        elif query == leases.TAKE:
            self.token = parameters["token"]
        elif query in (leases.END, leases.WAIT):
            self.token = None
        elif query == leases.HISTORY_ENDED:
            self.ended = True

        async def fetchone() -> dict[str, Any] | None:
            return row

        return SimpleNamespace(fetchone=fetchone)


class Transactions:
    """As Orcheo's stores have them: under their lock, on their own connections."""

    def __init__(self) -> None:
        """No statement so far."""
        self._lock = asyncio.Lock()
        self.connection = Connection()

    async def _ensure_initialized(self) -> None:
        pass

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        yield self.connection
        self.connection.said.append("COMMIT")


class Repository(Transactions):
    """With Orcheo's way to change a run."""

    def __init__(self, status: str) -> None:
        """One run."""
        super().__init__()
        self.run = SimpleNamespace(id="run", status=Status(status))
        self.enqueued: list[str] = []

    async def orcheos_update(self, run_id: Any, updater: Any) -> Any:
        """In its own transaction, if nobody lends it one."""
        async with self._lock, self._connection() as connection:
            updater(self.run)
            await connection.execute("UPDATE")
            return self.run

    update = fencing.fenced(orcheos_update)

    async def orcheos_round(self) -> list[str]:
        """Makes a run and sends its message."""
        async with self._lock, self._connection() as connection:
            await connection.execute("INSERT")
        fencing.after_commit(lambda run: self.connection.said.append(f"SEND {run}"))("run")
        return ["run"]

    dispatch = fencing.one_round(orcheos_round)


def become(status: str) -> Any:
    """An updater."""

    def updater(run: Any) -> None:
        run.status = Status(status)

    return updater


class Fencing(unittest.IsolatedAsyncioTestCase):
    """The repository's changes."""

    def setUp(self) -> None:
        """No thread: renewals are tested below."""
        self.heart = Heartbeat()
        self.stopped: list[str] = []
        self.heart.stop = lambda holding: self.stopped.append(holding.run_id)
        for name, value in (("heartbeat", self.heart), ("made", False)):
            patched = patch.object(fencing, name, value)
            patched.start()
            self.addCleanup(patched.stop)
        patched_thread = patch.object(heartbeat.threading, "Thread")
        patched_thread.start()
        self.addCleanup(patched_thread.stop)

    async def test_a_start_takes_the_lease_in_the_transaction_that_makes_the_run_running(self) -> None:
        repository = Repository("pending")
        with fencing.execution():
            await repository.update("run", become("running"))
            said = repository.connection.said
            self.assertEqual(said[1:], [leases.LOCK_RUN, leases.LOCK_LEASE, "UPDATE", leases.TAKE, "COMMIT"])
            self.assertIsNotNone(self.heart.holding("run"))
            await repository.update("run", become("succeeded"))
            self.assertEqual(said[-3:], ["UPDATE", leases.END, "COMMIT"])
            self.assertIsNone(self.heart.holding("run"))

    async def test_what_was_executed_is_no_longer_held_however_it_ended(self) -> None:
        with fencing.execution():
            await Repository("pending").update("run", become("running"))
        self.assertIsNone(self.heart.holding("run"))

    async def test_a_start_on_behalf_of_a_caller_takes_no_lease(self) -> None:
        repository = Repository("pending")
        await repository.update("run", become("running"))
        self.assertIsNone(repository.connection.token)

    async def test_a_process_whose_lease_somebody_else_has_writes_nothing_and_stops(self) -> None:
        for other in (None, "someone else's"):
            repository = Repository("pending")
            with self.subTest(other), fencing.execution():
                await repository.update("run", become("running"))
                repository.connection.token = other
                with self.assertLogs("orcheo_runtime.heartbeat"), self.assertRaises(LostLeaseError):
                    await repository.update("run", become("succeeded"))
                self.assertEqual(repository.run.status, "running")
                self.assertEqual(self.stopped.pop(), "run")

    async def test_the_reconciler_leaves_a_run_alone_whose_lease_changed(self) -> None:
        repository = Repository("running")
        repository.connection.token = "renewed"
        for token in ("seen", "renewed", None):
            demand = fencing.demand.set(settle.same_lease(Action("fail", "run", "", token)))
            # "renewed" is the same lease, but no longer a suspected one.
            with self.subTest(token), self.assertRaises(settle.StillHeldError):
                await repository.update("run", become("failed"))
            fencing.demand.reset(demand)
        self.assertEqual(repository.run.status, "running")

    async def test_messages_of_a_round_of_cron_triggers_are_sent_after_its_one_transaction(self) -> None:
        repository = Repository("pending")
        self.assertEqual(await repository.dispatch(), ["run"])
        self.assertEqual(
            repository.connection.said,
            [leases.NEVER_IDLE, "SELECT pg_advisory_xact_lock(%s)", "INSERT", "COMMIT", "SEND run"],
        )


class Locks(unittest.TestCase):
    """What a transaction holds."""

    def test_a_paused_holder_cannot_keep_its_locks_beyond_the_time_at_which_others_may_act(self) -> None:
        for query in (leases.LOCK_RUN, leases.KEEP):
            self.assertIn("set_config('idle_in_transaction_session_timeout', '30s', true)", query)
        self.assertLess(leases.IDLE_SECONDS, leases.LEASE_SECONDS)


class Renewal(unittest.TestCase):
    """The heartbeat."""

    def setUp(self) -> None:
        """One run, renewed ten seconds ago."""
        self.heart = Heartbeat()
        self.stopped: list[str] = []
        self.heart.stop = lambda holding: self.stopped.append(holding.run_id)
        self.heart.holdings = {"run": Holding("run", "token", time.monotonic() - 10)}

    def renew(self, rows: int) -> None:
        """With so many rows of the answer."""
        self.heart.renew(SimpleNamespace(execute=lambda *_: SimpleNamespace(rowcount=rows), transaction=nullcontext))  # type: ignore[arg-type]

    def test_its_limits_are_those_of_a_transaction(self) -> None:
        """Behind a pooler that shares sessions, a session's would be those of somebody else's statements too."""
        said: list[str] = []

        @contextmanager
        def transaction() -> Iterator[None]:
            said.append("BEGIN")
            yield
            said.append("COMMIT")

        def execute(statement: str, *_: object) -> SimpleNamespace:
            said.append(statement)
            return SimpleNamespace(rowcount=1)

        self.heart.renew(SimpleNamespace(execute=execute, transaction=transaction))  # type: ignore[arg-type]
        self.assertEqual(said, ["BEGIN", heartbeat.LIMITS, leases.RENEW, "COMMIT"])
        self.assertEqual(heartbeat.LIMITS.count("true"), heartbeat.LIMITS.count("set_config"))

    def test_a_renewal_counts_from_before_it_was_sent(self) -> None:
        before = time.monotonic()
        self.renew(1)
        self.assertLess(abs(self.heart.holdings["run"].renewed - before), 1)
        self.assertEqual(self.stopped, [])

    def test_a_lease_that_somebody_took_stops_the_run(self) -> None:
        with self.assertLogs("orcheo_runtime.heartbeat", "ERROR"):
            self.renew(0)
        self.assertEqual(self.stopped, ["run"])

    def test_a_lease_that_is_gone_because_the_run_ends_does_not(self) -> None:
        self.heart.ending.add("run")
        self.renew(0)
        self.assertEqual(self.stopped, [])

    def test_a_process_that_slept_stops_before_it_asks(self) -> None:
        self.heart.holdings["run"] = Holding("run", "token", time.monotonic() - leases.STOP_SECONDS)
        with self.assertLogs("orcheo_runtime.heartbeat", "ERROR"):
            self.renew(1)
        self.assertEqual((self.stopped, self.heart.holdings), (["run"], {}))

    def test_the_holder_stops_well_before_anybody_else_acts(self) -> None:
        # Two attempts of the slowest kind, 15 s each, lie between.
        self.assertLess(leases.STOP_SECONDS + 30, leases.LEASE_SECONDS + leases.CONFIRM_SECONDS)


class Queue(unittest.TestCase):
    """What is read of Valkey, and what Celery is given."""

    def test_the_run_of_a_message_is_found(self) -> None:
        def message(task: str, arguments: list[object]) -> bytes:
            body = b64encode(json.dumps([arguments, {}, {}]).encode()).decode()
            return json.dumps({"body": body, "headers": {"task": task}}).encode()

        self.assertEqual(list(reconciler.named_in(message("orcheo_backend.worker.tasks.execute_run", ["run"]))), ["run"])
        for other in (message("other", ["run"]), message("x.execute_run", []), b"{}", b"[]", b"\xff", b'{"headers": null}'):
            self.assertEqual(list(reconciler.named_in(other)), [])

    def test_a_message_is_never_delivered_again_while_its_run_may_be_executed(self) -> None:
        app = SimpleNamespace(conf={})
        with patch.dict(os.environ, {"ORCHEO_WORKER_LONGEST_RUN_SECONDS": "86400"}):
            delivery.configure(app)
        self.assertEqual(app.conf["broker_transport_options"]["visibility_timeout"], 86700)
        self.assertTrue(app.conf["task_acks_late"])
        self.assertEqual(app.conf["worker_prefetch_multiplier"], 1)


if __name__ == "__main__":
    unittest.main()
