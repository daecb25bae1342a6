"""The only scheduler of cron triggers. It loads nothing of Orcheo but its schedule: no vault, 60 MB instead of 280."""

import importlib.util
import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.beat import PersistentScheduler
from celery.signals import setup_logging

from orcheo_runtime import delivery, logs, otlp
from orcheo_runtime.health_server import Pulse, serve
from orcheo_runtime.leaving import leave_when_idle

HEALTH_PORT = 8002
# Twice Celery's longest sleep between two ticks (300 s).
pulse = Pulse(silence_seconds=600)


class ReportingScheduler(PersistentScheduler):
    """Celery's scheduler; each tick is reported."""

    def tick(self, *args: Any, **options: Any) -> Any:
        """Sends the tasks that are due; returns the seconds until the next tick."""
        pulse.beat()
        return super().tick(*args, **options)


def schedule() -> Celery:
    """Orcheo's Celery application, loaded from its file: importing its package would load the whole backend."""
    package = importlib.util.find_spec("orcheo_backend")
    assert package is not None and package.origin is not None
    file = Path(package.origin).parent / "worker/celery_app.py"
    spec = importlib.util.spec_from_file_location("orcheo_schedule", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app: Celery = module.celery_app
    # Tasks are sent by name; only the worker has to know them.
    app.conf.include = ()
    delivery.configure(app)
    return app


def main() -> None:
    """Runs until SIGTERM, and then exits within seconds even while its broker is unavailable."""
    logs.install()
    setup_logging.connect(lambda **_: logs.install(), weak=False)
    leave_when_idle(lambda: False)
    serve(HEALTH_PORT, pulse)
    if otlp.measured():
        from orcheo_runtime import metrics

        registry = metrics.new_registry()
        metrics.last_tick(registry, pulse)
        registry.register(metrics.Update())
        metrics.publish(registry, "beat")
    app = schedule()
    app.Beat(
        scheduler_cls=ReportingScheduler,
        schedule=app.conf.beat_schedule_filename,
        loglevel=os.environ.get("ORCHEO_LOG_LEVEL", "INFO"),
        quiet=True,
    ).run()


if __name__ == "__main__":
    main()
