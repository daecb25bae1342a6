"""The id of a request on its way through a real Celery: sent by the API, seen by the process that executes the run."""

import json
import unittest

from orcheo_runtime import request_ids

from metrics_tests.support import start_worker

WORKER = """
import sys
from celery import Celery
from celery.signals import setup_logging
from orcheo_runtime import delivery, logs, request_ids

setup_logging.connect(lambda **_: logs.install(), weak=False)
app = Celery("orcheo-backend", broker="filesystem://", backend=None)
folder = sys.argv[1]
app.conf.broker_transport_options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder}
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1)

@app.task(name="orcheo_backend.worker.tasks.execute_run")
def execute_run(run):
    print("executes")

@app.task(name="orcheo_backend.worker.tasks.other")
def other():
    print("does other things")

request_ids.install()
app.worker_main(["--quiet", "worker", "--concurrency", "1", "--without-gossip", "--without-mingle", "--without-heartbeat"])
"""


class Worker(unittest.TestCase):
    def setUp(self) -> None:
        self.process, self.app = start_worker(self, WORKER)
        request_ids.install()

    def said(self, text: str) -> dict[str, str]:
        """The next line of the log with this message."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            entry: dict[str, str] = json.loads(line)
            if text in entry["message"]:
                return entry
        raise AssertionError(f"the worker ended without: {text}")

    def test_each_task_has_the_id_of_its_own_request(self) -> None:
        for request, run in (("request-one", "run-1"), ("request-two", "run-2"), (None, "run-3")):
            request_ids.request.set(request)
            self.app.send_task("orcheo_backend.worker.tasks.execute_run", (run,))
            for text in ("executes", "succeeded"):
                entry = self.said(text)
                self.assertEqual((entry.get("request"), entry.get("run")), (request, run), text)
        request_ids.request.set("request-three")
        self.app.send_task("orcheo_backend.worker.tasks.other")
        entry = self.said("does other things")
        self.assertEqual((entry.get("request"), entry.get("run")), ("request-three", None))
