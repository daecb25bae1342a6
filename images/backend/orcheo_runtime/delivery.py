"""How Celery delivers runs, for those who send, schedule and execute them alike."""

import os
from typing import Any

# Beyond the longest run; Redis' default of an hour knows nothing of it.
SPARE_SECONDS = 300


def longest_run_seconds() -> int:
    """Of the deployment; ten minutes without one."""
    return int(os.environ.get("ORCHEO_WORKER_LONGEST_RUN_SECONDS", "600"))


def configure(app: Any) -> None:
    """To be called before the application is used."""
    app.conf.update(
        # Acknowledged when it has ended: a worker that is killed acknowledges nothing.
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        # A process that dies under its worker is no reason to deliver again: the reconciler decides what becomes of its run,
        # and a round of cron triggers comes again by itself.
        task_reject_on_worker_lost=False,
        task_acks_on_failure_or_timeout=True,
        # A message that nobody acknowledged is delivered again after this: never while its run may still be executed.
        broker_transport_options={"visibility_timeout": longest_run_seconds() + SPARE_SECONDS},
    )
