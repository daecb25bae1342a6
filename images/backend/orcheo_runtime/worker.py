"""The Celery worker with an explicit number of processes. SIGTERM: finishes the running tasks, then leaves."""

import os
from typing import Any

import celery.apps.worker
from celery.signals import setup_logging, worker_ready

from orcheo_runtime import connections, logs
from orcheo_runtime.health_server import Pulse, serve

HEALTH_PORT = 8001
BEAT_SECONDS = 5.0


def main() -> None:
    """Runs until SIGTERM."""
    logs.install()
    connections.check_before_use()
    # It sets up logging of its own, which Celery's signal takes back.
    from orcheo_backend.worker.celery_app import celery_app

    setup_logging.connect(lambda **_: logs.install(), weak=False)
    # It writes past every stream, which is no line of JSON.
    celery.apps.worker.safe_say = lambda *_: None
    pulse = Pulse(silence_seconds=120)

    # The consumer is registered: from now on its event loop reports itself. Sent again after each reconnection.
    @worker_ready.connect(weak=False)
    def ready(sender: Any, **_: object) -> None:
        pulse.beat()
        sender.timer.call_repeatedly(BEAT_SECONDS, pulse.beat)

    serve(HEALTH_PORT, pulse)
    celery_app.worker_main(
        [
            "--quiet",
            "worker",
            "--concurrency",
            os.environ.get("ORCHEO_WORKER_CONCURRENCY", "2"),
            "--loglevel",
            os.environ.get("ORCHEO_LOG_LEVEL", "INFO"),
        ]
    )


if __name__ == "__main__":
    main()
