"""SIGTERM while the main thread waits for something that does not come back."""

import contextlib
import asyncio
import errno
import os
import signal
import socket
import tempfile
import time
import unittest
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE, Popen
from sys import executable
from types import ModuleType
from unittest.mock import patch

from orcheo_runtime import api, settle
from orcheo_runtime.leaving import Work

HERE = Path(__file__).parents[1]
# Like a library that waits for its server again and again: the signal is noted, and nothing comes of it.
STUCK = """
import os, signal, sys, time
from pathlib import Path
from orcheo_runtime.leaving import Work, leave_when_idle
work = Work(Path(sys.argv[1]))
signal.signal(signal.SIGTERM, lambda *_: None)
leave_when_idle(work.under_way, patience_seconds=0.5)
child = os.fork()
if child == 0:
    {child}
    os._exit(0)
print(child, flush=True)
time.sleep(60)
"""

# Like psycopg's pool while it connects: it takes being cancelled for a failed attempt, and tries again.
KEEPS_ON = """
import asyncio, os, sys
from orcheo_runtime.leaving import run_without_waiting

async def connect():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

async def main():
    global attempt
    attempt = asyncio.create_task(connect())
    await asyncio.sleep(0)
    return 7

os._exit(run_without_waiting(main()))
"""


class WithoutWaiting(unittest.TestCase):
    def test_what_keeps_on_after_being_cancelled_does_not_delay_the_end(self) -> None:
        with Popen([executable, "-c", KEEPS_ON], cwd=HERE) as process:
            self.addCleanup(process.kill)
            self.assertEqual(process.wait(10), 7)

    def test_lost_runs_are_settled_that_way(self) -> None:
        async def keeps_on(_: object) -> None:
            asyncio.get_running_loop().create_task(connect())
            await asyncio.sleep(0)

        async def connect() -> None:
            while True:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(60)

        modules = {name: ModuleType(name) for name in ("orcheo_backend", "orcheo_backend.worker", "orcheo_backend.worker.celery_app")}
        modules["orcheo_backend.worker.celery_app"].celery_app = None  # type: ignore[attr-defined]
        quiet = [patch(f"orcheo_runtime.{name}") for name in ("connections.check_before_use", "delivery.configure", "fencing.install", "logs.install")]
        with ExitStack() as stack:
            for each in (patch.dict("sys.modules", modules), patch.object(settle, "settle", keeps_on), *quiet):
                stack.enter_context(each)
            pid = os.fork()
            if pid == 0:
                signal.alarm(10)
                settle.main([])
                os._exit(0)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)


class Leaving(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name, "work")

    def started(self, child: str) -> tuple[Popen[str], int]:
        """A stuck process whose child runs `child`, and the child's id once both run."""
        process = Popen(
            [executable, "-c", STUCK.format(child=child), str(self.path)],
            env={"PYTHONPATH": str(HERE)},
            stdout=PIPE,
            start_new_session=True,
            text=True,
        )
        self.addCleanup(process.wait)
        # With its child: one that sleeps on would hold whoever reads what these tests say.
        self.addCleanup(end_group, process.pid)
        assert process.stdout is not None
        self.addCleanup(process.stdout.close)
        return process, int(process.stdout.readline())

    def test_without_work_it_leaves_within_its_patience(self) -> None:
        process, _ = self.started("os._exit(0)")
        process.terminate()
        self.assertEqual(process.wait(10), 0)

    def test_it_stays_until_it_is_told(self) -> None:
        process, _ = self.started("os._exit(0)")
        time.sleep(1.5)
        self.assertIsNone(process.poll())

    def test_work_of_a_child_is_finished_first(self) -> None:
        process, _ = self.started("work.begin(); time.sleep(3); work.end(); time.sleep(60)")
        time.sleep(0.5)
        told = time.monotonic()
        process.terminate()
        self.assertEqual(process.wait(20), 0)
        self.assertGreater(time.monotonic() - told, 2)

    def test_a_killed_child_works_no_longer(self) -> None:
        process, child = self.started("work.begin(); time.sleep(60)")
        self.addCleanup(lambda: os.kill(child, signal.SIGKILL) if process.poll() is None else None)
        time.sleep(0.5)
        process.terminate()
        time.sleep(1.5)
        self.assertIsNone(process.poll())
        os.kill(child, signal.SIGKILL)
        self.assertEqual(process.wait(10), 0)

    def test_a_childs_signal_is_not_its_own(self) -> None:
        process, _ = self.started("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)")
        time.sleep(1.5)
        self.assertIsNone(process.poll())
        process.terminate()
        self.assertEqual(process.wait(10), 0)


def end_group(leader: int) -> None:
    """Whoever of it is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


class Works(unittest.TestCase):
    def test_each_process_counts_once(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            one, other = Work(Path(directory, "work")), Work(Path(directory, "work"))
            self.assertFalse(one.under_way())
            one.begin()
            one.begin()
            other.begin()
            one.end()
            self.assertTrue(one.under_way())
            other.end()
            other.end()
            self.assertFalse(one.under_way())


class Listeners(unittest.TestCase):
    def listeners(self) -> list[socket.socket]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        bound = api.listeners(port)
        for listener in bound:
            self.addCleanup(listener.close)
            listener.listen()
        return bound

    @unittest.skipUnless(Path("/proc/net/if_inet6").exists(), "this kernel has no IPv6")
    def test_both_families_are_served_each_with_its_own_addresses(self) -> None:
        ipv4, ipv6 = self.listeners()
        port = ipv4.getsockname()[1]
        for listener, address in ((ipv4, "127.0.0.1"), (ipv6, "::1")):
            with socket.create_connection((address, port), timeout=5), listener.accept()[0] as accepted:
                self.assertEqual(accepted.getpeername()[0], address)

    def test_asyncio_sends_answers_without_delay(self) -> None:
        async def delayed() -> int:
            seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()

            def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                connection = writer.get_extra_info("socket")
                seen.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                writer.close()

            listener = self.listeners()[0]
            server = await asyncio.start_server(accepted, sock=listener)
            _, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
            answer = await asyncio.wait_for(seen, 5)
            writer.close()
            server.close()
            return answer

        self.assertNotEqual(asyncio.run(delayed()), 0)

    def test_without_ipv6_the_other_is_enough(self) -> None:
        real = socket.socket

        def without(family: int = socket.AF_INET, *rest: int) -> socket.socket:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            return real(family, *rest)

        with patch.object(api.socket, "socket", without):
            (only,) = api.listeners(0)
        self.addCleanup(only.close)
        self.assertEqual(only.family, socket.AF_INET)

    def test_a_port_that_is_taken_is_an_error(self) -> None:
        with socket.create_server(("0.0.0.0", 0)) as taken, self.assertRaises(OSError):  # noqa: S104
            api.listeners(taken.getsockname()[1])
