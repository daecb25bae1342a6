"""The id of a request on its way through a real Celery: sent by the API, seen by the process that executes the run."""

import json
import unittest

from orcheo_runtime import request_ids

from metrics_tests.support import APP, WORK, start_worker

TASKS = """
from orcheo_runtime import request_ids

@app.task(name="orcheo_backend.worker.tasks.execute_run")
def execute_run(run):
    print("executes")

@app.task(name="orcheo_backend.worker.tasks.other")
def other():
    print("does other things")

request_ids.install()
"""


class Worker(unittest.TestCase):
    def setUp(self) -> None:
        self.process, self.app = start_worker(self, APP + TASKS + WORK)
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
