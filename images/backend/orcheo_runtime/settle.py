"""Does what was decided about lost runs, through Orcheo's own repository, history and queue; the audit log names the actor.

Each change demands, under the lock of its run, that the lease is still the one that was seen: a holder that came back
in the meantime keeps its run.
"""

import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from orcheo_runtime import fencing, logs, reports
from orcheo_runtime.leaving import run_without_waiting
from orcheo_runtime.lost_runs import Action

ACTOR = "reconciler"
logger = logging.getLogger("orcheo_runtime.reconciler")


class StillHeldError(Exception):
    """The lease is no longer the one that was seen: somebody holds the run, or has ended it."""


def same_lease(action: Action) -> Any:
    """What is demanded of the lease for `action`."""

    def demand(lease: dict[str, Any] | None) -> None:
        token = str(lease["token"]) if lease and lease["token"] else None
        if token != action.token or (token is not None and lease is not None and lease["suspected_at"] is None and not action.held):
            raise StillHeldError(action.run_id)

    return demand


async def settle(actions: Iterable[Action]) -> None:
    """Each by itself: one that fails is decided anew at the next look."""
    for action in actions:
        token = fencing.demand.set(same_lease(action))
        try:
            await {"fail": fail, "restart": restart, "enqueue": enqueue, "finish": finish}[action.kind](action)
            logger.warning(
                "run %s: %s. %s", action.run_id, DONE[action.kind], action.reason, extra={"run": action.run_id, "action": action.kind}
            )
            reports.send({"settled": action.kind})
        except (StillHeldError, ValueError) as error:
            logger.info("run %s: left alone, it has gone on in the meantime (%s)", action.run_id, error)
        except Exception:
            logger.exception("run %s: cannot be settled now", action.run_id)
        finally:
            fencing.demand.reset(token)


DONE = {"fail": "ended as failed", "restart": "executed again", "enqueue": "sent to the queue again", "finish": "its history was ended"}


async def fail(action: Action) -> None:
    """The run ends as failed, in its record and in its history."""
    repository = _repository()
    run = await repository.mark_run_failed(UUID(action.run_id), actor=ACTOR, error=action.reason)
    await end_history(run)
    release_slot(run)


async def restart(action: Action) -> None:
    """The run waits again, from its input: what it had reached is forgotten."""

    def put_back(run: Any) -> None:
        if run.status.value != "running":
            raise ValueError(f"it is {run.status.value}")
        run.status = type(run.status)("pending")
        run.started_at = None
        run.record_event(actor=ACTOR, action="run_restarted", metadata={"reason": action.reason})

    run = await _repository()._update_run(UUID(action.run_id), put_back)
    await note(run, {"status": "restarted", "reason": action.reason, "actor": ACTOR})
    await send(run)


async def enqueue(action: Action) -> None:
    """The run's message is sent again. A second one does no harm: the first to start the run has it."""

    def still_waits(run: Any) -> None:
        if run.status.value != "pending":
            raise ValueError(f"it is {run.status.value}")
        run.record_event(actor=ACTOR, action="run_enqueued_again", metadata={"reason": action.reason})

    await send(await _repository()._update_run(UUID(action.run_id), still_waits))


async def finish(action: Action) -> None:
    """The history ends as its run did: whoever ended the run was lost on the way, or was no worker."""
    run = await _repository().get_run(UUID(action.run_id))
    if not run.status.is_terminal:
        raise ValueError(f"it is {run.status.value}")
    await end_history(run)
    release_slot(run)


async def end_history(run: Any) -> None:
    """With the run's own reason, as a last step too."""
    from orcheo_backend.app.dependencies import get_history_store

    history = get_history_store()
    run_id = str(run.id)
    said = {"succeeded": "completed", "failed": "error", "cancelled": "cancelled"}[run.status.value]
    await note(run, {"status": said, "error": run.error, "actor": ACTOR})
    if said == "error":
        await history.mark_failed(run_id, run.error or "It failed without a reason.")
    elif said == "cancelled":
        await history.mark_cancelled(run_id, reason=run.error)
    else:
        await history.mark_completed(run_id)


async def send(run: Any) -> None:
    """Its message, after whatever an execution before left of it is gone."""
    from orcheo.config import get_settings
    from orcheo.persistence import create_checkpointer
    from orcheo_backend.app.repository_postgres import _triggers

    async with create_checkpointer(get_settings()) as checkpointer:
        await checkpointer.adelete_thread(str(run.id))
    _triggers._enqueue_run_for_execution(run)


async def note(run: Any, step: dict[str, Any]) -> None:
    """A step of the run's history, which is made where the worker was lost before it made one."""
    from orcheo_backend.app.dependencies import get_history_store
    from orcheo_backend.app.history import RunHistoryNotFoundError

    history = get_history_store()
    run_id = str(run.id)
    try:
        await history.append_step(run_id, step)
    except RunHistoryNotFoundError:
        version = await _repository().get_version(run.workflow_version_id)
        workspace = getattr(run, "workspace_id", None)
        await history.start_run(
            workflow_id=str(version.workflow_id),
            execution_id=run_id,
            inputs=run.input_payload,
            **({"workspace_id": workspace} if workspace is not None else {}),
        )
        await history.append_step(run_id, step)


def release_slot(run: Any) -> None:
    """0.46 counts the runs of a workspace; its worker gives the place back when a run ends."""
    workspace = getattr(run, "workspace_id", None)
    if workspace is not None:
        from orcheo_backend.app.workspace_governance import get_workspace_governance

        get_workspace_governance().release_run_slot(str(workspace))


def _repository() -> Any:
    from orcheo_backend.app.dependencies import get_repository

    return get_repository()


def main(actions: Iterable[Action]) -> None:
    """In its own process, which is left by os._exit next: Orcheo's modules take a few hundred MiB."""
    from orcheo_backend.worker.celery_app import celery_app

    from orcheo_runtime import connections, delivery

    connections.check_before_use()
    delivery.configure(celery_app)
    fencing.install()
    logs.install()
    run_without_waiting(settle(actions))
