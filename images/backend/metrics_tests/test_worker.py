"""A real Celery worker with a pool of processes, and the pipe from its reconciler."""

import json
import math
import os
import time
import unittest
import urllib.request
from collections.abc import Callable
from unittest.mock import patch

from orcheo_runtime import metrics_worker, reports
from prometheus_client import CollectorRegistry

from metrics_tests.support import read, series, start_worker

WORKER = """
import os, signal, sys, time
from celery import Celery
from orcheo_runtime import delivery, metrics, metrics_worker, reports

os.environ["ORCHEO_METRICS_PORT"] = "9464"
serve = metrics.serve
metrics.serve = lambda registry: print(serve(registry, 0).server_port, flush=True)
app = Celery("orcheo-backend", broker="filesystem://", backend=None)
folder = sys.argv[1]
app.conf.broker_transport_options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder}
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, task_reject_on_worker_lost=False)

@app.task(name="orcheo_backend.worker.tasks.execute_run")
def execute_run(what):
    if what == "raises":
        raise ValueError(what)
    if what == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "long":
        time.sleep(60)
    return {"status": what, "error": "status: 'succeeded'"}

reports.open_pipe()
metrics_worker.start(app, 2)
app.worker_main(["--quiet", "worker", "--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"])
"""


class Worker(unittest.TestCase):
    def setUp(self) -> None:
        self.process, self.app = start_worker(self, WORKER)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def scrape(self) -> dict[str, float]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            return read(answer.read().decode())

    def until(self, done: Callable[[dict[str, float]], bool]) -> dict[str, float]:
        for _ in range(300):
            found = self.scrape()
            if done(found):
                return found
            time.sleep(0.1)
        self.fail(f"not seen in time: { {name: value for name, value in found.items() if name.startswith('orcheo')} }")

    def send(self, what: str) -> None:
        self.app.send_task("orcheo_backend.worker.tasks.execute_run", (what,))

    def test_every_end_of_a_task_is_counted_once_in_one_place_whichever_process_ran_it(self) -> None:
        # Before the first task: only the increase of a counter that is there raises an alert.
        self.assertEqual(self.scrape()['orcheo_tasks_finished_total{outcome="lost",task="execute_run"}'], 0)
        sent = ["succeeded"] * 4 + ["failed", "skipped", "raises", "dies"]
        for what in sent:
            self.send(what)
        ended = 'orcheo_tasks_finished_total{outcome="%s",task="execute_run"}'
        outcomes = ("succeeded", "failed", "skipped", "lost")
        found = self.until(lambda now: sum(now.get(ended % each, 0) for each in outcomes) >= len(sent))
        # `failed`: one that said so, and one that raised.
        self.assertEqual([found.get(ended % each) for each in outcomes], [4, 2, 1, 1])
        self.assertEqual(found['orcheo_tasks_started_total{task="execute_run"}'], len(sent))
        self.assertEqual(found['orcheo_task_duration_seconds_count{task="execute_run"}'], len(sent))
        self.assertEqual((found["orcheo_worker_slots"], found["orcheo_worker_slots_busy"]), (2, 0))
        self.send("long")
        self.until(lambda now: now["orcheo_worker_slots_busy"] == 1)


class Reports(unittest.TestCase):
    def setUp(self) -> None:
        patched = patch.multiple(reports, _reader=None, _writer=None)
        patched.start()
        self.addCleanup(patched.stop)
        self.registry = CollectorRegistry()
        self.queue = metrics_worker.QueueMetrics(self.registry)

    def test_of_the_reconciler_and_of_the_process_that_settles(self) -> None:
        self.assertFalse(reports.wanted())
        reports.send({"settled": "fail"})
        reports.open_pipe()
        if os.fork() == 0:
            reports.send({"queue_messages": 3, "runs_waiting": 2.0, "runs_oldest_waiting_seconds": 7.5})
            if os.fork() == 0:
                reports.send({"settled": "fail"})
                os._exit(0)
            os.wait()
            os._exit(0)
        reports.receive(self.queue.take)
        os.wait()
        for _ in range(100):
            found = series(self.registry)
            if found['orcheo_lost_runs_settled_total{action="fail"}'] == 1:
                break
            time.sleep(0.05)
        self.assertEqual([found[f'orcheo_lost_runs_settled_total{{action="{each}"}}'] for each in reports.ACTIONS], [1, 0, 0, 0])
        self.assertEqual((found["orcheo_queue_messages"], found["orcheo_runs_waiting"], found["orcheo_runs_oldest_waiting_seconds"]), (3, 2, 7.5))
        # What nobody reported is no number.
        self.assertNotIn("orcheo_runs_running", found)

    def test_a_number_that_is_not_known_any_more_is_no_old_number(self) -> None:
        self.queue.take({"queue_messages": 3})
        self.queue.take({"queue_messages": None})
        self.assertTrue(math.isnan(series(self.registry)["orcheo_queue_messages"]))

    def test_of_the_servers_beside_those_of_the_queue(self) -> None:
        self.queue.take({"queue_messages": 3})
        self.queue.take({"servers": {"postgres_connections": 7, "valkey_memory_bytes": 9}})
        self.queue.take({"queue_messages": 4})
        found = series(self.registry)
        self.assertEqual((found["orcheo_queue_messages"], found["orcheo_postgres_connections"], found["orcheo_valkey_memory_bytes"]), (4, 7, 9))
        self.queue.take({"backup": {}})
        self.queue.take({"backup": {"backup_last_bytes": 5}})
        self.queue.take({"servers": {"postgres_connections": 8}})
        self.assertTrue(math.isnan(series(self.registry)["orcheo_valkey_memory_bytes"]))

    def test_the_longest_report_is_sent(self) -> None:
        for names in (reports.NUMBERS, *reports.PARTS.values()):
            values = dict.fromkeys(names, 1234567890123.5)
            line = json.dumps(values if names is reports.NUMBERS else {"servers": values})
            self.assertLess(len(line), reports.MOST_BYTES)

    def test_a_worker_that_does_not_read_holds_nobody_up(self) -> None:
        reports.open_pipe()
        for _ in range(5000):
            reports.send({"queue_messages": 1})


if __name__ == "__main__":
    unittest.main()
