"""What the backup accepts, and that no message shows a secret."""

import tempfile
import unittest
from pathlib import Path

from orcheo_backup.settings import RefusedError, Settings, read

ENVIRON = {
    "BACKUP_BUCKET": "backups",
    "BACKUP_PREFIX": "backups/orcheo/",
    "BACKUP_REGION": "eu-central-1",
    "PGSSLROOTCERT": "/etc/orcheo/ca/ca.crt",
}
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
