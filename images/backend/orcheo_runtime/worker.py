"""The Celery worker with an explicit number of processes. SIGTERM: finishes the running tasks, then exits, even without a broker.

Beside it runs the reconciler, a process that finds runs whose worker was lost.
"""

import logging
import os
import signal
import tempfile
import threading
from pathlib import Path
from typing import Any

import celery.apps.worker
from celery.signals import setup_logging, task_postrun, task_prerun, worker_process_init, worker_ready, worker_shutting_down

from orcheo_runtime import browsers, connections, delivery, fencing, imports, logs, memory, otlp, plugins, reconciler, reports, request_ids, vault
from orcheo_runtime.health_server import Pulse, serve
from orcheo_runtime.leaving import Work, leave_when_idle

HEALTH_PORT = 8001
BEAT_SECONDS = 5.0
logger = logging.getLogger("orcheo_runtime.worker")


def with_lease(task: Any) -> None:
    """The task holds the leases of its runs. The executing process loads and patches Orcheo's repository."""
    run = task.run

    def held(*args: Any, **options: Any) -> Any:
        fencing.install()
        plugins.load()
        with fencing.execution():
            return run(*args, **options)

    task.run = held


def leave_without(pid: int) -> None:
    """A worker without its reconciler finishes its runs and is restarted."""
    os.waitpid(pid, 0)
    logger.error("the reconciler has ended: the worker finishes its runs and exits")
    os.kill(os.getpid(), signal.SIGTERM)


def trace_runs(celery_app: Any) -> None:
    """Traces of runs and of what they ask of Postgres and other servers. Without a server for them, nothing is loaded.

    Before the fork: the processes share the memory of what is loaded.
    """
    if not otlp.wanted("traces"):
        return
    from orcheo_runtime import traces, traces_clients

    traces.trace_messages(celery_app)
    traces.trace_tasks()
    traces_clients.trace_postgres()
    traces_clients.trace_http()


def main() -> None:
    """Runs until SIGTERM."""
    logs.install()
    metered = otlp.measured()
    if metered:
        reports.open_pipe()
    # First: anything loaded or started before would be in that process too.
    watcher = reconciler.fork()
    connections.check_before_use()
    vault.leave_with_another_key()
    # It configures logging itself, which Celery's signal reverts.
    with imports.without_collection():
        otlp.keep_own_provider()
        from orcheo_backend.worker.celery_app import celery_app

        delivery.configure(celery_app)
        from orcheo_backend.worker import tasks

        imports.import_for_runs()
    browsers.close_after_runs(tasks)
    with_lease(tasks.execute_run)
    with_lease(tasks.dispatch_cron_triggers)
    setup_logging.connect(lambda **_: logs.install(), weak=False)
    # It bypasses every stream, and its output is not JSON.
    celery.apps.worker.safe_say = lambda *_: None
    pulse = Pulse(silence_seconds=120)

    # The consumer is registered: from now on its event loop reports progress. Sent again after each reconnection.
    @worker_ready.connect(weak=False)
    def ready(sender: Any, **_: object) -> None:
        pulse.beat()
        sender.timer.call_repeatedly(BEAT_SECONDS, pulse.beat)
        worker_shutting_down.connect(lambda **_: delivery.take_no_more(sender.connection), weak=False, dispatch_uid="take_no_more")

    # The child processes are checked directly: while the main one waits for its broker, it does not notice that a run has ended.
    work = Work(Path(tempfile.mkdtemp(prefix="orcheo-worker-")) / "work")
    request_ids.install()
    trace_runs(celery_app)
    task_prerun.connect(lambda **_: work.begin(), weak=False)
    task_postrun.connect(lambda **_: work.end(), weak=False)
    worker_process_init.connect(lambda **_: memory.guard(fencing.heartbeat), weak=False)
    leave_when_idle(work.under_way)
    serve(HEALTH_PORT, pulse)
    slots = os.environ.get("ORCHEO_WORKER_CONCURRENCY", "2")
    if metered:
        from orcheo_runtime import metrics_worker

        metrics_worker.start(celery_app, int(slots))
    threading.Thread(target=leave_without, args=(watcher,), name="reconciler", daemon=True).start()
    celery_app.worker_main(
        [
            "--quiet",
            "worker",
            "--concurrency",
            slots,
            "--loglevel",
            os.environ.get("ORCHEO_LOG_LEVEL", "INFO"),
        ]
    )


if __name__ == "__main__":
    main()
