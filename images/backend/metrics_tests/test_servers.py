"""Real servers say how full they are, to a user without further rights; skipped where they are not installed."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

import psycopg
import redis

from orcheo_runtime import reports, servers
from tests import test_reconciler

VALKEY = shutil.which("valkey-server") or shutil.which("redis-server")
# As images/valkey/entrypoint.sh restricts Orcheo's user.
RIGHTS = "user default on nopass ~* &* +@all -@admin -@dangerous +info"


@unittest.skipUnless(shutil.which("initdb") and shutil.which("pg_ctl") and shutil.which("psql"), "no Postgres is installed here")
class Postgres(unittest.TestCase):
    def test_an_ordinary_user_sees_the_connections_of_everybody(self) -> None:
        server = test_reconciler.Look
        server.setUpClass()
        self.addCleanup(server.tearDownClass)
        server.command("psql", "-qc", "CREATE ROLE app LOGIN", "-c", "CREATE DATABASE app OWNER app")
        place = {"host": server.folder, "autocommit": True}
        with psycopg.connect(user="app", dbname="app", **place) as own, psycopg.connect(user="postgres", dbname="postgres", **place):
            found = servers.of_postgres(own)
            self.assertEqual(set(found), {name for name in reports.SERVERS if name.startswith("postgres_")})
            self.assertEqual((found["postgres_connections"], found["postgres_connections_max"], found["postgres_deadlocks"]), (2, 100, 0))
            self.assertGreater(found["postgres_database_bytes"], 1_000_000)


class Valkey(unittest.TestCase):
    def start(self, *options: str) -> redis.Redis:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "socket")
        rights = os.path.join(folder.name, "users.acl")
        with open(rights, "w", encoding="utf8") as file:
            file.write(f"{RIGHTS}\n")
        assert VALKEY
        server = subprocess.Popen([VALKEY, "--port", "0", "--unixsocket", path, "--aclfile", rights, "--save", "", *options], cwd=folder.name, stdout=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        for _ in range(100):
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(path)
                break
            except OSError:
                time.sleep(0.05)
        return redis.Redis(unix_socket_path=path)

    @unittest.skipUnless(VALKEY, "no Valkey is installed here")
    def test_the_user_of_the_application_sees_how_much_memory_is_left(self) -> None:
        client = self.start("--maxmemory", "100mb")
        found = servers.of_valkey(lambda: client)
        self.assertEqual(set(found), {name for name in reports.SERVERS if name.startswith("valkey_")})
        self.assertEqual(found["valkey_memory_max_bytes"], 100 * 1024 * 1024)
        self.assertGreater(found["valkey_memory_bytes"], 100_000)

    @unittest.skipUnless(VALKEY, "no Valkey is installed here")
    def test_without_a_limit_none_is_reported(self) -> None:
        client = self.start()
        self.assertNotIn("valkey_memory_max_bytes", servers.of_valkey(lambda: client))

    def test_one_that_is_away_is_no_error(self) -> None:
        self.assertEqual(servers.of_valkey(lambda: redis.Redis(unix_socket_path="/nowhere")), {})
