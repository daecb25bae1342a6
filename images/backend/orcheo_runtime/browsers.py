"""Closes the browsers that a run leaves open, as one does that fails between its first browser node and its last.

Orcheo closes them where the API executes a run, and nowhere in the worker: each would keep some 500 MiB until its process
is replaced.
"""

import asyncio
import functools
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

NODES = "orcheo.nodes.browser"
# Playwright's own process, the parent of its browsers, which end with it.
DRIVER = b"playwright/driver/"
CLOSE_SECONDS = 10.0
logger = logging.getLogger("orcheo_runtime.browsers")


async def close_sessions(seconds: float = CLOSE_SECONDS) -> None:
    """A process executes one run at a time: whatever is open is that run's."""
    nodes = sys.modules.get(NODES)
    if nodes is None:
        return
    manager = nodes._browser_session_manager
    for key in list(manager._sessions):
        try:
            await asyncio.wait_for(manager.close(key), seconds)
        except Exception as error:
            logger.warning("the browser session %s cannot be closed: %r", key, error)


def end_drivers(parent: int | None = None) -> int:
    """Kills what could not be closed, such as a browser that never came up; returns the number of processes."""
    ended = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            _, _, fields = (process / "stat").read_text(encoding="utf-8").rpartition(")")
            state, owner = fields.split()[:2]
            if int(owner) != (parent or os.getpid()) or state == "Z" or DRIVER not in (process / "cmdline").read_bytes():
                continue
            os.kill(int(process.name), signal.SIGKILL)
            ended += 1
        except (OSError, ValueError):
            # It has ended meanwhile.
            continue
    return ended


def close_after_runs(tasks: Any) -> None:
    """Wraps Orcheo's execution of one run; the sessions belong to its event loop."""
    execute = tasks._execute_workflow

    @functools.wraps(execute)
    async def executed(run: Any) -> Any:
        try:
            return await execute(run)
        finally:
            if NODES in sys.modules:
                await close_sessions()
                if ended := end_drivers():
                    logger.warning("%s browser drivers were killed after the run", ended)

    tasks._execute_workflow = executed
