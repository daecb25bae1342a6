"""How Celery delivers runs; the same settings for API, beat and worker."""

import os
from typing import Any

# Added to the longest run; Redis' default of an hour does not take it into account.
SPARE_SECONDS = 300


def longest_run_seconds() -> int:
    """As set by the deployment; default ten minutes."""
    return int(os.environ.get("ORCHEO_WORKER_LONGEST_RUN_SECONDS", "600"))


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
        # Redeliver an unacknowledged message after this time: never while its run may still be executing.
        broker_transport_options={"visibility_timeout": longest_run_seconds() + SPARE_SECONDS},
    )
