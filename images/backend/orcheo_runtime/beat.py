"""The one scheduler of cron triggers."""

import os
from typing import Any

from celery.beat import PersistentScheduler
from celery.signals import setup_logging
from orcheo_backend.worker.celery_app import celery_app

from orcheo_runtime import logs
from orcheo_runtime.health_server import Pulse, serve

HEALTH_PORT = 8002
# Twice Celery's longest sleep between two ticks (300 s).
pulse = Pulse(silence_seconds=600)


class ReportingScheduler(PersistentScheduler):
    """Celery's scheduler; each tick is reported."""

    def tick(self, *args: Any, **options: Any) -> Any:
        """Sends what is due; returns the seconds until the next tick."""
        pulse.beat()
        return super().tick(*args, **options)


def main() -> None:
    """Runs until SIGTERM."""
    logs.install()
    setup_logging.connect(lambda **_: logs.install(), weak=False)
    serve(HEALTH_PORT, pulse)
    celery_app.Beat(
        scheduler_cls=ReportingScheduler,
        schedule=celery_app.conf.beat_schedule_filename,
        loglevel=os.environ.get("ORCHEO_LOG_LEVEL", "INFO"),
        quiet=True,
    ).run()


if __name__ == "__main__":
    main()
