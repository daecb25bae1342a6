"""How a process ends. On SIGTERM, an idle one exits within seconds, whatever its main thread is waiting for.

Python runs a handler between two steps of the main thread. One that waits for a broker, a database or DNS that is away
comes to it late, and the libraries then ask the server that is away to end well: up to the kill.
"""

import asyncio
import fcntl
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

# Time for a clean exit while servers respond; far below any grace period.
PATIENCE_SECONDS = 5.0
CHECK_SECONDS = 0.25
logger = logging.getLogger("orcheo_runtime.leaving")
Result = TypeVar("Result")


def run_without_waiting(main: Coroutine[Any, Any, Result]) -> Result:
    """The result of `main`; what it leaves running stops here. For processes that call os._exit next.

    asyncio.run would cancel the rest and wait for its end. A pool of psycopg ignores that while it connects (psycopg_pool
    3.3 tries again instead), and the process would never end: lost runs waited for minutes.
    """
    return asyncio.new_event_loop().run_until_complete(main)


def leave_when_idle(busy: Callable[[], bool], patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Watches for SIGTERM from now on; ends the process with 0 once it was not `busy` for so long after the signal.

    To be called in the main thread, in a process that has a handler for SIGTERM.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    # Written by the signal handler itself, whatever the main thread does.
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    # Child processes handle SIGTERM themselves.
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
    threading.Thread(target=_watch, args=(read, busy, patience_seconds), name="leaving", daemon=True).start()


def _watch(signals: int, busy: Callable[[], bool], patience_seconds: float) -> None:
    while signal.SIGTERM not in os.read(signals, 64):
        pass
    since = time.monotonic()
    while time.monotonic() - since < patience_seconds:
        time.sleep(CHECK_SECONDS)
        if busy():
            since = time.monotonic()
    logger.warning("nothing is left to finish, and an unavailable server delays the exit: exiting now")
    os._exit(0)


class Work:
    """Whether any process of a pool is working, by file locks: a killed process no longer holds one."""

    def __init__(self, path: Path) -> None:
        """`path`: a file that the processes lock while they work."""
        self.path = path
        self.path.touch(mode=0o600)
        self.held: int | None = None

    def begin(self) -> None:
        """This process works."""
        if self.held is None:
            self.held = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(self.held, fcntl.LOCK_SH)

    def end(self) -> None:
        """This process has finished."""
        if self.held is not None:
            os.close(self.held)
            self.held = None

    def under_way(self) -> bool:
        """Whether any process works."""
        with self.path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False
