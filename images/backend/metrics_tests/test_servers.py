"""What the servers say of how full they are, to a user without further rights."""

import importlib
import os
import sys
import unittest
from pathlib import Path
from unittest.mock import patch

import psycopg
import psycopg_binary
import redis

from orcheo_runtime import reports, servers

from metrics_tests import support


class Postgres(support.Postgres):
    def test_an_ordinary_user_sees_the_connections_of_everybody(self) -> None:
        self.command("psql", "-qc", "CREATE ROLE app LOGIN", "-c", "CREATE DATABASE app OWNER app")
        place = {"host": self.folder, "autocommit": True}
        with psycopg.connect(user="app", dbname="app", **place) as own, psycopg.connect(user="postgres", dbname="postgres", **place):
            found = servers.of_postgres(own)
            self.assertEqual(set(found), {name for name in reports.SERVERS if name.startswith("postgres_")})
            self.assertEqual((found["postgres_connections"], found["postgres_connections_max"], found["postgres_deadlocks"]), (2, 100, 0))
            self.assertGreater(found["postgres_database_bytes"], 1_000_000)


    def test_the_last_backup_is_what_the_backup_noted(self) -> None:
        sys.path.append(str(Path(__file__).parents[2] / "backup"))
        self.addCleanup(sys.path.pop)
        libpq, record = (importlib.import_module(f"orcheo_backup.{name}") for name in ("libpq", "record"))
        [library] = (Path(psycopg_binary.__file__).parents[1] / "psycopg_binary.libs").glob("libpq-*")
        place = {"dbname": "postgresql:///postgres", "host": self.folder, "user": "postgres"}
        with psycopg.connect(host=self.folder, user="postgres", dbname="postgres", autocommit=True) as connection:
            self.assertEqual(servers.of_backup(connection), {})
            for size in (5_000_000_000, 7):
                libpq.execute(place, record.TABLE + record.ROW.format(size=size, seconds=1.5), str(library))
                found = servers.of_backup(connection)
                self.assertEqual(set(found), set(reports.BACKUP))
                self.assertEqual((found["backup_last_bytes"], found["backup_last_seconds"]), (size, 1.5))
                row = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
                assert row is not None
                self.assertAlmostEqual(found["backup_last_success_timestamp_seconds"], float(row[0]), delta=30)
        with self.assertRaisesRegex(libpq.ExecuteError, "syntax error"):
            libpq.execute(place, "SELEC", str(library))
        with self.assertRaisesRegex(libpq.ExecuteError, "nowhere"):
            libpq.execute({**place, "host": "/nowhere"}, record.TABLE, str(library))


class Names(unittest.TestCase):
    def unresolved(self, postgres: str, valkey: str) -> float:
        urls = {"ORCHEO_POSTGRES_DSN": f"postgresql://app:p%40ss@{postgres}/app", "REDIS_URL": f"rediss://:p@{valkey}/0"}
        with patch.dict(os.environ, urls):
            return servers.of_names()["names_unresolved"]

    def test_each_server_whose_name_has_no_address_counts(self) -> None:
        # RFC 6761: no such name ever exists.
        self.assertEqual(self.unresolved("postgres.invalid:5432", "localhost:6379"), 1)
        self.assertEqual(self.unresolved("postgres.invalid", "valkey.invalid"), 2)

    def test_names_that_are_known_and_addresses_do_not(self) -> None:
        self.assertEqual(self.unresolved("localhost", "127.0.0.1:6379"), 0)
        self.assertEqual(self.unresolved("[::1]:5432", "192.0.2.1"), 0)


class Valkey(unittest.TestCase):
    """The running one answers in tests/e2e/platform/metrics.ts."""

    def test_a_limit_of_its_memory_is_reported_with_what_is_used(self) -> None:
        found = servers.numbers_of({"used_memory": 900_000, "connected_clients": 3, "maxmemory": 100 * 1024 * 1024})
        self.assertEqual(set(found), {name for name in reports.SERVERS if name.startswith("valkey_")})
        self.assertEqual(found["valkey_memory_max_bytes"], 100 * 1024 * 1024)

    def test_without_a_limit_none_is_reported(self) -> None:
        self.assertNotIn("valkey_memory_max_bytes", servers.numbers_of({"used_memory": 1, "connected_clients": 1, "maxmemory": 0}))

    def test_one_that_is_away_is_no_error(self) -> None:
        self.assertEqual(servers.of_valkey(lambda: redis.Redis(unix_socket_path="/nowhere")), {})


if __name__ == "__main__":
    unittest.main()
