"""The default of the pools, on classes that take what psycopg_pool's take; the end-to-end test has the real ones."""

import unittest
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from orcheo_runtime import connections


def pools(**options: Any) -> SimpleNamespace:
    """A module with two pools, whose constructors take these options."""

    def made() -> type:
        class Pool:
            def __init__(self, conninfo: str = "", *, check: Any = None, timeout: float = 30.0) -> None:
                self.check = check

            @staticmethod
            def check_connection(connection: Any) -> None:
                """Fails when it is lost."""

        Pool.__init__.__kwdefaults__ = dict(options)
        return Pool

    return SimpleNamespace(ConnectionPool=made(), AsyncConnectionPool=made())


class Checked(unittest.TestCase):
    def test_a_pool_checks_unless_it_says_otherwise(self) -> None:
        module = pools(check=None, timeout=30.0)
        with patch.dict("sys.modules", psycopg_pool=module):
            connections.check_before_use()
        for pool in (module.ConnectionPool, module.AsyncConnectionPool):
            self.assertIs(pool("").check, pool.check_connection)
            self.assertIs(pool("", check=len).check, len)

    def test_a_pool_that_knows_no_check_is_not_passed_over(self) -> None:
        with patch.dict("sys.modules", psycopg_pool=pools(timeout=30.0)), self.assertRaises(RuntimeError):
            connections.check_before_use()
