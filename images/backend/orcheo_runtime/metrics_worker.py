"""What a worker does, counted in its main process: what happens to a task whose process is lost is known only there."""

import re
import time
from typing import Any

from celery import Celery
from celery.exceptions import WorkerLostError
from celery.worker import state
from celery.worker.request import Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from orcheo_runtime import metrics, reports

SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
# Orcheo's task says in its result what became of the run; a task that raises is rare. The main process gets it as text.
STATUS = re.compile(r"^\{'status': '(succeeded|failed|skipped)'")


OUTCOMES = ("succeeded", "failed", "skipped", "lost")


def outcome_of(result: object) -> str:
    """succeeded, failed or skipped; a task that says nothing has succeeded."""
    found = STATUS.match(str(result))
    return found[1] if found else "succeeded"


class TaskMetrics:
    """Started and finished tasks."""

    def __init__(self, registry: CollectorRegistry, slots: int) -> None:
        """`slots`: tasks that the worker executes at a time."""
        self.started = Counter("orcheo_tasks_started", "Tasks that a process took up.", ("task",), registry=registry)
        self.finished = Counter(
            "orcheo_tasks_finished",
            "Tasks that ended: succeeded, failed, skipped (the run was not pending), lost (its process ended).",
            ("task", "outcome"),
            registry=registry,
        )
        self.seconds = Histogram(
            "orcheo_task_duration_seconds", "Time from start to end.", ("task",), buckets=SECONDS, registry=registry
        )
        Gauge("orcheo_worker_slots", "Tasks that can run at a time.", registry=registry).set(slots)
        busy = Gauge("orcheo_worker_slots_busy", "Tasks that run now.", registry=registry)
        busy.set_function(lambda: len(state.active_requests))

    def announce(self, task: str) -> None:
        """Zeros: the increase of a counter that appears with its first event would be seen as none."""
        self.started.labels(short(task))
        for outcome in OUTCOMES:
            self.finished.labels(short(task), outcome)

    def start(self, task: str) -> None:
        """A process took it up."""
        self.started.labels(short(task)).inc()

    def end(self, task: str, outcome: str, seconds: float | None) -> None:
        """`seconds` is None for a task that never started."""
        self.finished.labels(short(task), outcome).inc()
        if seconds is not None:
            self.seconds.labels(short(task)).observe(seconds)


def short(task: str) -> str:
    """orcheo_backend.worker.tasks.execute_run -> execute_run."""
    return task.rpartition(".")[2]


def counted(tasks: TaskMetrics) -> type[Request]:
    """Celery's request of a worker, which reports to `tasks`."""

    class Counted(Request):  # type: ignore[misc]
        ended = False

        def __init_subclass__(cls, **options: Any) -> None:
            """Celery derives its own class, whose on_success does not call this one's."""
            super().__init_subclass__(**options)
            succeed = cls.on_success

            def on_success(self: "Counted", failed__retval__runtime: Any, **options: Any) -> Any:
                failed, result, seconds = failed__retval__runtime
                if not failed:
                    self.note(outcome_of(result), seconds)
                return succeed(self, failed__retval__runtime, **options)

            cls.on_success = on_success

        def on_accepted(self, pid: int, time_accepted: float) -> None:
            super().on_accepted(pid, time_accepted)
            tasks.start(self.name)

        def on_failure(self, exc_info: Any, *args: Any, **options: Any) -> Any:
            error = exc_info.exception
            # As Celery unpacks it.
            error = getattr(error, "exc", error)
            lost = isinstance(error, WorkerLostError | SystemExit | KeyboardInterrupt)
            self.note("lost" if lost else "failed")
            return super().on_failure(exc_info, *args, **options)

        def on_timeout(self, soft: bool, timeout: float) -> None:
            if not soft:
                self.note("failed")
            super().on_timeout(soft, timeout)

        def note(self, outcome: str, seconds: float | None = None) -> None:
            """Once for each task: a lost process is reported in several ways."""
            if self.ended:
                return
            self.ended = True
            started = self.time_start
            tasks.end(self.name, outcome, seconds if seconds is not None or not started else time.time() - started)

    return Counted


def install(app: Celery, registry: CollectorRegistry, slots: int) -> None:
    """Counts every task of `app`."""
    metrics_of_tasks = TaskMetrics(registry, slots)
    request = counted(metrics_of_tasks)
    for name, task in app.tasks.items():
        task.Request = request
        if not name.startswith("celery."):
            metrics_of_tasks.announce(name)


def start(app: Celery, slots: int) -> None:
    """Call when all tasks are known, in the process that is about to start the pool."""
    registry = metrics.new_registry()
    install(app, registry, slots)
    reports.receive(QueueMetrics(registry).take)
    metrics.publish(registry, "worker")


class QueueMetrics:
    """What the reconciler saw at its last look. Each worker has one; take the newest, or the maximum."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Without a look yet there is no value: 0 would mean an empty queue."""
        self.registry = registry
        self.gauges: dict[str, Gauge] = {}
        self.settled = Counter("orcheo_lost_runs_settled", "Lost runs that were settled.", ("action",), registry=registry)
        for action in reports.ACTIONS:
            self.settled.labels(action)

    def take(self, report: reports.Report) -> None:
        """One report of the reconciler."""
        if "settled" in report:
            self.settled.labels(report["settled"]).inc()
            return
        part = next((name for name in reports.PARTS if name in report), None)
        names = reports.NUMBERS if part is None else reports.PARTS[part]
        numbers = report if part is None else report[part]
        for name, text in names.items():
            value = numbers.get(name)
            gauge = self.gauges.get(name)
            if gauge is None and value is not None:
                gauge = self.gauges[name] = Gauge(f"orcheo_{name}", text, registry=self.registry)
            # Not known now: an old number would look like a new one.
            if gauge is not None:
                gauge.set(float("nan") if value is None else value)
