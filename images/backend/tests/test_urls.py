"""Every URL of tests/fixtures/server-urls.json, which the deployment's own tests read too."""

import json
import unittest
from importlib.util import find_spec
from pathlib import Path

from orcheo_runtime import tls, urls

REPOSITORY = Path(__file__).parents[3]
VECTORS = json.loads((REPOSITORY / "tests/fixtures/server-urls.json").read_text(encoding="utf-8"))
RULES = {"database": urls.DATABASE, "cache": urls.CACHE}
CA = "/etc/orcheo/ca/ca.crt"


class Vectors(unittest.TestCase):
    def test_each_is_read_or_refused_as_it_should_be(self) -> None:
        for vector in VECTORS:
            with self.subTest(url=vector["url"]):
                found = urls.read(RULES[vector["server"]], vector["url"])
                said = "; ".join(found.problems)
                self.assertNotIn("s3cr", said)
                if "refused" in vector:
                    self.assertTrue(any(part in said for part in vector["refused"].split("|")), said)
                else:
                    self.assertEqual(said, "")
                    self.assertEqual((found.host.strip("[]"), found.port), (vector["host"], vector["port"]))

    def test_each_that_passes_is_completed_and_its_clients_read_it_so(self) -> None:
        servers = {"database": tls.SERVERS[0], "cache": tls.SERVERS[1]}
        for vector in VECTORS:
            with self.subTest(url=vector["url"]):
                server = servers[vector["server"]]
                environ = {server.url: vector["url"], server.port: str(vector.get("port", 1)), server.ca_file: CA}
                problems = tls.demand_tls(environ)
                self.assertEqual(bool(problems), "refused" in vector, problems)
                self.assertNotIn("s3cr", "".join(problems))
                if not problems:
                    self.assertIn("=".join(server.mode), environ[server.url])
                    # Once more, as after a restart of the process in the same container.
                    self.assertEqual(tls.demand_tls(environ | {server.ca_file: ""}), [])


class Clients(unittest.TestCase):
    """The last check, by the clients themselves, refuses each of these though the first one is passed by.

    They are in the image and seldom on the machine that runs these tests; the end-to-end test runs this file in the image.
    """

    def test_libpq_and_redis_are_believed_rather_than_the_text(self) -> None:
        if not (find_spec("psycopg") and find_spec("redis")):
            return
        ca = f"sslmode=verify-full&sslrootcert={CA}"
        self.assertIsNone(tls.verified_database(f"postgresql://o:x@db:6432/o?{ca}", "db", 6432))
        for url in (
            f"postgresql://o:12/34@db:5432/o?{ca}",
            f"postgresql://o:x@db:5432/o?{ca}&host=elsewhere",
            "postgresql://o:x@db:5432/o",
            f"postgresql://o:x@db:5432/o?sslrootcert={CA}&sslmode=require",
        ):
            self.assertIsNotNone(tls.verified_database(url, "db", 5432), url)
        ca = f"ssl_cert_reqs=required&ssl_ca_certs={CA}"
        self.assertIsNone(tls.verified_cache(f"rediss://:x@cache:6380/0?{ca}", "cache", 6380))
        for url in (
            f"rediss://:x@cache:6379/0?{ca}&ssl_check_hostname=false",
            f"rediss://:x@cache:6380/0?{ca}",
            "rediss://:x@cache:6379/0",
            f"rediss://:x@elsewhere:6379/0?{ca}",
            f"redis://:x@cache:6379/0?{ca}",
        ):
            self.assertIsNotNone(tls.verified_cache(url, "cache", 6379), url)


class Ports(unittest.TestCase):
    def test_another_port_than_the_network_opens_is_refused(self) -> None:
        for variable, port, url in (
            ("ORCHEO_POSTGRES_DSN", "POSTGRES_PORT_OPEN", "postgresql://o:s3cret@db:6432/o"),
            ("REDIS_URL", "REDIS_PORT_OPEN", "rediss://:s3cret@cache:6380/0"),
        ):
            problems = tls.demand_tls({variable: url, port: "5432"})
            self.assertEqual(len(problems), 1)
            self.assertIn("and the network opens 5432", problems[0])

    def test_without_a_ca_file_the_url_must_have_come_complete(self) -> None:
        if not find_spec("psycopg"):
            return
        environ = {"ORCHEO_POSTGRES_DSN": "postgresql://o:s3cret@db/o", "POSTGRES_PORT_OPEN": "5432"}
        self.assertIn("less than sslmode=verify-full", tls.demand_tls(environ)[0])
