"""Browsers that a run leaves open."""

import asyncio
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from orcheo_runtime import browsers


class Manager:
    """As Orcheo's, with sessions by their key."""

    def __init__(self, *keys: str) -> None:
        self._sessions: dict[str, str] = dict.fromkeys(keys, "open")
        self.closed: list[str] = []

    async def close(self, key: str) -> bool:
        if key == "hangs":
            await asyncio.sleep(60)
        self._sessions.pop(key)
        if key == "broken":
            raise RuntimeError("the browser has crashed")
        self.closed.append(key)
        return True


def nodes(manager: Manager) -> Any:
    """Orcheo's module of browser nodes is imported."""
    module = types.ModuleType(browsers.NODES)
    vars(module)["_browser_session_manager"] = manager
    return mock.patch.dict(sys.modules, {browsers.NODES: module})


def execution(work: Any) -> Any:
    """Orcheo's tasks, wrapped."""
    tasks = types.SimpleNamespace(_execute_workflow=work)
    browsers.close_after_runs(tasks)
    return tasks._execute_workflow


class Browsers(unittest.TestCase):
    """After each run."""

    def test_are_closed_after_a_run_that_failed_and_after_one_that_succeeded(self) -> None:
        async def succeeds(run: str) -> str:
            return f"{run} succeeded"

        async def fails(run: str) -> str:
            raise LookupError(run)

        for work in (succeeds, fails):
            manager = Manager("run:browser", "run:second")
            with nodes(manager):
                if work is fails:
                    with self.assertRaises(LookupError):
                        asyncio.run(execution(work)("run"))
                else:
                    self.assertEqual(asyncio.run(execution(work)("run")), "run succeeded")
            self.assertEqual(manager.closed, ["run:browser", "run:second"])

    def test_one_that_cannot_be_closed_keeps_none_of_the_others_open(self) -> None:
        manager = Manager("hangs", "broken", "fine")
        with nodes(manager), self.assertLogs("orcheo_runtime.browsers") as logged:
            asyncio.run(browsers.close_sessions(0.05))
        self.assertEqual(manager.closed, ["fine"])
        self.assertEqual(len(logged.records), 2)

    def test_without_browser_nodes_nothing_is_looked_for(self) -> None:
        async def work(run: str) -> str:
            return run

        with mock.patch.object(browsers, "end_drivers", side_effect=AssertionError):
            self.assertEqual(asyncio.run(execution(work)("run")), "run")

    def test_a_driver_that_is_left_is_killed_and_no_other_child(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            driver = Path(folder) / "playwright" / "driver" / "node"
            driver.parent.mkdir(parents=True)
            driver.symlink_to("/bin/sleep")
            children = [subprocess.Popen([each, "60"]) for each in (str(driver), "/bin/sleep")]
            try:
                self.assertEqual(browsers.end_drivers(), 1)
                self.assertEqual(children[0].wait(5), -9)
                self.assertIsNone(children[1].poll())
                self.assertEqual(browsers.end_drivers(), 0)
            finally:
                for child in children:
                    child.kill()
                    child.wait()

    def test_a_driver_of_another_process_is_not_ours(self) -> None:
        self.assertEqual(browsers.end_drivers(parent=1), 0)


if __name__ == "__main__":
    unittest.main()
