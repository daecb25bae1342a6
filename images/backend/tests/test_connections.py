"""The default of the pools, on classes that take what psycopg_pool's take; the end-to-end test has the real ones."""

import asyncio
import socket
import unittest
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest.mock import patch

from orcheo_runtime import connections, request_ids


def pools(**options: Any) -> SimpleNamespace:
    """A module with two pools, whose constructors take these options. `asked`: connections of which each asked the server."""

    class Pool:
        asked: ClassVar[list[Any]] = []

        def __init__(self, conninfo: str = "", *, check: Any = None, timeout: float = 30.0) -> None:
            self.check = check

        @classmethod
        def check_connection(cls, connection: Any) -> None:
            cls.asked.append(connection)

    class AsyncPool:
        asked: ClassVar[list[Any]] = []

        def __init__(self, conninfo: str = "", *, check: Any = None, timeout: float = 30.0) -> None:
            self.check = check

        @classmethod
        async def check_connection(cls, connection: Any) -> None:
            cls.asked.append(connection)

    for pool in (Pool, AsyncPool):
        pool.__init__.__kwdefaults__ = dict(options)
    return SimpleNamespace(ConnectionPool=Pool, AsyncConnectionPool=AsyncPool)


class Lifetime(unittest.TestCase):
    def test_is_limited_where_a_pooler_waits_for_its_clients(self) -> None:
        for environment, lifetime in (({}, 3600.0), ({"POSTGRES_CONNECTION_SECONDS": "30"}, 30.0)):
            module = pools(check=None, max_lifetime=3600.0)
            with patch.dict("sys.modules", psycopg_pool=module), patch.dict("os.environ", environment):
                connections.check_before_use()
            for pool in (module.ConnectionPool, module.AsyncConnectionPool):
                self.assertEqual(pool.__init__.__kwdefaults__["max_lifetime"], lifetime)


class Pools(unittest.TestCase):
    def setUp(self) -> None:
        self.module = pools(check=None, timeout=30.0)
        with patch.dict("sys.modules", psycopg_pool=self.module):
            connections.check_before_use()
        # The ends of a connection.
        self.connection, self.server = socket.socketpair()
        self.addCleanup(self.connection.close)
        self.addCleanup(self.server.close)

    def each_pool(self) -> Any:
        for name, pool in vars(self.module).items():
            connections.used.clear()
            with self.subTest(name):
                yield pool


class Checked(Pools):
    def uses(self, pool: Any) -> list[Any]:
        """The pool hands it out once more; returns the connections that the server was asked on."""
        pool.asked.clear()
        result = pool("").check(self.connection)
        if result is not None:
            asyncio.run(result)
        return list(pool.asked)

    def test_a_pool_that_brings_its_own_check_keeps_it(self) -> None:
        for pool in self.each_pool():
            self.assertIs(pool("", check=len).check, len)

    def test_the_first_use_asks_the_server_and_the_next_one_does_not(self) -> None:
        for pool in self.each_pool():
            self.assertEqual(self.uses(pool), [self.connection])
            self.assertEqual(self.uses(pool), [])
            self.assertEqual(self.uses(pool), [])

    def test_after_a_moment_without_use_the_server_is_asked(self) -> None:
        for pool in self.each_pool():
            self.uses(pool)
            with patch.object(connections.time, "monotonic", lambda: 1e12):
                self.assertEqual(self.uses(pool), [self.connection])

    def test_what_the_server_sent_unasked_is_reason_enough(self) -> None:
        for pool in self.each_pool():
            self.uses(pool)
            self.server.send(b"E")
            self.assertEqual(self.uses(pool), [self.connection])
            self.connection.recv(1)

    def test_so_is_a_connection_that_the_server_has_closed(self) -> None:
        self.uses(self.module.ConnectionPool)
        self.server.close()
        self.assertEqual(self.uses(self.module.ConnectionPool), [self.connection])
        self.assertEqual(self.uses(self.module.AsyncConnectionPool), [self.connection])

    def test_a_pool_that_knows_no_check_is_not_passed_over(self) -> None:
        with patch.dict("sys.modules", psycopg_pool=pools(timeout=30.0)), self.assertRaises(RuntimeError):
            connections.check_before_use()


class Connection:
    """What the check uses of psycopg's two, which differ in how `autocommit` is set."""

    def __init__(self, end: socket.socket, waits: bool) -> None:
        self.end = end
        self.waits = waits
        self.autocommit = False
        self.executed: list[tuple[str, bool]] = []

    def fileno(self) -> int:
        return self.end.fileno()

    async def set_autocommit(self, value: bool) -> None:
        self.autocommit = value

    def execute(self, _: str, parameters: tuple[str]) -> Any:
        self.executed.append((parameters[0], self.autocommit))
        return asyncio.sleep(0) if self.waits else None


class Named(Pools):
    def named(self, request: str | None, run: str | None, connection: Connection, pool: Any) -> list[tuple[str, bool]]:
        """What the connection was called while it was handed out, and whether outside of a transaction."""
        connection.executed.clear()
        request_ids.request.set(request)
        request_ids.run.set(run)
        result = pool("").check(connection)
        if result is not None:
            asyncio.run(result)
        self.assertFalse(connection.autocommit)
        return list(connection.executed)

    def tearDown(self) -> None:
        request_ids.request.set(None)
        request_ids.run.set(None)

    def test_after_the_request_or_the_run_once_for_each(self) -> None:
        for pool in self.each_pool():
            connection = Connection(self.connection, waits=pool is self.module.AsyncConnectionPool)
            for request, run, expected in (
                (None, None, []),
                ("request-1", None, []),
                ("request-1", "run-1", [("request-1", True)]),
                ("request-1", "run-1", []),
                (None, "run-2", [("run-2", True)]),
                ("r" * 100, "run-3", [("r" * 63, True)]),
                ("r" * 100, "run-3", []),
            ):
                self.assertEqual(self.named(request, run, connection, pool), expected)
