"""How Celery delivers runs; the same settings for API, beat and worker."""

import os
from typing import Any

# Added to the longest run; Redis' default of an hour does not take it into account.
SPARE_SECONDS = 300
# Longest wait for an answer of Valkey. Celery's default is forever: a worker that connected just as Valkey's pod went away
# waited for an answer that nobody would send, until its liveness probe restarted it four minutes later.
ANSWER_SECONDS = 5
# Between two health checks of the connections on which a worker waits for work: one to a Valkey that vanished is dropped after two.
HEALTH_CHECK_SECONDS = 10


def longest_run_seconds() -> int:
    """As set by the deployment; default ten minutes."""
    return int(os.environ.get("ORCHEO_WORKER_LONGEST_RUN_SECONDS", "600"))


def whole(name: str) -> int | None:
    """None: no limit."""
    value = os.environ.get(name)
    return int(value) if value else None


def kibibytes(name: str) -> int | None:
    """As Celery counts memory."""
    value = whole(name)
    return None if value is None else value * 1024


def take_no_more(connection: Any) -> None:
    """Stops a terminating worker from receiving messages. Valkey would deliver one for up to a second more, to start after all other runs.

    `connection`: that of Celery's consumer. A message that has already arrived is returned to the queue when the connection closes.
    """
    from kombu.transport import redis

    for channel in connection.transport.channels:
        waiting = getattr(channel, "_in_poll", None)
        if waiting and not redis._socket_readable(waiting._sock):  # noqa: SLF001
            waiting.disconnect()


def configure(app: Any) -> None:
    """Call before the application is used."""
    app.conf.update(
        # Acknowledge after the run has ended: a worker that is killed acknowledges nothing.
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        # Do not redeliver when a worker's child process dies: the reconciler decides what happens to its run,
        # and cron triggers run again on schedule.
        task_reject_on_worker_lost=False,
        task_acks_on_failure_or_timeout=True,
        # Between two runs: a process that has grown, or has executed so many, is replaced.
        worker_max_tasks_per_child=whole("ORCHEO_WORKER_RUNS_PER_PROCESS"),
        worker_max_memory_per_child=kibibytes("ORCHEO_WORKER_PROCESS_MEMORY_MIB"),
        broker_transport_options={
            # Redeliver an unacknowledged message after this time: never while its run may still be executing.
            "visibility_timeout": longest_run_seconds() + SPARE_SECONDS,
            "socket_connect_timeout": ANSWER_SECONDS,
            # Waiting for work is no wait for an answer: Valkey ends that with one each second.
            "socket_timeout": ANSWER_SECONDS,
            "health_check_interval": HEALTH_CHECK_SECONDS,
        },
    )
