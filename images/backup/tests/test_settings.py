"""What the backup accepts, and that no message shows a secret."""

import json
import tempfile
import unittest
from pathlib import Path

from orcheo_backup import libpq, urls
from orcheo_backup.settings import RefusedError, Settings, mistaken, read

ENVIRON = {
    "BACKUP_BUCKET": "backups",
    "BACKUP_PREFIX": "backups/orcheo/",
    "BACKUP_REGION": "eu-central-1",
    "PGSSLROOTCERT": "/etc/orcheo/ca/ca.crt",
}
REPOSITORY = Path(__file__).parents[3]
URL = "postgresql://orcheo:s3cr%40t@postgres:5432/orcheo"


class Reading(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.file("postgres-dsn", URL)

    def file(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text, encoding="utf-8")

    def read(self, **changed: str) -> Settings:
        return read({**ENVIRON, **changed}, self.directory)

    def refused(self, **changed: str) -> str:
        with self.assertRaises(RefusedError) as caught:
            self.read(**changed)
        self.assertNotIn("s3cr", str(caught.exception))
        return str(caught.exception)

    def test_the_password_leaves_the_url(self) -> None:
        self.file("postgres-dsn", f"{URL}?sslmode=verify-full&sslrootcert=/etc/orcheo/ca/ca.crt\n")
        settings = self.read()
        self.assertEqual(settings.password, "s3cr@t")
        self.assertEqual(
            settings.dsn,
            "postgresql://orcheo@postgres:5432/orcheo?sslmode=verify-full&sslrootcert=/etc/orcheo/ca/ca.crt",
        )
        self.assertIsNone(settings.credentials)

    def test_keys_in_files(self) -> None:
        self.file("access-key-id", "AK\n")
        self.assertIn("or neither", self.refused())
        self.file("secret-access-key", "s3cret\n")
        self.assertEqual(self.read().credentials, ("AK", "s3cret"))

    def test_every_problem_at_once(self) -> None:
        (self.directory / "postgres-dsn").unlink()
        message = self.refused(BACKUP_BUCKET="", BACKUP_REGION="", BACKUP_PART_MIB="4")
        for part in ("BACKUP_BUCKET is", "BACKUP_REGION is", "from 5 to 5120; found", "postgres-dsn is missing"):
            self.assertIn(part, message)

    def test_less_than_verified_tls(self) -> None:
        for query, word in (("sslmode=require", "sslmode=verify-full"), ("sslrootcert=/tmp/ca", "sslrootcert")):
            self.file("postgres-dsn", f"{URL}?{query}")
            self.assertIn(word, self.refused())
        self.file("postgres-dsn", "host=postgres password=s3cr")
        self.assertIn("postgresql://user", self.refused())

    def test_urls_are_read_as_by_the_backend(self) -> None:
        own, theirs = (REPOSITORY / "images" / path for path in ("backup/orcheo_backup/urls.py", "backend/orcheo_runtime/urls.py"))
        self.assertEqual(own.read_bytes(), theirs.read_bytes())
        for vector in json.loads((REPOSITORY / "tests/fixtures/server-urls.json").read_text(encoding="utf-8")):
            # One line end is the file's own.
            if vector["server"] != "database" or vector["url"].endswith("\n"):
                continue
            with self.subTest(url=vector["url"]):
                self.file("postgres-dsn", vector["url"])
                if "refused" in vector:
                    self.assertTrue(any(part in self.refused() for part in vector["refused"].split("|")))
                else:
                    self.read(POSTGRES_PORT_OPEN=str(vector["port"]))

    def test_another_port_than_the_network_opens(self) -> None:
        self.assertIn("leads to port 5432, and the network opens 6432", self.refused(POSTGRES_PORT_OPEN="6432"))

    def test_libpq_is_believed_rather_than_the_text(self) -> None:
        if libpq.read("") is None:
            return
        meant = urls.read(urls.DATABASE, URL)
        self.assertEqual(mistaken(URL, meant), [])
        for url in (URL.replace("s3cr%40t", "12/34"), f"{URL}?host=elsewhere", f"{URL}?sslmode=require", "postgresql://%"):
            self.assertEqual(len(mistaken(url, meant)), 1, url)
