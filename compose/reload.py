"""Runs API or worker of dev.yaml from the mounted source tree, and starts it anew when a Python file of the tree changes.

    reload.py api | worker

Most of a start is the import of packages that do not change. This process imports them once, and forks: what is forked imports
the tree alone. The running API serves until the next one listens, and the running worker takes runs until the next one has imported
everything; a file that cannot be imported is reported, and the running process stays. Without a source tree the image's own code runs,
and nothing is watched.
"""

import contextlib
import importlib
import importlib.util
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

SOURCE = Path("/src")
DIRECTORIES = ("src", "apps/backend/src", "packages/sdk/src")
# Byte code of the tree, which is read-only.
BYTE_CODE = "/tmp/bytecode"  # noqa: S108
OWN = ("orcheo", "orcheo_backend", "orcheo_sdk", "orcheo_runtime")
MODULES = {
    "api": ("orcheo_backend.app", "orcheo_backend.worker.celery_app", "uvicorn"),
    "worker": ("orcheo_backend.worker.celery_app", "orcheo_backend.worker.tasks"),
}
# For open requests, and for runs. What has not ended then is killed: a lost run is ended as in production.
GRACE_SECONDS = {"api": 1.0, "worker": 10.0}
# Runs wait in the queue for the new code. Requests do not wait: the former API answers them until the next one listens.
FORMER_LEAVES_FIRST = {"worker"}
logger = logging.getLogger("orcheo_runtime.reload")


def foreign(modules: Iterable[str]) -> list[str]:
    """Those that are no part of the tree, in the order of their import."""
    return [name for name in modules if name.split(".")[0] not in (*OWN, "__main__", "__mp_main__")]


def preload(modules: Iterable[str]) -> None:
    """Imports what the forked process had to; some modules are made by others, and cannot be found by name."""
    for name in modules:
        if name not in sys.modules:
            try:
                importlib.import_module(name)
            except Exception:  # noqa: BLE001, S112
                continue


def name_callers_only() -> None:
    """dynaconf takes a file name from a stack whose lines of source Python looks up in every module: half of the imports' time."""
    with contextlib.suppress(ImportError):
        from dynaconf.utils import files

        files.inspect = SimpleNamespace(stack=callers)


def callers() -> list[SimpleNamespace]:
    """File names as inspect.stack has them: the innermost first."""
    frame = sys._getframe(1)
    found = [SimpleNamespace(filename=frame.f_code.co_filename)]
    while (outer := frame.f_back) is not None:
        frame = outer
        found.append(SimpleNamespace(filename=frame.f_code.co_filename))
    return found


def share_the_container(role: str, up: Callable[..., None]) -> None:
    """Former and next process listen on the same ports, and do not wait for each other; `up` is called when the next one works."""

    class Shared(socket.socket):
        def bind(self, address: Any) -> None:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            super().bind(address)

        def listen(self, *backlog: int) -> None:
            super().listen(*backlog)
            if role == "api":
                up()

    socket.socket = Shared  # type: ignore[misc]
    if role == "worker":
        from celery.signals import worker_ready
        from celery.worker.consumer.gossip import Gossip
        from celery.worker.consumer.mingle import Mingle

        worker_ready.connect(up, weak=False)
        # As --without-gossip and --without-mingle, which orcheo_runtime.worker does not pass: mingle waits a second for answers.
        Gossip.compatible_transports = Mingle.compatible_transports = set()


class Process:
    """One forked process, which waits for `go` once it has imported everything."""

    def __init__(self, role: str) -> None:
        """Forks."""
        said, say = os.pipe()
        wait, self._go = os.pipe()
        self.imported = False
        self.pid = os.fork()
        if self.pid == 0:
            os.close(said)
            os.close(self._go)
            # The reconciler and Celery's processes belong to it.
            os.setsid()
            run(role, os.fdopen(say, "w"), wait)
        os.close(say)
        os.close(wait)
        # What it has imported, as a line of JSON: before it waits, and again when it works.
        self.said: IO[str] = os.fdopen(said)

    def go(self) -> None:
        """It becomes the role."""
        os.write(self._go, b"\n")
        os.close(self._go)

    def signal(self, number: signal.Signals) -> None:
        """To it, or with SIGKILL to all its processes."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
        if number == signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)


def run(role: str, say: IO[str], wait: int) -> None:
    """In the forked process: Orcheo's start, with a pause after the imports."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    from orcheo_runtime import connections, imports, start

    become = start.runpy.run_module

    def tell() -> None:
        print(json.dumps(foreign(sys.modules)), file=say, flush=True)

    def up(**_: object) -> None:
        if not say.closed:
            with say:
                tell()

    def paused(name: str, **options: Any) -> Any:
        connections.check_before_use()
        with imports.without_collection():
            for module in MODULES[role]:
                importlib.import_module(module)
            if role == "worker":
                imports.import_for_runs()
        share_the_container(role, up)
        tell()
        if os.read(wait, 1) == b"":
            os._exit(0)
        os.close(wait)
        return become(name, **options)

    start.runpy = SimpleNamespace(run_module=paused)  # type: ignore[assignment]
    sys.argv = [start.__file__ or "", role]
    try:
        code = start.main([role])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        logger.exception("%s cannot start", role)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class Reloader:
    """Has one process that serves, at most one that is to follow it, and former ones that have not ended yet."""

    def __init__(self, role: str, watcher: IO[str]) -> None:
        """`watcher` prints the files of each change, as a line of JSON."""
        self.role = role
        self.watcher = watcher
        self.next: Process | None = Process(role)
        self.current: Process | None = None
        # With the time at which it is killed.
        self.former: list[tuple[Process, float]] = []
        self.leaving = False
        self.changed = 0.0

    def loop(self) -> int:
        """Returns the code of the process that served, or of a first one that could not, when it has ended."""
        signal.signal(signal.SIGTERM, self.leave)
        signal.signal(signal.SIGINT, self.leave)
        while True:
            over = dict(ended())
            last = self.current or self.next
            if last is not None and last.imported and last.pid in over:
                return over[last.pid]
            self.end_former(over)
            talking = [each for each in (self.next, self.current) if each is not None and not each.said.closed]
            ready, _, _ = select.select([self.watcher, *(each.said for each in talking)], [], [], 0.2)
            for process in talking:
                if process.said in ready:
                    self.hear(process)
            if self.watcher in ready:
                self.change()

    def end_former(self, over: Container[int]) -> None:
        """Kills what the former processes have left behind, and those whose time is up."""
        now = time.monotonic()
        for process, _ in (each for each in self.former if each[0].pid in over or each[1] < now):
            process.signal(signal.SIGKILL)
        self.former = [each for each in self.former if each[0].pid not in over and each[1] >= now]

    def leave(self, *_: object) -> None:
        """SIGTERM is for the process that serves; its end is ours."""
        self.leaving = True
        if self.next is not None:
            self.next.signal(signal.SIGKILL)
        if self.current is None:
            os._exit(128 + signal.SIGTERM)
        self.current.signal(signal.SIGTERM)

    def change(self) -> None:
        """Files have changed: a next process is started in place of one that has not imported everything yet."""
        line = self.watcher.readline()
        if line == "":
            logger.error("the source tree is no longer watched")
            sys.exit(1)
        if self.leaving:
            return
        self.changed = time.monotonic()
        paths = list(json.loads(line))
        # Python knows an outdated one by its size and the second of the change, and two changes may share both.
        for path in paths:
            Path(importlib.util.cache_from_source(path)).unlink(missing_ok=True)
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        logger.info("%s starts anew: %s%s", self.role, paths[0], more)
        if self.next is not None:
            self.next.signal(signal.SIGKILL)
            self.next.said.close()
        self.next = Process(self.role)

    def hear(self, process: Process) -> None:
        """It has imported everything, it works, or it has died."""
        line = process.said.readline()
        if line == "":
            process.said.close()
            self.died(process)
            return
        if process.imported:
            process.said.close()
        else:
            process.imported = True
            process.go()
        if process is self.next and (process.said.closed or self.role in FORMER_LEAVES_FIRST):
            self.take_over(process)
        preload(json.loads(line))

    def died(self, process: Process) -> None:
        """Its log says why. The end of a first one that had imported everything is ours."""
        if process is not self.next or (process.imported and self.current is None):
            return
        self.next = None
        if self.current is None:
            logger.error("%s waits for a change of the source tree", self.role)
        else:
            logger.error("%s still runs what it had", self.role)

    def take_over(self, process: Process) -> None:
        """The former process leaves."""
        before, self.current, self.next = self.current, process, None
        if before is None:
            return
        before.said.close()
        before.signal(signal.SIGTERM)
        self.former.append((before, time.monotonic() + GRACE_SECONDS[self.role]))
        logger.info("%s took over after %.1f s", self.role, time.monotonic() - self.changed)


def ended() -> list[tuple[int, int]]:
    """Processes that have ended, also those that were left to us, with their codes."""
    found: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        code = os.waitstatus_to_exitcode(status)
        found.append((pid, code if code >= 0 else 128 - code))


def watch(directories: Sequence[str]) -> None:
    """Prints the changed files as a line of JSON, in a separate process: one with threads should not fork."""
    from watchfiles import PythonFilter
    from watchfiles import watch as changes

    for batch in changes(*directories, watch_filter=PythonFilter(), step=10, debounce=400, raise_interrupt=False):
        print(json.dumps(sorted({path for _, path in batch})), flush=True)


def main(arguments: Sequence[str], source: Path = SOURCE) -> int:
    """Returns the code of the process that ran."""
    role, *rest = arguments
    if role == "watch":
        watch(rest)
        return 0
    directories = [str(source / each) for each in DIRECTORIES if (source / each).is_dir()]
    if not directories:
        os.execv(sys.executable, [sys.executable, "-m", "orcheo_runtime.start", role])  # noqa: S606
    sys.dont_write_bytecode = False
    sys.pycache_prefix = BYTE_CODE
    from orcheo_runtime import logs

    logs.install()
    command = [sys.executable, __file__, "watch", *directories]
    watcher = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert watcher.stdout is not None
    name_callers_only()
    logger.info("%s runs %s", role, ", ".join(directories))
    return Reloader(role, watcher.stdout).loop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
