"""The Celery worker with an explicit number of processes. SIGTERM: finishes the running tasks, then leaves."""

import os
from typing import Any

from celery.signals import worker_ready
from orcheo_backend.worker.celery_app import celery_app

from orcheo_runtime.health_server import Pulse, serve

HEALTH_PORT = 8001
BEAT_SECONDS = 5.0


def main() -> None:
    """Runs until SIGTERM."""
    pulse = Pulse(silence_seconds=120)

    # The consumer is registered: from now on its event loop reports itself. Sent again after each reconnection.
    @worker_ready.connect(weak=False)
    def ready(sender: Any, **_: object) -> None:
        pulse.beat()
        sender.timer.call_repeatedly(BEAT_SECONDS, pulse.beat)

    serve(HEALTH_PORT, pulse)
    celery_app.worker_main(
        [
            "worker",
            "--concurrency",
            os.environ.get("ORCHEO_WORKER_CONCURRENCY", "2"),
            "--loglevel",
            os.environ.get("ORCHEO_LOG_LEVEL", "INFO").upper(),
        ]
    )


if __name__ == "__main__":
    main()
