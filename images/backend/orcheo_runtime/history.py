"""Orcheo's own history of runs; a process that has lost its run can no longer write to it."""

from typing import Any

from orcheo_runtime import fencing, leases
from orcheo_runtime.leases import LostLeaseError

# The last table that the history's store creates.
MADE = "SELECT to_regclass('idx_history_steps_execution') IS NOT NULL AS made"


async def keep_lease(connection: Any, run_id: str) -> None:
    """Holds the lease until the transaction ends, if this process executes the run. @raises LostLeaseError: the lease is lost."""
    heartbeat = fencing.heartbeat
    holding = heartbeat.holding(run_id)
    if holding is None or run_id in heartbeat.ending:
        return
    key = {"run_id": run_id, "token": holding.token}
    if await (await connection.execute(leases.KEEP, key)).fetchone() is None:
        heartbeat.lost(holding)
        raise LostLeaseError(run_id)


def held(append_step: Any) -> Any:
    """`append_step` in one transaction with the lease."""

    async def append(self: Any, execution_id: str, *args: Any, **options: Any) -> Any:
        if fencing.heartbeat.holding(execution_id) is None:
            return await append_step(self, execution_id, *args, **options)
        await self._ensure_initialized()
        async with self._lock, self._connection() as connection:
            await keep_lease(connection, execution_id)
            return await append_step(fencing.within(self, connection), execution_id, *args, **options)

    return append


def ending(update_status: Any) -> Any:
    """`_update_status` in one transaction with the lease, which is deleted once run and history agree."""

    async def update(self: Any, execution_id: str, *args: Any, **options: Any) -> Any:
        await self._ensure_initialized()
        async with self._lock, self._connection() as connection:
            await fencing.ensure_table(connection)
            await keep_lease(connection, execution_id)
            record = await update_status(fencing.within(self, connection), execution_id, *args, **options)
            await connection.execute(leases.HISTORY_ENDED, {"run_id": execution_id})
            return record

    return update


def without_schema_work(ensure_initialized: Any) -> Any:
    """The initialisation creates the history's tables.

    Orcheo repeats CREATE INDEX IF NOT EXISTS in each process. It locks both tables against writers, in another order than
    they do: of the runs in flight while a worker started, some failed with "deadlock detected".
    """

    async def ensure(self: Any) -> None:
        if not self._initialized:
            async with self._connection() as connection:
                row = await (await connection.execute(MADE)).fetchone()
            self._initialized = row["made"]
        await ensure_initialized(self)

    return ensure
