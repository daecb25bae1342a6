"""Orcheo's own repository, with leases: the process that starts a run holds its lease, and cannot write to the run after losing it.

Orcheo reads a run and writes it in two transactions, so two workers can both start it, and a slow one can overwrite the
end that someone else wrote. Here each change of a run, and each round of cron triggers, is one transaction under a lock.
"""

import asyncio
import copy
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

from orcheo_runtime import leases
from orcheo_runtime.heartbeat import Heartbeat
from orcheo_runtime.leases import Holding, LostLeaseError

# Only one worker at a time processes cron triggers; the number is arbitrary.
CRON_LOCK_KEY = 0x6F7263686372
# The condition on the lease for changing a run, given the locked row; it raises if the lease is lost.
demand: ContextVar[Callable[[dict[str, Any] | None], None] | None] = ContextVar("demand", default=None)
# Runs that this task started to execute; None if it executes none.
executed: ContextVar[list[str] | None] = ContextVar("executed", default=None)
# Messages to send once the transaction that created their runs has committed.
unsent: ContextVar[list[Callable[[], None]] | None] = ContextVar("unsent", default=None)

heartbeat = Heartbeat()
installed = False
made = False


@contextmanager
def execution() -> Iterator[None]:
    """Runs started inside are executed here; their leases are released afterwards, whatever the outcome."""
    run_ids: list[str] = []
    token = executed.set(run_ids)
    try:
        yield
    finally:
        executed.reset(token)
        for run_id in run_ids:
            heartbeat.drop(run_id)


def within(repository: Any, connection: Any) -> Any:
    """The same repository, with all statements in the transaction of `connection`."""
    twin = copy.copy(repository)
    twin._lock = asyncio.Lock()

    @asynccontextmanager
    async def borrowed() -> AsyncIterator[Any]:
        yield connection

    twin._connection = borrowed
    return twin


async def ensure_table(connection: Any) -> None:
    """Once per process; see leases.ensure_table."""
    global made
    if not made:
        row = await (await connection.execute(leases.EXISTS)).fetchone()
        if not row["made"]:
            await connection.execute(leases.TABLE, prepare=False)
        made = True


def fenced(update_run: Any) -> Any:
    """`_update_run` as one transaction that acquires, requires or releases the lease together with the run's status."""

    async def update(self: Any, run_id: Any, updater: Any) -> Any:
        await self._ensure_initialized()
        key = {"run_id": str(run_id)}
        holding = heartbeat.holding(key["run_id"])
        starts = executed.get()
        taken = None
        async with self._lock, self._connection() as connection:
            await ensure_table(connection)
            await connection.execute(leases.LOCK_RUN, key)
            lease = await (await connection.execute(leases.LOCK_LEASE, key)).fetchone()
            if holding is not None and (lease is None or str(lease["token"]) != holding.token):
                heartbeat.lost(holding)
                raise LostLeaseError(key["run_id"])
            wanted = demand.get()
            if wanted is not None:
                wanted(lease)
            run = await update_run(within(self, connection), run_id, updater)
            if run.status.value == "running" and holding is None and starts is not None:
                taken = Holding(key["run_id"], str(uuid.uuid4()), time.monotonic())
                await connection.execute(leases.TAKE, key | {"holder": holder_name(), "token": taken.token})
            elif run.status.value == "pending":
                await connection.execute(leases.WAIT, key)
            elif run.status.is_terminal:
                heartbeat.ending.add(key["run_id"])
                await connection.execute(leases.END, key)
        if taken is not None and starts is not None:
            starts.append(taken.run_id)
            heartbeat.hold(taken)
        elif run.status.is_terminal:
            heartbeat.drop(key["run_id"])
        return run

    return update


def holder_name() -> str:
    """Pod and process, in readable form."""
    return f"{os.uname().nodename}, process {os.getpid()}"


def recorded(create_run: Any) -> Any:
    """`create_run` records a run without a message, which must not be mistaken for one whose message was lost."""

    async def create(self: Any, *args: Any, **options: Any) -> Any:
        run = await create_run(self, *args, **options)
        async with self._connection() as connection:
            await ensure_table(connection)
            await connection.execute(leases.ONLY_RECORDED, {"run_id": str(run.id)})
        return run

    return create


def one_round(dispatch_due_cron_runs: Any) -> Any:
    """Cron triggers: due runs are created and marked as created in one transaction, by one worker at a time."""

    async def dispatch(self: Any, **options: Any) -> Any:
        await self._ensure_initialized()
        messages: list[Callable[[], None]] = []
        token = unsent.set(messages)
        try:
            async with self._lock, self._connection() as connection:
                await connection.execute(leases.NEVER_IDLE)
                await connection.execute("SELECT pg_advisory_xact_lock(%s)", (CRON_LOCK_KEY,))
                runs = await dispatch_due_cron_runs(within(self, connection), **options)
        finally:
            unsent.reset(token)
        for send in messages:
            send()
        return runs

    return dispatch


def after_commit(enqueue_run: Any) -> Any:
    """`_enqueue_run_for_execution`: a worker must find the run that a message names."""

    def enqueue(run: Any) -> None:
        messages = unsent.get()
        if messages is None:
            enqueue_run(run)
        else:
            messages.append(lambda: enqueue_run(run))

    return enqueue


def conversation(run: Any) -> Any:
    """The API executes the runs of conversations itself."""

    async def executing(self: Any, *args: Any, **options: Any) -> Any:
        with execution():
            return await run(self, *args, **options)

    return executing


def install() -> None:
    """Once per process. Raises if a release has no such function: no run may be executed without its lease."""
    global installed
    if installed:
        return
    from orcheo_backend.app.chatkit import workflow_executor
    from orcheo_backend.app.history.postgres_store import PostgresRunHistoryStore
    from orcheo_backend.app.repository_postgres import _runs, _triggers

    from orcheo_runtime import history

    places: tuple[tuple[Any, str, Callable[[Any], Any]], ...] = (
        (_runs.WorkflowRunMixin, "_update_run", fenced),
        (_runs.WorkflowRunMixin, "create_run", recorded),
        (_triggers.TriggerRepositoryMixin, "dispatch_due_cron_runs", one_round),
        (_triggers, "_enqueue_run_for_execution", after_commit),
        (PostgresRunHistoryStore, "_ensure_initialized", history.without_schema_work),
        (PostgresRunHistoryStore, "append_step", history.held),
        (PostgresRunHistoryStore, "_update_status", history.ending),
        (workflow_executor.WorkflowExecutor, "run", conversation),
    )
    for owner, name, change in places:
        setattr(owner, name, change(getattr(owner, name)))
    installed = True
