"""A process of the worker that takes too much memory."""

import os
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

from orcheo_runtime import memory
from orcheo_runtime.heartbeat import Heartbeat
from orcheo_runtime.leases import Holding

RUNTIME = Path(__file__).parent.parent
EATER = """
import signal, sys, time
from unittest import mock
from orcheo_runtime import memory
from orcheo_runtime.heartbeat import Heartbeat
from orcheo_runtime.leases import Holding
heartbeat = Heartbeat()
heartbeat.holdings["run"] = Holding("run", "token", time.monotonic())
def written(holdings, why):
    print([each.run_id for each in holdings], why, flush=True)
mock.patch.object(memory, "give_up", written).start()
memory.guard(heartbeat)
eaten = []
for _ in range(int(sys.argv[1])):
    eaten.append(bytearray(16 * 1024 * 1024))
    time.sleep(0.05)
print("done", flush=True)
"""


def eat(steps: int, limit: str) -> subprocess.CompletedProcess[str]:
    """A process that takes 16 MiB in each step."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(RUNTIME), memory.VARIABLE: limit}
    command = [sys.executable, "-c", EATER, str(steps)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


class Memory(unittest.TestCase):
    """The guard."""

    def test_a_run_that_takes_too_much_ends_its_process_with_a_reason(self) -> None:
        done = eat(60, "128")
        self.assertEqual(done.returncode, -9, done.stderr)
        self.assertRegex(done.stdout, r"^\['run'\] It took 1[2-9]\d MiB of memory, and .* 128 MiB \(worker\.memoryPerProcessMiB\)\.\n$")

    def test_a_run_within_its_limit_goes_on_and_so_does_any_without_a_limit(self) -> None:
        self.assertEqual(eat(4, "512").stdout, "done\n")
        self.assertEqual(eat(12, "").stdout, "done\n")

    def test_a_process_without_a_run_is_left_to_celery(self) -> None:
        self.assertFalse(memory.look(Heartbeat(), 1, 2))

    def test_the_run_ends_though_its_reason_cannot_be_written(self) -> None:
        heartbeat, stopped = Heartbeat(), mock.Mock()
        heartbeat.holdings["run"] = Holding("run", "token", 0)
        with mock.patch.object(memory, "connect", side_effect=OSError("away")), self.assertLogs("orcheo_runtime.memory"):
            self.assertTrue(memory.look(heartbeat, 1, 2, stopped))
        stopped.assert_called_once_with(heartbeat.holdings["run"])

    def test_the_container_alone_limits_where_nothing_is_set(self) -> None:
        with mock.patch.dict(os.environ, {memory.VARIABLE: ""}):
            self.assertIsNone(memory.limit_bytes())
        with mock.patch.dict(os.environ, {memory.VARIABLE: "256"}):
            self.assertEqual(memory.limit_bytes(), 256 * 1024 * 1024)


if __name__ == "__main__":
    unittest.main()
